"""Read the rows of a batch from CSV, JSON Lines or lines of prompts, and name every mistake."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from ..config.paths import expand_user
from ..errors import InvalidRequest, SeedreamError
from ..messages import Text, join_texts, rewrite, text_of
from ..service.references import Reference, UrlReference, file_reference
from ..service.request import Request

COLUMNS = (
    "prompt", "model", "size", "quality", "n", "ref", "seed", "prompt_priority", "output_format",
    "watermark", "name",
)  # fmt: skip
_SWITCH = {"true": True, "yes": True, "on": True, "1": True,
           "false": False, "no": False, "off": False, "0": False}  # fmt: skip
_SHOWN = 20
"""Mistakes that the message quotes; the error holds all."""


@dataclass(frozen=True)
class Mistake:
    """One wrong value of a table.

    Args:
        row: from 1, without the header line.
        column: its name; empty if the whole row is wrong.
    """

    row: int
    column: str
    reason: str

    @property
    def text(self) -> Text:
        """The mistake as a sentence part."""
        if not self.column:
            return Text("row_mistake", row=self.row, reason=self.reason)
        return Text("cell_mistake", row=self.row, column=self.column, reason=self.reason)


class BatchInvalid(InvalidRequest):
    """Rows of a batch have mistakes; nothing was sent.

    Args:
        mistakes: all of them, in the order of the rows.
    """

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes: tuple[Mistake, ...] = tuple(mistakes)
        shown = [one.text for one in self.mistakes[:_SHOWN]]
        if len(self.mistakes) > _SHOWN:
            shown.append(Text("more_mistakes", count=len(self.mistakes) - _SHOWN))
        super().__init__(
            "batch_invalid", count=len(self.mistakes), reason=join_texts(shown, "; ", "；")
        )


@dataclass(frozen=True)
class BatchRow:
    """One row: the fields of a request, the files and URLs of its references, and a name."""

    number: int
    fields: Mapping[str, Any]
    refs: tuple[str, ...] = field(default=(), repr=False)
    name: str = ""

    def build_request(self, folder: Path) -> Request:
        """Build the request; opens the reference files, so call it in a thread.

        Args:
            folder: what relative paths of references are relative to.

        Raises:
            InvalidRequest: a value has the wrong type, or a reference cannot be read.
        """
        references = tuple(
            _parse_reference(text, folder, position)
            for position, text in enumerate(self.refs, start=1)
        )
        return Request(**self.fields, references=references)


def _parse_reference(text: str, folder: Path, position: int) -> Reference:
    if text.lower().startswith(("http://", "https://")):
        return UrlReference(text.replace(" ", "%20"))
    return file_reference(folder / expand_user(text), position)


def read_rows(path: Path) -> list[BatchRow]:
    """Read a table: JSON Lines if its name ends so or it begins with a brace, else CSV.

    Raises:
        BatchInvalid: a row has a mistake; all are named.
        InvalidRequest: the file cannot be read.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest("batch_unreadable", path=path, reason=text_of(error)) from None
    is_json = path.suffix.lower() in (".jsonl", ".ndjson") or text.lstrip()[:1] == "{"
    return parse_json_lines(text) if is_json else parse_csv(text)


def parse_csv(text: str, defaults: Mapping[str, Any] | None = None) -> list[BatchRow]:
    """Parse a table with a header line; an empty cell is not given.

    Raises:
        BatchInvalid: a row has a mistake.
    """
    mistakes = list[Mistake]()
    given = list[tuple[int, dict[str, Any]]]()
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
        for number, cells in enumerate(reader, start=1):
            extra = cast("dict[Any, Any]", cells).pop(None, None)
            if extra:
                mistakes.append(Mistake(number, "", Text("too_many_cells")))
            given.append((number, {k.strip(): v for k, v in cells.items() if v and v.strip()}))
    except csv.Error as error:
        mistakes.append(Mistake(len(given) + 1, "", str(error)))
    return _build_rows(given, mistakes, defaults or {})


def parse_json_lines(text: str) -> list[BatchRow]:
    """Parse one JSON object per line; blank lines are skipped.

    Raises:
        BatchInvalid: a row has a mistake.
    """
    mistakes = list[Mistake]()
    given = list[tuple[int, dict[str, Any]]]()
    for number, line in enumerate(filter(str.strip, text.splitlines()), start=1):
        try:
            row: Any = json.loads(line)
        except (ValueError, RecursionError) as error:
            mistakes.append(Mistake(number, "", text_of(error)))
            continue
        if isinstance(row, dict):
            cells = cast("dict[str, Any]", row)
            given.append((number, {k: v for k, v in cells.items() if v is not None}))
        else:
            mistakes.append(Mistake(number, "", Text("not_json_object")))
    return _build_rows(given, mistakes, {})


