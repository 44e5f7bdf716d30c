"""One model: the fields that it takes, the values of each, and its limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any


class Family(str, Enum):
    """The two products under which the service sells Seedream at one address."""

    PREFERENTIAL = "preferential"
    """灵芽: one call, whose response contains the result URLs."""
    EVOLINK = "evolink"
    """The response contains a task id, and the task is polled."""

    @property
    def tier_field(self) -> str:
        """The field that has the resolution tiers."""
        return "size" if self is Family.PREFERENTIAL else "quality"


CHOICES: Mapping[str, str] = MappingProxyType({
    "size": "sizes",
    "quality": "qualities",
    "prompt_priority": "prompt_priorities",
    "output_format": "output_formats",
})  # fmt: skip
"""Fields of a request, and the attribute of :class:`Model` that lists their values."""


@dataclass(frozen=True)
class Model:
    """One model as the service sells it."""

    id: str
    family: Family
    fields: tuple[str, ...]
    """Names of the body fields that requests may set, in the order in which they are sent."""
    sizes: tuple[str, ...]
    default_size: str
    sources: Mapping[str, str]
    """Where each fact comes from, by its name."""
    qualities: tuple[str, ...] = ()
    default_quality: str = ""
    prompt_priorities: tuple[str, ...] = ()
    output_formats: tuple[str, ...] = ()
    max_references: int = 0
    max_results: int = 1
    sends_n: bool = False
    """Whether the number of images is a field; a model without it makes one image."""
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """More body fields with their values, sent as they are."""
    alpha: bool = False
    """Whether results have transparency."""
    prices: str | Mapping[str, str] | None = None
    """Of one image: a decimal number, or one per tier and per ``reference``."""
    doubted: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """By field: values that may be sent and that a source does not confirm, and why."""

    @property
    def reference_field(self) -> str:
        """The body field that carries reference images."""
        return "image" if self.family is Family.PREFERENTIAL else "image_urls"

    @property
    def sent_id(self) -> str:
        """The name that the service has for it; two entries may differ in ``extra`` alone."""
        return str(self.extra.get("model", self.id))

    def allowed_values(self, name: str) -> tuple[str, ...]:
        """Return the values of a field, a key of :data:`CHOICES`; none if it has no such field."""
        values: tuple[str, ...] = getattr(self, CHOICES[name])
        return values


def of_family(models: Mapping[str, Model], family: Family) -> tuple[str, ...]:
    """Return the ids of one family, in catalogue order."""
    return tuple(model.id for model in models.values() if model.family is family)


def all_values(models: Iterable[Model], name: str) -> tuple[str, ...]:
    """Return every value of a field that any of the models takes, in catalogue order."""
    return tuple(dict.fromkeys(value for model in models for value in model.allowed_values(name)))
