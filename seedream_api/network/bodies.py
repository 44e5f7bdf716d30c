"""Read JSON from the raw bytes of a response, even if a gateway has altered them.

Finds JSON between text, events or other JSON, and completes JSON that ends early, so that its
structure stays readable. Nothing here depends on the meaning of the JSON.
"""

from __future__ import annotations

import ast
import codecs
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from .compression import decompress

LARGE_BYTES = 256 * 1024
"""In larger bodies, long strings are taken out before the JSON is parsed."""
LONG_STRING_BYTES = 32 * 1024
_MAX_STARTS = 64
_MAX_CUTS = 24
_MAX_PARTS = 100_000
_MAX_QUOTES = 200_000

_PART = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s"{}\[\],:]+', re.DOTALL)
_START = re.compile(r"[{\[]")
_ESCAPE = re.compile(r'\\(["\\/bfnrt]|u[0-9a-fA-F]{4})|\\')
_LITERALS = {"True": "true", "False": "false", "None": "null", "undefined": "null"}
_MARK = "\ue000"


@dataclass(frozen=True)
class Body:
    """The content of a body.

    Args:
        values: the JSON values in it, in order; empty if there is none.
        text: the body as text, without long strings.
        is_whole: whether every value was complete.
        blobs: long strings by their placeholder in ``values``.
    """

    values: tuple[Any, ...] = ()
    text: str = ""
    is_whole: bool = True
    blobs: Mapping[str, memoryview] = field(default_factory=dict[str, memoryview], repr=False)


def read_body(body: bytes, headers: Mapping[str, str] | None = None) -> Body:
    """Find every JSON value in ``body``. Never raises."""
    plain = decompress(body, headers)
    skeleton, blobs = _lift_long_strings(plain)
    text = decode_text(skeleton)
    values, is_whole = _find_values(text)
    return Body(tuple(values), text, is_whole, blobs)


def read_json(body: bytes, headers: Mapping[str, str] | None = None) -> Any:
    """Read the one JSON value of ``body``.

    Raises:
        ValueError: it contains none, or none that is complete.
    """
    text = decode_text(decompress(body, headers))
    try:
        return json.loads(text, strict=False)
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None
    except ValueError as error:
        values, is_whole = _find_values(text)
        if not values or not is_whole:
            raise ValueError(str(error)) from None
    return values[0]


# --- long strings ---------------------------------------------------------------------------------


def _lift_long_strings(plain: bytes) -> tuple[bytes, dict[str, memoryview]]:
    """Replace long strings by placeholders: parsing them as JSON would take seconds."""
    blobs: dict[str, memoryview] = {}
    if len(plain) < LARGE_BYTES or b"\x00" in plain[:4]:
        return plain, blobs
    view, parts, kept = memoryview(plain), list[bytes](), 0
    end, opening = len(plain), plain.find(b'"')
    for _ in range(_MAX_QUOTES):
        if opening < 0:
            break
        closing = _find_closing_quote(plain, opening + 1)
        if closing < 0:
            end = opening + 1  # cut off: no part of it can be used
            break
        is_json = plain[opening + 1 : opening + 2] in (b"{", b"[")
        if closing - opening > LONG_STRING_BYTES and not is_json:
            mark = f"{_MARK}{len(blobs)}{_MARK}"
            blobs[mark] = view[opening + 1 : closing]
            parts += [plain[kept : opening + 1], mark.encode()]
            kept = closing
        opening = plain.find(b'"', closing + 1)
    parts.append(plain[kept:end])
    return b"".join(parts), blobs


def _find_closing_quote(plain: bytes, start: int) -> int:
    """Find the end of the string that starts at ``start``, or -1."""
    at = plain.find(b'"', start)
    while at > 0:
        before = at
        while before > start and plain[before - 1] == 0x5C:
            before -= 1
        if (at - before) % 2 == 0:
            return at
        at = plain.find(b'"', at + 1)
    return -1


