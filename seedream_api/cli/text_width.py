"""The width of texts on a terminal: a Chinese character takes two columns."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_CLOSING = "，。；：、！？）」』”’》)]"
"""Punctuation that must not begin a line."""
_OPENING = "（「『“‘《(["
"""Punctuation that must not end a line."""
_OPEN, _CLOSE = f"[{re.escape(_OPENING)}]*", f"[{re.escape(_CLOSING)}]*"
_WORD = rf"(?:[^\s{re.escape(_OPENING)}\u2e80-\uffef]+|[\u2e80-\uffef])"
_COMMAND_INDENT = 4 * " "
_PIECES = re.compile(rf"\s+|{_OPEN}{_WORD}{_CLOSE}|[{re.escape(_OPENING)}]+")


def measure(text: str) -> int:
    """Count the columns that a text takes."""
    return sum(_count_columns(letter) for letter in text)


def _count_columns(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Cf", "Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def cut(text: str, width: int) -> str:
    """Shorten a text to ``width`` columns; an ellipsis marks what is missing."""
    if measure(text) <= width:
        return text
    kept, used = "", 0
    for letter in text:
        used += _count_columns(letter)
        if used > width - 1:
            break
        kept += letter
    return f"{kept.rstrip()}…" if width > 0 else ""


def pad(text: str, width: int) -> str:
    """Fill a text up to ``width`` columns, or shorten it."""
    shown = cut(text, width)
    return shown + " " * (width - measure(shown))


def wrap(text: str, width: int) -> list[str]:
    """Break a text into lines of at most ``width`` columns.

    Lines break between words, and between Chinese characters. A longer word has its own line.
    """
    pieces = _PIECES.findall(text.strip())
    return _join(pieces, width, "") if pieces else []


def fold(line: str, width: int, *, hanging: int = 2) -> list[str]:
    """Break a line that is wider than ``width`` columns, as :func:`wrap` does.

    A line that begins with four blanks is a command to copy, and stays whole.

    Args:
        hanging: how much further than the first line the others are indented.
    """
    if measure(line) <= width or line.startswith(_COMMAND_INDENT):
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    return _join([indent, *_PIECES.findall(line.strip())], width, " " * hanging + indent)


def _join(pieces: Sequence[str], width: int, indent: str) -> list[str]:
    """Join words and blanks to lines; all but the first begin with ``indent``."""
    lines, line = list[str](), ""
    for piece in pieces:
        if line.strip() and measure(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = indent
        if line.strip() or not lines or not piece.isspace():
            line += piece
    return [*lines, line.rstrip()]
