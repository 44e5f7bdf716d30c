"""The size of an image in pixels, by tier and aspect ratio."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

PIXELS: Mapping[str, Mapping[str, tuple[int, int]]] = MappingProxyType({
    "1K": MappingProxyType({
        "1:1": (1024, 1024), "2:3": (832, 1248), "3:2": (1248, 832), "3:4": (864, 1152),
        "4:3": (1152, 864), "4:5": (896, 1120), "5:4": (1120, 896), "9:16": (720, 1280),
        "16:9": (1280, 720), "21:9": (1512, 648), "9:21": (648, 1512),
    }),
    "2K": MappingProxyType({
        "1:1": (2048, 2048), "2:3": (1664, 2496), "3:2": (2496, 1664), "3:4": (1728, 2304),
        "4:3": (2304, 1728), "4:5": (1792, 2240), "5:4": (2240, 1792), "9:16": (1600, 2848),
        "16:9": (2848, 1600), "21:9": (3136, 1344), "9:21": (1344, 3136),
    }),
    "3K": MappingProxyType({
        "1:1": (3072, 3072), "2:3": (2496, 3744), "3:2": (3744, 2496), "3:4": (2592, 3456),
        "4:3": (3456, 2592), "4:5": (2688, 3360), "5:4": (3360, 2688), "9:16": (2304, 4096),
        "16:9": (4096, 2304), "21:9": (4704, 2016), "9:21": (2016, 4704),
    }),
    "4K": MappingProxyType({
        "1:1": (4096, 4096), "2:3": (3328, 4992), "3:2": (4992, 3328), "3:4": (3520, 4704),
        "4:3": (4704, 3520), "4:5": (3584, 4480), "5:4": (4480, 3584), "9:16": (3040, 5504),
        "16:9": (5504, 3040), "21:9": (6240, 2656), "9:21": (2656, 6240),
    }),
})  # fmt: skip
"""Width and height in pixels by tier and ratio (Evolink's tables). Results may differ by a little:
older tables name other sizes, so nothing may rely on an exact size of a result."""

_STEP = 16
_RATIO = re.compile(r"([1-9]\d?):([1-9]\d?)")
_PIXELS = re.compile(r"(\d{2,5})x(\d{2,5})")
_TIER = re.compile(r"(\d{1,2}(?:\.\d{1,2})?)K")


def compute_pixels(tier: str, ratio: str) -> tuple[int, int]:
    """Return width and height for a tier (``2K``, ``1.5K``) or for pixels (``2048x1152``).

    A tier without a table is scaled from 2K; a word that is neither counts as 2K.
    """
    if ratio in PIXELS.get(tier, ()):
        return PIXELS[tier][ratio]
    if given := _PIXELS.fullmatch(tier):
        return int(given[1]), int(given[2])
    named = _TIER.fullmatch(tier)
    scale = float(named[1]) / 2 if named else 1.0
    wide, high = PIXELS["2K"].get(ratio) or _of_other_ratio(ratio)
    return round(wide * scale / _STEP) * _STEP, round(high * scale / _STEP) * _STEP


def _of_other_ratio(ratio: str) -> tuple[float, float]:
    """Scale a ratio without a table to the area of 2K; a word that is not a ratio is a square."""
    named = _RATIO.fullmatch(ratio)
    side = PIXELS["2K"]["1:1"][0]
    stretch = (int(named[1]) / int(named[2])) ** 0.5 if named else 1.0
    return side * stretch, side / stretch
