"""What a first contact learned about a service, by its address; choices follow it.

``doctor --probe`` writes the file, ``doctor --forget-facts`` removes what it says of an address.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from ..catalog import Family, Model
from ..messages import Text
from .private_file import write_private_text

FACTS_FILE = "facts.json"


class StatedShape(BaseModel):
    """How the service states an error, without anything secret."""

    model_config = ConfigDict(frozen=True)

    http_status: int
    code: str = ""
    type: str = ""
    message: str = ""


class Facts(BaseModel):
    """What is known about one service; ``None`` and empty where it was not learned."""

    model_config = ConfigDict(frozen=True)

    checked_on: str = ""
    """The date of the latest probe, as YYYY-MM-DD."""
    lists_models: bool | None = None
    states_balance: bool | None = None
    unknown_model: StatedShape | None = None
    unknown_task: StatedShape | None = None
    inline: dict[str, bool] = {}
    """By family: whether it takes reference images as data URIs."""
    tiers: dict[str, dict[str, bool]] = {}
    """By model and tier: whether a request was accepted."""
    link_life_s: dict[str, float] = {}
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

    def merge(self, learned: Mapping[str, Any]) -> Facts:
        """Add what a later probe learned; it replaces what it contradicts."""
        values = self.model_dump()
        for name, value in learned.items():
            if isinstance(value, dict) and isinstance(values[name], dict):
                values[name] = _merge(values[name], cast("dict[str, Any]", value))
            elif value is not None:
                values[name] = value
        return Facts.model_validate(values)


def _merge(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    merged = dict(before)
    for name, value in after.items():
        is_deep = isinstance(value, dict) and isinstance(before.get(name), dict)
        merged[name] = {**before[name], **value} if is_deep else value
    return merged


def parse_facts(text: str, address: str) -> Facts:
    """Read the facts of an address; a file that cannot be read counts as empty."""
    try:
        return Facts.model_validate(_parse_all(text).get(address, {}))
    except ValidationError:
        return Facts()


def apply_facts(models: Mapping[str, Model], facts: Facts) -> Mapping[str, Model]:
    """Note the tiers that the service refused, and no longer doubt those that it accepted."""
    applied = {
        model.id: _apply_tiers(model, facts.tiers[model.id], facts.checked_on)
        for model in models.values()
        if model.id in facts.tiers
    }
    return MappingProxyType({**models, **applied}) if applied else models


def _apply_tiers(model: Model, tiers: Mapping[str, bool], checked_on: str) -> Model:
    name = "size" if model.family is Family.PREFERENTIAL else "quality"
    before = model.doubted.get(name, {})
    doubts = {value: why for value, why in before.items() if value not in tiers}
    refused = Text("fact_refused", date=checked_on)
    doubts.update({tier: refused for tier, accepted in tiers.items() if not accepted})
    others = {field: why for field, why in model.doubted.items() if field != name}
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
        every[address] = facts.model_dump(exclude_defaults=True)
    write_private_text(path, json.dumps(every, ensure_ascii=False, indent=1))


def _parse_all(text: str) -> dict[str, Any]:
    try:
        every: Any = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", every) if isinstance(every, dict) else {}
