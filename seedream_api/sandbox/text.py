"""Text on result images: a font that has the characters, and lines that fit."""

from __future__ import annotations

import functools
import re
from typing import cast

from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont

_LATIN_FONTS = (
    "DejaVuSans.ttf", "segoeui.ttf", "Arial.ttf", "Helvetica.ttc",
    "LiberationSans-Regular.ttf", "NotoSans-Regular.ttf",
)  # fmt: skip
_CJK_FONTS = (
    "NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "NotoSansSC-Regular.otf",
    "SourceHanSansSC-Regular.otf", "wqy-microhei.ttc", "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf", "msyh.ttc", "simhei.ttf", "PingFang.ttc",
    "Hiragino Sans GB.ttc", "STHeiti Light.ttc", "Arial Unicode.ttf",
)  # fmt: skip

_CJK = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")
_PARTS = re.compile(rf"{_CJK.pattern}|[^\s\u2e80-\u9fff\uac00-\ud7af\uf900-\uffef]+|\s+")
_MAX_LENGTH = 600
"""Characters of a prompt that are considered."""
_RULER = ImageDraw.Draw(Image.new("L", (1, 1)))


def load_font(text: str, size: int) -> Font:
    """Load a font for ``text``, ``size`` pixels high: a CJK one if needed and installed."""
    path = (_find_font(_CJK_FONTS) if _CJK.search(text) else None) or _find_font(_LATIN_FONTS)
    if path:
        return ImageFont.truetype(path, size)
    return cast(Font, ImageFont.load_default(size))  # With a size, it is always FreeType's.


def to_displayable(text: str) -> str:
    """Return ``text`` in one line, without the characters that no installed font has."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[:_MAX_LENGTH]).split())
    if not _find_font(_LATIN_FONTS) and not _find_font(_CJK_FONTS):
        return line.encode("ascii", "replace").decode()
    if not _CJK.search(line) or _find_font(_CJK_FONTS):
        return line
    readable = " ".join(_CJK.sub(" ", line).split())
    return f"{readable} [{len(_CJK.findall(line))} CJK characters: no font here]".strip()


def fit_text(text: str, size: int, width: int, max_lines: int) -> tuple[list[str], Font]:
    """Break ``text`` into at most ``max_lines`` lines of ``width`` pixels; return its font too.

    Letters start ``size`` pixels high and shrink to five eighths of it before the end is cut.
    """
    lines, font = [""], load_font(text, size)
    for share in (1.0, 0.8, 0.625):
        font = load_font(text, max(int(size * share), 8))
        lines = _wrap(text, font, width)
        if len(lines) <= max_lines:
            return lines, font
    last = lines[max_lines - 1]
    while last and measure(f"{last} ...", font) > width:
        last = last[:-1].rstrip()
    return [*lines[: max_lines - 1], f"{last} ..."], font


def measure(text: str, font: Font) -> float:
    """Return the width of ``text`` in pixels."""
    return _RULER.textlength(text, font=font)


def _wrap(text: str, font: Font, width: int) -> list[str]:
    lines = [""]
    for part in _PARTS.findall(text):
        if measure(lines[-1] + part.rstrip(), font) > width and lines[-1].strip():
            lines.append("")
        while measure(part.rstrip(), font) > width and len(part) > 1:
            fits = max(int(len(part) * width / measure(part, font)) - 1, 1)
            lines[-1:] = [part[:fits], ""]
            part = part[fits:]
        lines[-1] += part if lines[-1] else part.lstrip()
    return [line.rstrip() for line in lines if line.strip()] or [""]


@functools.lru_cache(maxsize=4)
def _find_font(names: tuple[str, ...]) -> str | None:
    """Return the path of the first installed font among ``names``."""
    for name in names:
        try:
            path = ImageFont.truetype(name, 12).path
        except (OSError, ImportError):  # ImportError: a Pillow without FreeType.
            continue
        return path if isinstance(path, str) else name
    return None
