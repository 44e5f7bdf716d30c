"""Compare the models that a service lists with the known ones, and suggest entries for others."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .model import Family, Model, of_family

_PREFIXES = re.compile(r"^(?:doubao|bytedance|byteplus|volcengine)[-_/]+")
_DATE = re.compile(r"-\d{6,8}$")


@dataclass(frozen=True)
class OfferedModel:
    """A Seedream model that the service lists.

    Args:
        known_as: ids of the entries that send this name.
        suggestion: an entry for a model that no entry has, filled from the nearest known one.
    """

    id: str
    known_as: tuple[str, ...]
    suggestion: Mapping[str, Any] | None


def match_offered(offered: Iterable[str], models: Mapping[str, Model]) -> tuple[OfferedModel, ...]:
    """List the Seedream models among the offered ones, in the order of the service."""
    found: list[OfferedModel] = []
    for name in offered:
        known_as = tuple(model.id for model in models.values() if model.sent_id == name)
        if known_as or "seedream" in name.lower():
            suggestion = None if known_as else build_entry(name, find_nearest(name, models))
            found.append(OfferedModel(name, known_as, suggestion))
    return tuple(found)


def list_missing(offered: Iterable[str], models: Mapping[str, Model]) -> tuple[str, ...]:
    """List the known models that the service does not list."""
    names = set(offered)
    return tuple(model.id for model in models.values() if model.sent_id not in names)


def find_nearest(name: str, models: Mapping[str, Model]) -> Model:
    """Find the known model whose name is most like this one, in its probable family."""
    wanted = "preferential" in name.lower()
    family = Family.PREFERENTIAL if wanted else Family.EVOLINK
    candidates = [models[one] for one in of_family(models, family)] or list(models.values())
    return max(candidates, key=lambda model: _similarity(name, model.sent_id))


def build_entry(name: str, model: Model) -> dict[str, Any]:
    """Build an entry with every fact of ``model``, for a user to correct."""
    entry: dict[str, Any] = {
        "id": name,
        "family": model.family.value,
        "like": model.id,
        "sizes": list(model.sizes),
        "default_size": model.default_size,
    }
    if model.family is Family.EVOLINK:
        entry["qualities"] = list(model.qualities)
        entry["default_quality"] = model.default_quality
        entry["prompt_priorities"] = list(model.prompt_priorities)
    entry["output_formats"] = list(model.output_formats)
    entry["max_references"] = model.max_references
    entry["max_results"] = model.max_results
    entry["sends_n"] = model.sends_n
    entry["extra"] = {key: value for key, value in model.extra.items() if key != "model"}
    entry["alpha"] = model.alpha
    # A model without tiers has none to state.
    return {key: value for key, value in entry.items() if value not in ("", {})}


def _similarity(name: str, other: str) -> float:
    return difflib.SequenceMatcher(None, _simplify(name), _simplify(other)).ratio()


def _simplify(name: str) -> str:
    bare = _DATE.sub("", _PREFIXES.sub("", name.lower()))
    return re.sub(r"(?<=\d)-(?=\d)", ".", bare)
