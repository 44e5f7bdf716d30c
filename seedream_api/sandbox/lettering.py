"""Text on drawn pictures: a font that has the characters, and lines that fit."""

from __future__ import annotations

import functools
import re
from typing import cast

from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont

_PLAIN = (
    "DejaVuSans.ttf", "segoeui.ttf", "Arial.ttf", "Helvetica.ttc",
    "LiberationSans-Regular.ttf", "NotoSans-Regular.ttf",
)  # fmt: skip
_HAN = (
    "NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "NotoSansSC-Regular.otf",
    "SourceHanSansSC-Regular.otf", "wqy-microhei.ttc", "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf", "msyh.ttc", "simhei.ttf", "PingFang.ttc",
    "Hiragino Sans GB.ttc", "STHeiti Light.ttc", "Arial Unicode.ttf",
)  # fmt: skip

_HAN_CHARACTER = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")
_PARTS = re.compile(rf"{_HAN_CHARACTER.pattern}|[^\s\u2e80-\u9fff\uac00-\ud7af\uf900-\uffef]+|\s+")
_LONGEST = 600
"""Characters of a prompt that are looked at at all."""


def font(text: str, size: int) -> Font:
    """A font for ``text``, ``size`` pixels high; a Han one where the text needs and we have it."""
    path = (_found(_HAN) if _HAN_CHARACTER.search(text) else None) or _found(_PLAIN)
    if path:
        return ImageFont.truetype(path, size)
    return cast(Font, ImageFont.load_default(size))  # with a size, FreeType's always


def showable(text: str) -> str:
    """``text`` in one line, as far as a font of this machine can show it."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[:_LONGEST]).split())
    if not _found(_PLAIN) and not _found(_HAN):
        return line.encode("ascii", "replace").decode()
    if not _HAN_CHARACTER.search(line) or _found(_HAN):
        return line
    readable = " ".join(_HAN_CHARACTER.sub(" ", line).split())
    left_out = f"[{len(_HAN_CHARACTER.findall(line))} CJK characters: no font here]"
    return f"{readable} {left_out}".strip()


def fitted(text: str, size: int, width: int, most_lines: int) -> tuple[list[str], Font]:
    """``text`` in at most ``most_lines`` lines of ``width`` pixels, and its font.

    The letters start ``size`` pixels high and shrink to five eighths of it before the end is cut.
    """
    lines: list[str] = []
    chosen = font(text, size)
    for share in (1.0, 0.8, 0.625):
        chosen = font(text, max(int(size * share), 8))
        lines = _wrapped(text, chosen, width)
        if len(lines) <= most_lines:
            return lines, chosen
    last = lines[most_lines - 1]
    while last and text_width(f"{last} ...", chosen) > width:
        last = last[:-1].rstrip()
    return [*lines[: most_lines - 1], f"{last} ..."], chosen


def text_width(text: str, with_font: Font) -> float:
    """Pixels from the first letter's start to the last one's end."""
    return _RULER.textlength(text, font=with_font)


_RULER = ImageDraw.Draw(Image.new("L", (1, 1)))


def _wrapped(text: str, with_font: Font, width: int) -> list[str]:
    lines = [""]
    for part in _PARTS.findall(text):
        if text_width(lines[-1] + part.rstrip(), with_font) > width and lines[-1].strip():
            lines.append("")
        while text_width(part.rstrip(), with_font) > width and len(part) > 1:
            fits = max(int(len(part) * width / text_width(part, with_font)) - 1, 1)
            lines[-1:] = [part[:fits], ""]
            part = part[fits:]
        lines[-1] += part if lines[-1] else part.lstrip()
    return [line.rstrip() for line in lines if line.strip()] or [""]


@functools.lru_cache(maxsize=4)
def _found(names: tuple[str, ...]) -> str | None:
    """The first of ``names`` that this machine has, by the path that Pillow found it under."""
    for name in names:
        try:
            path = ImageFont.truetype(name, 12).path
        except (OSError, ImportError):  # ImportError: a Pillow without FreeType.
            continue
        return path if isinstance(path, str) else name
    return None
