"""One image that shows many: a grid of thumbnails with their numbers and names."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from ..errors import LedgerFailed, ResultUnavailable
from ..messages import text_of
from .decode import decode
from .thumbnails import scaled_down

_WIDEST = 4096
"""Pixels of the sheet's width at most; thumbnails of a long batch are smaller."""
_SIDE, _SMALLEST = 320, 96
_GAP, _CAPTION = 8, 20
_LETTER = 6
"""Pixels of a letter of Pillow's own font, which has ASCII only without FreeType."""
_BACK, _EMPTY, _INK = (24, 24, 24), (56, 40, 40), (230, 230, 230)


@dataclass(frozen=True)
class SheetCell:
    """One cell of a sheet.

    Args:
        caption: shown below the thumbnail.
        path: the image; ``None`` leaves the cell empty, as for a request that failed.
    """

    caption: str
    path: Path | None


def build_contact_sheet(cells: Sequence[SheetCell]) -> Image.Image:
    """Draw the cells in rows; one image is decoded at a time.

    Slow for many images: call it in a thread.
    """
    columns = max(1, math.ceil(math.sqrt(len(cells))))
    side = max(_SMALLEST, min(_SIDE, _WIDEST // columns - _GAP))
    rows = max(1, math.ceil(len(cells) / columns))
    size = (columns * (side + _GAP) + _GAP, rows * (side + _CAPTION + _GAP) + _GAP)
    sheet = Image.new("RGB", size, _BACK)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default()
    for number, cell in enumerate(cells):
        x = _GAP + number % columns * (side + _GAP)
        y = _GAP + number // columns * (side + _CAPTION + _GAP)
        _draw_thumbnail(sheet, cell.path, (x, y), side)
        caption = cell.caption.encode("ascii", "replace").decode()
        draw.text((x, y + side + 3), caption[: side // _LETTER], _INK, font)
    return sheet


def _draw_thumbnail(sheet: Image.Image, path: Path | None, at: tuple[int, int], side: int) -> None:
    shown = None
    if path is not None:
        with contextlib.suppress(ResultUnavailable):
            shown = scaled_down(decode(path, name=path.name).pixels, side)
    if shown is None:
        sheet.paste(_EMPTY, (*at, at[0] + side, at[1] + side))
    else:
        x, y = at[0] + (side - shown.width) // 2, at[1] + (side - shown.height) // 2
        sheet.paste(shown, (x, y))


def save_contact_sheet(cells: Sequence[SheetCell], path: Path) -> None:
    """Draw a sheet and save it as PNG.

    Raises:
        LedgerFailed: the file cannot be written.
    """
    try:
        build_contact_sheet(cells).save(path, "PNG")
    except OSError as error:
        raise LedgerFailed("out_unwritable", path=path, reason=text_of(error)) from None
