"""A contact sheet: one image with the thumbnails, numbers and names of many."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from seedream_api.errors import LedgerFailed
from seedream_api.images.contact_sheet import SheetCell, build_contact_sheet, save_contact_sheet


def cell(folder: Path, color: str, size: tuple[int, int] = (64, 32)) -> SheetCell:
    path = folder / f"{color}.png"
    Image.new("RGB", size, color).save(path)
    return SheetCell(f"1 {color} 猫", path)


def test_sheet_shows_each_image_in_order(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(b"not an image")
    cells = [cell(tmp_path, "red"), cell(tmp_path, "lime"), SheetCell("3", None),
             SheetCell("4", damaged)]  # fmt: skip
    sheet = build_contact_sheet(cells)
    side = (sheet.width - 8) // 2
    centres = [(x + side // 2, y + 160) for y in (8, 8 + 348) for x in (8, 8 + side)]
    colors = [sheet.getpixel(at) for at in centres]
    assert colors[:2] == [(255, 0, 0), (0, 255, 0)]
    assert colors[2] == colors[3] == (56, 40, 40), "what failed stays empty"


@pytest.mark.parametrize("count", [1, 400])
def test_sheet_of_many_images_is_bounded(tmp_path: Path, count: int) -> None:
    sheet = build_contact_sheet([cell(tmp_path, "red", (8, 8))] * count)
    assert max(sheet.size) <= 5000 and min(sheet.size) >= 96


def test_sheet_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LedgerFailed):
        save_contact_sheet([SheetCell("1", None)], tmp_path / "none" / "sheet.png")
