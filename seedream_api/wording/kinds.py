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


def joined(sentences: Iterable[str], language: str) -> str:
    """Sentences in a row. A Chinese full stop brings its own space; what a service said may end
    without one."""
    text = ""
    for sentence in filter(None, sentences):
        has_space = not text or (language == "zh" and text.endswith("。"))
        text += sentence if has_space else f" {sentence}"
    return text
