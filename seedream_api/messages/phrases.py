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

from .charges import MONEY
from .errors import WORDING
from .message import joined
from .notes import NOTES
from .reasons import REASONS
from .terminal import CHECKS, HELP, LINES, WRONG_USE

PHRASES: Mapping[str, str] = {**REASONS, **NOTES, **CHECKS, **LINES, **HELP, **WRONG_USE}
"""English to Chinese; ``{name}`` stands for any text, which is looked up in its turn."""

Parts = list[tuple[str, str | None]]
"""A template as its own words, each with the name of the value that follows, if any."""

_LONGEST = 4000
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
    for parts, template in _templates():
        found = _values(text, parts)
        if found is not None:
            values = {name: _chinese(said, depth - 1) for name, said in found.items()}
            return template.format(**values)
    if text.endswith("."):  # the stop that a sentence was given when the next one came
        found = _chinese(text[:-1], depth - 1)
        if found != text[:-1]:
            return found
    head, mark, rest = text.partition(": ")
    translated = _chinese(rest, depth - 1) if mark else rest
    return text if translated == rest else f"{_chinese(head, depth - 1)}：{translated}"


def _parts(template: str) -> Parts:
    return [(words, name) for words, name, _, _ in string.Formatter().parse(template)]


def _sentences() -> dict[str, str]:
    """The errors' own, which end in reports as texts."""
    found: dict[str, str] = {}
    for wording in WORDING.values():
        found |= {wording.en: wording.zh, wording.advice_en: wording.advice_zh}
    return {en: zh for en, zh in found.items() if _can_be_found(en, zh)}


def _can_be_found(en: str, zh: str) -> bool:
    """Whether it has words of its own, quotes no value, and both languages name the same ones."""
    parts = _parts(en)
    has_words = re.search(r"[a-z]{3}", "".join(words for words, _ in parts)) is not None
    names = {name for _, name in parts}
    return has_words and "!r}" not in en and {name for _, name in _parts(zh)} <= names | {None}


@lru_cache(maxsize=1)
def _plain() -> dict[str, str]:
    """The phrases without places for values."""
    return {
        en.format(): zh.format()
        for en, zh in {**_sentences(), **PHRASES}.items()
        if all(name is None for _, name in _parts(en))
    }


@lru_cache(maxsize=1)
def _templates() -> list[tuple[Parts, str]]:
    """The others; those that begin with words, and then those with most of them, come first."""
    every = [(_parts(en), zh) for en, zh in {**_sentences(), **PHRASES}.items()]
    found = [(parts, zh) for parts, zh in every if any(name is not None for _, name in parts)]
    return sorted(
        found, key=lambda one: (not one[0][0][0], -sum(len(words) for words, _ in one[0]))
    )


def _values(text: str, parts: Parts) -> dict[str, str] | None:
    """What stands in the template's places; ``None`` where the text is not of its kind.

    Each value ends where the next words first begin: no way back, so that no text takes long.
    """
    (words, name), *others = parts
    if not text.startswith(words):
        return None
    values: dict[str, str] = {}
    at = len(words)
    for words, following in (*others, ("", None)) if parts[-1][1] else others:
        is_last = following is None
        end = len(text) - len(words) if is_last else text.find(words, at)
        if end < at or not text.startswith(words, end):
            return None
        value = text[at:end]
        assert name is not None, "only the last part has no place after it"  # noqa: S101
        if values.setdefault(name, value) != value or (name == "number" and not value.isdigit()):
            return None
        at, name = end + len(words), following
    return values


def language() -> str:
    """``zh`` where this process's locale is Chinese, else ``en``: what a terminal shows."""
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    chosen = next((name for name in names if name), None) or locale.getlocale()[0] or ""
    # Windows spells it out: "Chinese (Simplified)_China".
    return "zh" if chosen.lower().startswith(("zh", "chinese")) else "en"


def spoken(text: str) -> str:
    """An English phrase in the terminal's language."""
    return chinese(text) if language() == "zh" else text


__all__ = ["PHRASES", "chinese", "language", "spoken"]
