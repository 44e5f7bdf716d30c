"""The keys of a model entry, and which values each may have."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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


def _number(low: int, high: int) -> Rule:
    return Rule(
        _when(lambda value: type(value) is int and low <= value <= high),
        Text("whole_number_range", low=low, high=high),
    )


_BOOLEAN = Rule(_when(lambda value: isinstance(value, bool)), Text("json_boolean"))
_TEXT = Rule(_when(is_text), Text("short_text"))
_TEXTS = Text("distinct_texts")

KEYS: Mapping[str, Rule] = MappingProxyType({
    "id": _TEXT,
    "family": Rule(
        _when(lambda value: value in [family.value for family in Family]),
        ", ".join(family.value for family in Family),
    ),
    "like": _TEXT,
    "sizes": Rule(_list_fault(is_text, least=1), _TEXTS),
    "default_size": _TEXT,
    "qualities": Rule(_list_fault(is_text, least=0), _TEXTS),
    "default_quality": _TEXT,
    "prompt_priorities": Rule(_list_fault(is_text, least=0), _TEXTS),
    "output_formats": Rule(
        _list_fault(lambda item: item in OUTPUT_FORMATS, least=0), ", ".join(OUTPUT_FORMATS)
    ),
    "max_references": _number(0, _MOST_REFERENCES),
    "max_results": _number(1, _MOST_RESULTS),
    "sends_n": _BOOLEAN,
    "extra": Rule(_object_fault(_is_json), Text("body_fields")),
    "alpha": _BOOLEAN,
    "prices": Rule(_find_price_fault, Text("price_texts")),
    "doubted": Rule(_find_doubt_fault, Text("doubts_by_value", fields=", ".join(CHOICES))),
    "sources": Rule(_object_fault(lambda _, value: _is_line(value)), Text("texts_by_name")),
})  # fmt: skip
"""Every key of an entry, in the order in which they are documented and checked."""
