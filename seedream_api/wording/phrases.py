"""Finds the Chinese of an English phrase: clauses inside errors, notes, checks, lines, help.

Errors have a key, for programs tell them apart. Phrases need none: they are only read. The code
says them in English, where they arise; that English is kept in the record and in ``--json``; and
by it the Chinese is found here, so that a phrase can pass through any number of hands as a text.
"""

from __future__ import annotations

import locale
import os
import re
import string
from collections.abc import Mapping
from functools import lru_cache

from .notes import NOTES, PHASES
from .reasons import REASONS
from .terminal import CHECKS, HELP, LINES

PHRASES: Mapping[str, str] = {**REASONS, **NOTES, **CHECKS, **LINES, **HELP}
"""English to Chinese; ``{name}`` stands for any text, which is looked up in its turn."""


def chinese(text: str) -> str:
    """The Chinese of a phrase, or of what stands after its colon; else the text as it is."""
    known = _plain().get(text)
    if known is not None:
        return known
    for pattern, template in _patterns():
        found = pattern.fullmatch(text)
        if found:
            return template.format(**{k: chinese(v) for k, v in found.groupdict().items()})
    said, mark, rest = text.partition(": ")
    translated = chinese(rest) if mark else rest
    return text if translated == rest else f"{said}：{translated}"


def _parts(template: str) -> list[tuple[str, str | None]]:
    """A template as its own words, each with the name of the value that follows, if any."""
    return [(words, name) for words, name, _, _ in string.Formatter().parse(template)]


@lru_cache(maxsize=1)
def _plain() -> dict[str, str]:
    """The phrases without places for values."""
    return {
        en.format(): zh.format()
        for en, zh in PHRASES.items()
        if all(name is None for _, name in _parts(en))
    }


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """The others; those with the most words of their own come first."""
    found: list[tuple[int, re.Pattern[str], str]] = []
    for en, zh in PHRASES.items():
        parts = _parts(en)
        if any(name is not None for _, name in parts):
            pattern = "".join(
                re.escape(words) + (f"(?P<{name}>.+?)" if name else "") for words, name in parts
            )
            length = sum(len(words) for words, _ in parts)
            found.append((length, re.compile(pattern, re.DOTALL), zh))
    return [(pattern, zh) for _, pattern, zh in sorted(found, key=lambda one: -one[0])]


def language() -> str:
    """``zh`` where this process's locale is Chinese, else ``en``: what a terminal shows."""
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    chosen = next((name for name in names if name), None) or locale.getlocale()[0] or ""
    # Windows spells it out: "Chinese (Simplified)_China".
    return "zh" if chosen.lower().startswith(("zh", "chinese")) else "en"


def spoken(text: str) -> str:
    """An English phrase in the terminal's language."""
    return chinese(text) if language() == "zh" else text


__all__ = ["PHASES", "PHRASES", "chinese", "language", "spoken"]
