"""The shape of a sentence in two languages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Message(NamedTuple):
    """What happened and what to do, as ``str.format`` templates."""

    en: str
    zh: str
    hint_en: str = ""
    hint_zh: str = ""


_ENDS = (".", "!", "?", "…", "。", "！", "？")
_QUOTES = "\"'”’」"


def join_sentences(sentences: Iterable[str], language: str) -> str:
    """Join sentences, each with an end: the words of a service may come without one.

    A Chinese full stop needs no space.
    """
    text, stop = "", "。" if language == "zh" else "."
    for sentence in filter(None, sentences):
        if text and not text.rstrip(_QUOTES).endswith(_ENDS):
            text += stop
        has_space = not text or (language == "zh" and text.endswith("。"))
        text += sentence if has_space else f" {sentence}"
    return text
