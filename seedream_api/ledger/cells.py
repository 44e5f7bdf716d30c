"""Parse single cells of the ledger, so that a malformed cell affects its row alone.

Another version, another program or a failing disk may have written anything that SQLite accepts;
only a file that SQLite calls damaged is quarantined.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from ..errors import Charge, LedgerFailed, SeedreamError, from_record
from ..messages import Text, bilingual
from .costs import from_units
from .states import State

T = TypeVar("T")
D = TypeVar("D")

_UNREADABLE = (
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RecursionError,
)
_NEVER_CHARGED = (State.INTENDED, State.REFUSED, State.FAILED, State.WITHDRAWN)
SHA256 = re.compile(r"[0-9a-f]{64}")
_OWNER = re.compile(r"[\w-]{1,64}", re.ASCII)
_LATEST_S = 250_000_000_000.0
"""The latest moment that a calendar can show."""


class Row(Protocol):
    """A row that a statement found, by column names."""

    def keys(self) -> Iterable[str]: ...
    def __getitem__(self, name: str, /) -> Any: ...


class Cells:
    """Parses the cells of one row and collects the names of malformed ones."""

    def __init__(self, found: Row) -> None:
        self._found = found
        self.problems: list[str] = []
        """The columns that could not be parsed."""

    def read(self, name: str, parse: Callable[[Any], T], default: D) -> T | D:
        """Parse a cell; ``default`` where it is empty or malformed."""
        value = self._found[name]
        if value is None:
            return default
        try:
            return parse(value)
        except _UNREADABLE:
            self.problems.append(name)
            return default

    def read_state(self) -> State:
        """Parse the state; an unknown one, of a newer version, counts as possibly charged."""
        return self.read("state", State, None) or State.UNKNOWN

    def build_error(self, entry: int, state: State) -> LedgerFailed:
        """Build the error that names the malformed columns."""
        charge = Charge.NONE if state in _NEVER_CHARGED else Charge.POSSIBLE
        reason = ", ".join(self.problems)
        return LedgerFailed("entry_unreadable", charge=charge, entry=entry, reason=reason)


def text_or_bytes(data: bytes) -> str | bytes:
    """Decode a text cell; one that is not UTF-8 stays bytes, which every parser refuses."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def to_storable(text: str | None) -> str | None:
    """Replace lone surrogates, which a service may send and SQLite does not store, by "?"."""
    return text.encode("utf-8", "replace").decode() if text else text


# Each of the following parsers raises one of _UNREADABLE for a value that no version writes.


def to_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def to_owner(value: Any) -> str:
    if not _OWNER.fullmatch(value):
        raise ValueError
    return str(value)


def to_moment(value: Any) -> float:
    """Parse wall-clock seconds."""
    if not isinstance(value, (int, float)):
        raise TypeError
    if not 0 <= value < _LATEST_S:
        raise ValueError
    return value


def to_count(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError
    if not 0 <= value < 2**40:
        raise ValueError
    return value


def to_amount(value: Any) -> Decimal:
    """Parse an amount of money."""
    if not isinstance(value, int):
        raise TypeError
    if not 0 <= value < 2**63:
        raise ValueError
    return from_units(value)


def to_fields(value: Any) -> dict[str, Any]:
    fields = json.loads(to_text(value))
    if not isinstance(fields, dict):
        raise TypeError
    return cast("dict[str, Any]", fields)


def to_texts(value: Any) -> tuple[str, ...]:
    texts = json.loads(to_text(value))
    if not isinstance(texts, list):
        raise TypeError
    return tuple(to_text(text) for text in cast("list[Any]", texts))


def to_error(value: Any) -> SeedreamError:
    return from_record(json.loads(to_text(value)))


def file_in(home: Path, name: object) -> Path | None:
    """Get the path of a stored file; ``None`` for no name, or one that the store never uses."""
    if not isinstance(name, str) or "\0" in name:
        return None
    parts = name.split("/")
    is_stored = parts[0] == "images" and len(parts) > 1 and not {"", ".", ".."} & set(parts)
    return home / name if is_stored and "\\" not in name else None


def dump_texts(texts: Iterable[str]) -> str:
    """Write notes as JSON, each as a string: the English, and the Chinese of a text below it."""
    return json.dumps([f"{t}\n{t.zh}" if isinstance(t, Text) else t for t in texts])


def to_notes(value: Any) -> tuple[str, ...]:
    """Read what :func:`dump_texts` wrote; notes of version 0.1 are English alone."""
    notes = (text.partition("\n") for text in to_texts(value))
    return tuple(bilingual(en, zh) if zh else en for en, _, zh in notes)
