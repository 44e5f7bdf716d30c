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

from .kinds import joined
from .money import MONEY
from .notes import NOTES, PHASES
from .reasons import REASONS
from .sentences import WORDING
from .terminal import CHECKS, HELP, LINES

PHRASES: Mapping[str, str] = {**REASONS, **NOTES, **CHECKS, **LINES, **HELP}
"""English to Chinese; ``{name}`` stands for any text, which is looked up in its turn."""


_LONGEST = 2000
_DEEPEST = 6
"""Bounds of what is looked at: a text may hold whatever a service or a host said."""


def chinese(text: str) -> str:
    """The Chinese of a phrase, or of an error's message; what is not known stays as it is."""
    return _chinese(text, _DEEPEST)


def _chinese(text: str, depth: int) -> str:
    known = _plain().get(text)
    if known is not None or depth == 0 or len(text) > _LONGEST:
        return text if known is None else known
    for english, money in MONEY.values():
        happened, mark, advice = text.partition(english)
        if mark:
            before, after = (_chinese(part.strip(), depth - 1) for part in (happened, advice))
            return joined((before, money, after), "zh")
    for pattern, template in _patterns():
        found = pattern.fullmatch(text)
        if found:
            values = {name: _chinese(said, depth - 1) for name, said in found.groupdict().items()}
            return template.format(**values)
    head, mark, rest = text.partition(": ")
    translated = _chinese(rest, depth - 1) if mark else rest
    return text if translated == rest else f"{_chinese(head, depth - 1)}：{translated}"


def _parts(template: str) -> list[tuple[str, str | None]]:
    """A template as its own words, each with the name of the value that follows, if any."""
    return [(words, name) for words, name, _, _ in string.Formatter().parse(template)]


def _sentences() -> dict[str, str]:
    """The errors' own, which end in reports as texts; those that quote a value are left out."""
    found: dict[str, str] = {}
    for wording in WORDING.values():
        found |= {wording.en: wording.zh, wording.advice_en: wording.advice_zh}
    own_words = re.compile(r"[a-z]{3}")
    return {
        en: zh
        for en, zh in found.items()
        if "!r}" not in en and own_words.search("".join(words for words, _ in _parts(en)))
    }


@lru_cache(maxsize=1)
def _plain() -> dict[str, str]:
    """The phrases without places for values."""
    return {
        en.format(): zh.format()
        for en, zh in {**_sentences(), **PHRASES}.items()
        if all(name is None for _, name in _parts(en))
    }


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """The others; those with the most words of their own come first."""
    found: list[tuple[int, re.Pattern[str], str]] = []
    for en, zh in {**_sentences(), **PHRASES}.items():
        parts = _parts(en)
        if any(name is not None for _, name in parts):
            length = sum(len(words) for words, _ in parts)
            found.append((length, _pattern(parts), zh))
    return [(pattern, zh) for _, pattern, zh in sorted(found, key=lambda one: -one[0])]


def _pattern(parts: list[tuple[str, str | None]]) -> re.Pattern[str]:
    pieces: list[str] = []
    known: set[str] = set()
    for words, name in parts:
        pieces.append(re.escape(words))
        if name:  # a value that is named again has to be the same again
            value = r"\d+" if name == "number" else ".*?"
            pieces.append(f"(?P={name})" if name in known else f"(?P<{name}>{value})")
            known.add(name)
    return re.compile("".join(pieces), re.DOTALL)


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
