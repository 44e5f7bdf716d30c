"""What a first contact learned about a service, by its address; choices follow it.

``doctor --probe`` writes the file, ``doctor --forget-facts`` removes what it says of an address.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from ..catalog import Family, Model
from ..messages import Text
from .private_file import write_private_json

FACTS_FILE = "facts.json"


@dataclass(frozen=True)
class StatedShape:
    """How the service states an error, without anything secret."""

    http_status: int
    code: str = ""
    type: str = ""
    message: str = ""


@dataclass(frozen=True)
class Facts:
    """What is known about one service; ``None`` and empty where it was not learned."""

    checked_on: str = ""
    """The date of the latest probe, as YYYY-MM-DD."""
    lists_models: bool | None = None
    states_balance: bool | None = None
    unknown_model: Mapping[str, Any] | None = None
    """How it reports a model that does not exist: a :class:`StatedShape`."""
    unknown_task: Mapping[str, Any] | None = None
    inline: Mapping[str, bool] = field(default_factory=dict[str, bool])
    """By family: whether it takes reference images as data URIs."""
    tiers: Mapping[str, Mapping[str, bool]] = field(default_factory=dict[str, Mapping[str, bool]])
    """By model and tier: whether a request was accepted."""
    link_life_s: Mapping[str, float] = field(default_factory=dict[str, float])
    """By family: seconds for which the link of a result is signed."""
    body_accepted: int | None = None
    """Bytes of the largest accepted body."""
    body_refused: int | None = None
    """Bytes of the smallest body that was too large (413)."""

    @property
    def is_empty(self) -> bool:
        return self == Facts()

    def takes_inline(self, family: Family) -> bool:
        """Tell whether a family takes data URIs: as learned, else as documented."""
        return self.inline.get(family.value, family is Family.PREFERENTIAL)

    def find_link_life(self, family: str | None) -> float | None:
        """Return for how many seconds links of a family last; ``None`` if it was not learned."""
        return self.link_life_s.get(family or "")

    def merge(self, learned: Mapping[str, Any]) -> Facts:
        """Add what a later probe learned; it replaces what it contradicts."""
        values = {name: _merge(getattr(self, name), value) for name, value in learned.items()}
        return replace(self, **values)

    def to_json(self) -> dict[str, Any]:
        """Return what is known, for the file and for people."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "", {})}


def _merge(before: Any, after: Any) -> Any:
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return after
    known, more = cast("Mapping[str, Any]", before), cast("Mapping[str, Any]", after)
    return {**known, **{name: _merge(known.get(name), value) for name, value in more.items()}}


def parse_facts(text: str, address: str) -> Facts:
    """Read the facts of an address; what cannot be read counts as not learned."""
    found: Any = _parse_all(text).get(address)
    if not isinstance(found, dict):
        return Facts()
    values = cast("dict[str, Any]", found)
    return Facts(**{
        name: values[name]
        for name, is_right in _CHECKS.items()
        if name in values and is_right(values[name])
    })  # fmt: skip


def _map_of(is_right: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, dict) and all(map(is_right, cast("dict[str, Any]", value).values()))
    )


def _is_type(*types: type) -> Callable[[Any], bool]:
    return lambda value: type(value) in types


def _is_duration(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value < float("inf")


_CHECKS: Mapping[str, Callable[[Any], bool]] = MappingProxyType({
    "checked_on": _is_type(str),
    "lists_models": _is_type(bool),
    "states_balance": _is_type(bool),
    "unknown_model": _map_of(_is_type(str, int)),
    "unknown_task": _map_of(_is_type(str, int)),
    "inline": _map_of(_is_type(bool)),
    "tiers": _map_of(_map_of(_is_type(bool))),
    "link_life_s": _map_of(_is_duration),
    "body_accepted": _is_type(int),
    "body_refused": _is_type(int),
})  # fmt: skip
"""What each fact of the file must be."""


def describe_facts(facts: Facts) -> list[Text]:
    """Describe everything that is known about a service, for people."""
    simple = {"models": facts.lists_models, "balance": facts.states_balance}
    shapes = {"unknown_model": facts.unknown_model, "unknown_task": facts.unknown_task}
    bodies = {"accepted": facts.body_accepted, "body": facts.body_refused}
    return [
        *(Text(f"fact_{name}", value=_yes_or_no(is_so))
          for name, is_so in simple.items() if is_so is not None),
        *(_describe_shape(name, shape) for name, shape in shapes.items() if shape),
        *(Text("fact_inline", family=name, value=_yes_or_no(is_so))
          for name, is_so in facts.inline.items()),
        *(Text("fact_tier", model=model, tier=tier, value=_yes_or_no(is_so))
          for model, tiers in facts.tiers.items() for tier, is_so in tiers.items()),
        *(Text("fact_life", family=name, hours=f"{life_s / 3600:.1f}")
          for name, life_s in facts.link_life_s.items()),
        *(Text(f"fact_{name}", size=size) for name, size in bodies.items() if size),
    ]  # fmt: skip


def _describe_shape(name: str, shape: Mapping[str, Any]) -> Text:
    stated = ", ".join(str(shape[part]) for part in ("code", "type") if shape.get(part))
    status = shape.get("http_status", "?")
    return Text(f"fact_{name}", status=status, label=stated or Text("no_reason"))


def _yes_or_no(is_so: bool) -> Text:
    return Text("yes" if is_so else "no")


def apply_facts(models: Mapping[str, Model], facts: Facts) -> Mapping[str, Model]:
    """Note the tiers that the service refused, and no longer doubt those that it accepted."""
    applied = {
        model.id: _apply_tiers(model, facts.tiers[model.id], facts.checked_on)
        for model in models.values()
        if model.id in facts.tiers
    }
    return MappingProxyType({**models, **applied}) if applied else models


def _apply_tiers(model: Model, tiers: Mapping[str, bool], checked_on: str) -> Model:
    name = model.family.tier_field
    before = model.doubted.get(name, {})
    doubts = {value: why for value, why in before.items() if value not in tiers}
    refused = Text("fact_refused", date=checked_on)
    doubts.update({tier: refused for tier, accepted in tiers.items() if not accepted})
    others = {other: why for other, why in model.doubted.items() if other != name}
    return replace(model, doubted={**others, name: doubts} if doubts else others)


def save_facts(home: Path, address: str, facts: Facts | None) -> None:
    """Save the facts of an address; ``None`` removes them. Blocks.

    Raises:
        LedgerFailed: the file cannot be written.
    """
    path = home / FACTS_FILE
    try:
        every = _parse_all(path.read_text("utf-8")) if path.is_file() else {}
    except (OSError, ValueError):
        every = {}
    every.pop(address, None)
    if facts is not None:
        every[address] = facts.to_json()
    write_private_json(path, every)


def _parse_all(text: str) -> dict[str, Any]:
    try:
        every: Any = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", every) if isinstance(every, dict) else {}
