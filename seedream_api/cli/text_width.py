"""The width of texts on a terminal: a Chinese character takes two columns."""

from __future__ import annotations

import re
import unicodedata

_CLOSING = "，。；：、！？）」』”’》"
"""Punctuation that must not begin a line."""
_PIECES = re.compile(rf"\s+|[\u2e80-\uffef][{_CLOSING}]*|[^\s\u2e80-\uffef]+[{_CLOSING}]*")


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
    lines, line = list[str](), ""
    for piece in _PIECES.findall(text.strip()):
        piece = " " if piece.isspace() else piece
        if line.strip() and measure(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece if line or piece != " " else ""
    return [*lines, line.rstrip()] if line.strip() else lines
