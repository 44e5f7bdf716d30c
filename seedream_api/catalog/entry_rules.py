"""The keys of a model entry, which values each may have, and with which control to edit it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, cast

from ..messages import Text
from .limits import MAX_REFERENCES_AND_RESULTS
from .model import CHOICES, Family

OUTPUT_FORMATS = ("png", "jpeg", "webp")
"""What the pack decodes."""
_LONGEST = 200
_AMOUNT = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")
_MOST_RESULTS = MAX_REFERENCES_AND_RESULTS.value
_MOST_REFERENCES = MAX_REFERENCES_AND_RESULTS.value - 1
"""Every request makes at least one image."""

Path = Sequence[str | int]


@dataclass(frozen=True)
class Rule:
    """What a key may have."""

    find_fault: Callable[[Any], Path | None]
    """Returns the path to a wrong part, empty for the whole value; ``None`` if all is right."""
    allowed: str
    kind: str
    """How a form edits it: ``text``, ``choice`` (one of ``values``), ``choices`` (several of them),
    ``model``, ``texts``, ``item`` (one of the list ``of``), ``number`` (``low`` to ``high``),
    ``switch``, ``amounts``, ``members`` (names with values) or ``json``."""
    control: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What else the control needs."""
    is_required: bool = False
    only: Family | None = None
    """The family whose models alone have it."""


def is_text(value: object) -> bool:
    """Tell whether a value is a short, printable text without blanks around it."""
    return (
        isinstance(value, str)
        and value == value.strip() != ""
        and value.isprintable()
        and len(value) <= _LONGEST
    )


def is_amount(value: object) -> bool:
    """Tell whether a value is an amount of money: a decimal number in a string."""
    return isinstance(value, str) and bool(_AMOUNT.fullmatch(value))


def _when(is_right: Callable[[Any], bool]) -> Callable[[Any], Path | None]:
    return lambda value: None if is_right(value) else ()


def _list_fault(is_right: Callable[[Any], bool], *, least: int) -> Callable[[Any], Path | None]:
    def find_fault(value: Any) -> Path | None:
        if not isinstance(value, list):
            return ()
        items = cast("list[Any]", value)
        for index, item in enumerate(items):
            if not is_right(item) or item in items[:index]:
                return (index,)
        return None if len(items) >= least else ()

    return find_fault


def _object_fault(is_right: Callable[[str, Any], bool]) -> Callable[[Any], Path | None]:
    def find_fault(value: Any) -> Path | None:
        if not isinstance(value, dict):
            return ()
        members = cast("dict[str, Any]", value)
        wrong = next((name for name, one in members.items() if not is_right(name, one)), None)
        return None if wrong is None else (wrong,)

    return find_fault


def _is_json(name: str, value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except ValueError:
        return False
    return is_text(name) and not (name == "model" and not is_text(value))


def _is_reason(value: Any) -> bool:
    if isinstance(value, dict):
        texts = cast("dict[str, Any]", value)
        return set(texts) == {"en", "zh"} and all(map(_is_line, texts.values()))
    return _is_line(value)


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def _find_doubt_fault(value: Any) -> Path | None:
    fault = _object_fault(lambda name, doubts: name in CHOICES and isinstance(doubts, dict))(value)
    if fault is not None:
        return fault
    for name, doubts in cast("dict[str, dict[str, Any]]", value).items():
        for choice, reason in doubts.items():
            if not _is_reason(reason):
                return (name, choice)
    return None


def _find_price_fault(value: Any) -> Path | None:
    if isinstance(value, dict):
        return _object_fault(lambda _, amount: is_amount(amount))(value)
    return None if is_amount(value) else ()


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool)


def _number(low: int, high: int) -> Rule:
    return Rule(
        _when(lambda value: type(value) is int and low <= value <= high),
        Text("whole_number_range", low=low, high=high),
        "number",
        {"low": low, "high": high},
    )


def _one_of(*values: str, is_required: bool) -> Rule:
    allowed = {"values": list(values)}
    is_right = _when(lambda value: value in values)
    return Rule(is_right, ", ".join(values), "choice", allowed, is_required)


def _texts(*, least: int, only: Family | None = None) -> Rule:
    return Rule(_list_fault(is_text, least=least), Text("distinct_texts"), "texts", only=only)


def _item_of(plural: str, only: Family | None = None) -> Rule:
    return Rule(_when(is_text), _TEXT, "item", {"of": plural}, only=only)


_BOOLEAN = Text("json_boolean")
_TEXT = Text("short_text", longest=_LONGEST)

KEYS: Mapping[str, Rule] = MappingProxyType({
    "id": Rule(_when(is_text), _TEXT, "text", is_required=True),
    "family": _one_of(*(family.value for family in Family), is_required=True),
    "like": Rule(_when(is_text), _TEXT, "model"),
    "sizes": _texts(least=1),
    "default_size": _item_of("sizes"),
    "qualities": _texts(least=0, only=Family.EVOLINK),
    "default_quality": _item_of("qualities", Family.EVOLINK),
    "prompt_priorities": _texts(least=0, only=Family.EVOLINK),
    "output_formats": Rule(
        _list_fault(lambda item: item in OUTPUT_FORMATS, least=0),
        ", ".join(OUTPUT_FORMATS),
        "choices",
        {"values": list(OUTPUT_FORMATS)},
    ),
    "max_references": _number(0, _MOST_REFERENCES),
    "max_results": _number(1, _MOST_RESULTS),
    "sends_n": Rule(_when(_is_boolean), _BOOLEAN, "switch", only=Family.EVOLINK),
    "extra": Rule(_object_fault(_is_json), Text("body_fields"), "members"),
    "alpha": Rule(_when(_is_boolean), _BOOLEAN, "switch"),
    "prices": Rule(_find_price_fault, Text("price_texts"), "amounts"),
    "doubted": Rule(_find_doubt_fault, Text("doubts_by_value", fields=", ".join(CHOICES)), "json"),
    "sources": Rule(
        _object_fault(lambda _, value: _is_line(value)), Text("texts_by_name"), "members"
    ),
})  # fmt: skip
"""Every key of an entry, in the order in which they are documented and checked."""
