"""The shape of a sentence in two languages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Wording(NamedTuple):
    """What happened and what to do, as ``str.format`` templates."""

    en: str
    zh: str
    advice_en: str = ""
    advice_zh: str = ""


_ENDS = (".", "!", "?", "…", "。", "！", "？")
_QUOTES = "\"'”’」"


def joined(sentences: Iterable[str], language: str) -> str:
    """Sentences in a row, each with an end: what a service said may come without one.

    A Chinese full stop brings its own space.
    """
    text, stop = "", "。" if language == "zh" else "."
    for sentence in filter(None, sentences):
        if text and not text.rstrip(_QUOTES).endswith(_ENDS):
            text += stop
        has_space = not text or (language == "zh" and text.endswith("。"))
        text += sentence if has_space else f" {sentence}"
    return text