# --- text -----------------------------------------------------------------------------------------


def decode_text(plain: bytes) -> str:
    """Decode by byte order mark, else as UTF-8, else as GB 18030 (from old Chinese gateways)."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if plain.startswith(mark):
            return plain[len(mark) :].decode(encoding, "replace")
    encodings = ["utf-8", "gb18030"]
    if plain[1:2] == b"\x00":
        encodings.insert(0, "utf-16-le")
    elif plain[:1] == b"\x00":
        encodings.insert(0, "utf-16-be")
    for encoding in encodings:
        try:
            # Incremental: drops a character that is cut off at the end.
            return codecs.getincrementaldecoder(encoding)().decode(plain).replace("\x00", "")
        except UnicodeDecodeError:
            continue
    return plain.decode("utf-8", "replace").replace("\x00", "")


# --- JSON -----------------------------------------------------------------------------------------

_DECODER = json.JSONDecoder(strict=False)


def _find_values(text: str) -> tuple[list[Any], bool]:
    """Find every JSON object and list in ``text``, and whether all of them were complete."""
    try:
        return [_DECODER.decode(text.strip())], True
    except (ValueError, RecursionError):
        pass
    values: list[Any] = []
    at, is_whole = 0, True
    for _ in range(_MAX_STARTS):
        start = _START.search(text, at)
        if start is None:
            break
        found = _read_at(text, start.start())
        if found is None:
            at = start.end()
            continue
        value, at, was_whole = found
        values.append(value)
        is_whole = is_whole and was_whole
    return values, is_whole


def _read_at(text: str, start: int) -> tuple[Any, int, bool] | None:
    try:
        value, end = _DECODER.raw_decode(text, start)
    except RecursionError:
        return None
    except ValueError:
        return _repair(text, start)
    return value, end, True


_CLOSERS = {"{": "}", "[": "]"}


def _repair(text: str, start: int) -> tuple[Any, int, bool] | None:
    """Parse JSON from ``start`` that has small faults or ends early."""
    out, stack = list[str](), list[str]()
    cuts: list[tuple[int, str]] = []  # where it can be cut, and the brackets that close it then
    for part, end in _split_parts(text, start):
        if part in ("}", "]") and not _close(part, out, stack):
            return None
        if part == "," or part[0] == '"':
            cuts.append((len(out) + (part != ","), "".join(reversed(stack))))
        if part in _CLOSERS:
            stack.append(_CLOSERS[part])
        out.append(part)
        if part in ("{", "}", "[", "]"):
            cuts.append((len(out), "".join(reversed(stack))))
        if not stack:
            value = _parse("".join(out)) or _parse_literal(text[start:end])
            return None if value is None else (value, end, True)
    for length, closers in reversed(cuts[-_MAX_CUTS:]):
        value = _parse("".join(out[:length]) + closers)
        if value is not None:
            return value, len(text), False
    return None


def _close(bracket: str, out: list[str], stack: list[str]) -> bool:
    """Close the innermost bracket; false if another one is open."""
    if not stack or stack.pop() != bracket:
        return False
    if out[-1] == ",":  # trailing comma
        out.pop()
    return True


def _split_parts(text: str, start: int) -> Iterator[tuple[str, int]]:
    """Split JSON into tokens and their ends, up to a string without an end."""
    at = start
    for match in islice(_PART.finditer(text, start), _MAX_PARTS):
        part = match.group()
        if '"' in text[at : match.start()]:
            return
        at = match.end()
        if part[0] == '"':
            part = _ESCAPE.sub(lambda escape: escape[0] if escape[1] else "", part)
        yield _LITERALS.get(part, part), match.end()


def _parse(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None


def _parse_literal(text: str) -> Any:
    """Parse a Python literal that was sent instead of JSON."""
    try:
        return ast.literal_eval(text) if len(text) < LARGE_BYTES else None
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
