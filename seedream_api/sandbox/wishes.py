"""What the words of a prompt ask for: how many images, and which shape.

In the real service the model reads the prompt: ``n`` is only an upper limit (Evolink), and the
Preferential family has no field for the shape (Ark, method 1). A few regular expressions stand in.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from ..catalog import MAX_RESULTS

_WORDS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen",
)  # fmt: skip
_HAN_DIGITS = {digit: value for value, digit in enumerate("一二三四五六七八九", 1)} | {"两": 2}

# Not the 9 of 16:9, the 2 of f/2, the 48 of 2048 or the 4 of 4K.
_NUMBER = rf"(?<![\w:：.,/×-])(\d{{1,2}}|{'|'.join(_WORDS)})"
_HAN_NUMBER = r"(?<![\d:：.第])(\d{1,2}|[一二两三四五六七八九十]{1,3})\s*"
# At most three describing words, none of which is a unit or starts another thought.
_BETWEEN = (
    r"(?:(?!(?:in|on|of|with|and|or|for|from|at|by|to|the|an?|k|x|d|mm|cm|px|mp|bit)\b)"
    r"[a-z][\w'-]*\s+){0,3}"
)
_PICTURES = (
    r"(?:images|pictures|photos|photographs|pics|illustrations|drawings|renders|renderings"
    r"|variations|variants|versions|shots|posters|wallpapers|storyboards)\b"
)
_GROUP = r"\b(?:group|series|set|collection|sequence|batch)\s+of\s+"
_SEVERAL = r"\b(?:several|multiple|many|various|a\s+few)\s+"

_COUNTS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_NUMBER}\s+{_BETWEEN}{_PICTURES}",
        rf"{_NUMBER}\s+(?:different|distinct|separate|individual|unique)\b",
        rf"{_GROUP}{_NUMBER}\b",
        # 张 also counts tables, beds, sheets, faces, tickets.
        rf"{_HAN_NUMBER}[张幅](?!桌|椅|床|纸|脸|嘴|沙发|凳|票|弓|网)",
        rf"{_HAN_NUMBER}[个种款]\s*不同",
    )
)
_UNCOUNTED = re.compile(
    rf"(?:{_GROUP}|{_SEVERAL}){_BETWEEN}{_PICTURES}|组图|系列图|[多几][张幅]|若干[张幅]",
    re.IGNORECASE,
)
_RATIO = re.compile(r"(?<![\d:：.])(\d{1,2})\s*[:：比]\s*(\d{1,2})(?![\d:：])")


def images_asked(prompt: str) -> int:
    """How many images a prompt asks for: 1 unless it says otherwise, `MAX_RESULTS` for "several".

    "4K" and "16:9" are no counts, and neither are "four cats": those fit into one image.
    """
    counts = [_value(found.group(1)) for pattern in _COUNTS for found in pattern.finditer(prompt)]
    if not counts and _UNCOUNTED.search(prompt):
        return MAX_RESULTS.value
    return max([1, *counts])


def ratio_asked(prompt: str, known: Collection[str], default: str = "1:1") -> str:
    """The first of the ``known`` ratios that the prompt names, in any wording; else ``default``."""
    for found in _RATIO.finditer(prompt):
        ratio = f"{int(found.group(1))}:{int(found.group(2))}"
        if ratio in known:
            return ratio
    return default


def _value(number: str) -> int:
    if number.isascii() and number.isdigit():
        return int(number)
    if number.lower() in _WORDS:
        return _WORDS.index(number.lower()) + 1
    tens, ten, ones = number.rpartition("十")
    if not ten:
        return _HAN_DIGITS.get(number[-1], 1)
    return 10 * _HAN_DIGITS.get(tens[-1:], 1) + _HAN_DIGITS.get(ones[:1], 0)
