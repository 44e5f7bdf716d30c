"""Read from a prompt how many images it asks for.

The model reads the prompt: ``n`` is only an upper limit (Evolink). Here a few regular expressions
do it, for the sandbox and for a note before paying.
"""

from __future__ import annotations

import re

from .known import MAX_RESULTS

_WORDS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen",
)  # fmt: skip
_HAN_DIGITS = {digit: value for value, digit in enumerate("一二三四五六七八九", 1)} | {"两": 2}

# Not the 9 of 16:9, the 2 of f/2, the 48 of 2048 or the 4 of 4K.
_NUMBER = rf"(?<![\w:：.,/×-])(\d{{1,2}}|{'|'.join(_WORDS)})"
_HAN_NUMBER = r"(?<![\d:：.第])(\d{1,2}|[一二两三四五六七八九十]{1,3})\s*"
# At most three adjectives, none of which is a unit or starts another clause.
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


def parse_image_count(prompt: str) -> int:
    """Return how many images a prompt asks for: 1 by default, `MAX_RESULTS` for "several".

    "4K" and "16:9" are not counts, and neither are "four cats": those fit into one image.
    """
    counts = [_to_int(found.group(1)) for pattern in _COUNTS for found in pattern.finditer(prompt)]
    if not counts and _UNCOUNTED.search(prompt):
        return MAX_RESULTS.value
    return max([1, *counts])


def _to_int(number: str) -> int:
    if number.isascii() and number.isdigit():
        return int(number)
    if number.lower() in _WORDS:
        return _WORDS.index(number.lower()) + 1
    tens, ten, ones = number.rpartition("十")
    if not ten:
        return _HAN_DIGITS.get(number[-1], 1)
    return 10 * _HAN_DIGITS.get(tens[-1:], 1) + _HAN_DIGITS.get(ones[:1], 0)
