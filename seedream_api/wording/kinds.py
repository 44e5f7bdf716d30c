"""The shape of a sentence in two languages."""

from __future__ import annotations

from typing import NamedTuple


class Wording(NamedTuple):
    """What happened and what to do, as ``str.format`` templates."""

    en: str
    zh: str
    advice_en: str = ""
    advice_zh: str = ""