def parse_prompts(text: str, defaults: Mapping[str, Any]) -> list[BatchRow]:
    """Parse one prompt per line, or CSV whose header line has a column ``prompt``.

    Args:
        defaults: fields of rows that do not have them.

    Raises:
        BatchInvalid: a row has a mistake.
    """
    header = next(csv.reader([text.lstrip().partition("\n")[0]]), list[str]())
    names = [cell.strip() for cell in header]
    if "prompt" in names and set(names) <= set(COLUMNS):
        return parse_csv(text.lstrip(), defaults)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return _build_rows([(n, {"prompt": p}) for n, p in enumerate(lines, start=1)], [], defaults)


def _build_rows(
    given: Iterable[tuple[int, dict[str, Any]]],
    mistakes: list[Mistake],
    defaults: Mapping[str, Any],
) -> list[BatchRow]:
    rows, names = list[BatchRow](), dict[str, int]()
    for number, cells in given:
        found = list(_check_cells(number, cells, defaults))
        row = None if found else _build_row(number, {**defaults, **cells})
        if row is not None and row.name and names.setdefault(row.name, number) != number:
            found.append(Mistake(number, "name", Text("name_twice", row=names[row.name])))
        mistakes += found
        if row is not None:
            rows.append(row)
    if mistakes:
        raise BatchInvalid(sorted(mistakes, key=lambda one: one.row))
    if not rows:
        raise InvalidRequest("batch_empty")
    return rows


def _check_cells(
    number: int, cells: Mapping[str, Any], defaults: Mapping[str, Any]
) -> Iterator[Mistake]:
    for column in cells:
        if column not in COLUMNS:
            yield Mistake(number, column, Text("no_such_column", allowed=", ".join(COLUMNS)))
    for column in ("prompt", "model"):
        if column not in cells and column not in defaults:
            yield Mistake(number, column, Text("missing"))
    for column, (convert, allowed) in _CONVERSIONS.items():
        if column in cells:
            try:
                convert(cells[column])
            except (ValueError, KeyError, TypeError):
                yield Mistake(
                    number,
                    column,
                    Text("cell_not_allowed", given=cells[column], allowed=allowed),
                )


def _build_row(number: int, cells: Mapping[str, Any]) -> BatchRow:
    values = {
        column: _CONVERSIONS[column][0](value) if column in _CONVERSIONS else value
        for column, value in cells.items()
    }
    refs, name = values.pop("ref", ()), values.pop("name", "")
    return BatchRow(number, values, refs, name)


def _to_int(value: Any) -> int:
    if isinstance(value, (bool, float)):
        raise TypeError(value)
    return int(value)


def _to_switch(value: Any) -> bool:
    return value if isinstance(value, bool) else _SWITCH[str(value).strip().lower()]


def _to_refs(value: Any) -> tuple[str, ...]:
    parts = cast("list[Any]", value) if isinstance(value, list) else _to_text(value).split("|")
    texts = [_to_text(part).strip() for part in parts]
    return tuple(filter(None, texts))


def _to_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


_TEXT = (_to_text, Text("a_text"))
_CONVERSIONS: Mapping[str, tuple[Callable[[Any], Any], str]] = {
    **dict.fromkeys(("prompt", "model", "size", "quality", "prompt_priority"), _TEXT),
    **dict.fromkeys(("output_format", "name"), _TEXT),
    "n": (_to_int, Text("whole_number")),
    "seed": (_to_int, Text("whole_number")),
    "watermark": (_to_switch, Text("true_or_false")),
    "ref": (_to_refs, Text("files_or_urls")),
}
"""How each column is converted, and what it takes."""


def check_rows(rows: Iterable[BatchRow], folder: Path, check: Callable[[Request], None]) -> None:
    """Build and check the request of every row; opens files, so call it in a thread.

    Args:
        check: raises an :class:`InvalidRequest` for a request that may not be sent.

    Raises:
        BatchInvalid: a row has a mistake.
    """
    mistakes = list[Mistake]()
    for row in rows:
        try:
            check(row.build_request(folder))
        except SeedreamError as error:
            reason = rewrite(error.summary_text, lambda text: text.rstrip(".。"))
            mistakes.append(Mistake(row.number, _find_column(error), reason))
    if mistakes:
        raise BatchInvalid(mistakes)


_KEYS = {"prompt_empty": "prompt", "model_unknown": "model"}


def _find_column(error: SeedreamError) -> str:
    """Find the column that an error of the request is about; empty if it is the row."""
    named = str(error.values.get("field", ""))
    column = _KEYS.get(error.key) or {"image_urls": "ref", "references": "ref"}.get(named, named)
    if error.key.startswith("reference_"):
        column = "ref"
    return column if column in COLUMNS else ""
