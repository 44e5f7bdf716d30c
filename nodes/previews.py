"""Small images on a node: the reference images that are sent, and the results."""

from __future__ import annotations

import asyncio
import math
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import folder_paths

from ..seedream_api.catalog import MAX_REFERENCES
from .tensors import frame_count, to_pixels
from .web.settings import log

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

TILE_SIDE = 160
"""Pixels of one reference image in the preview of all."""
PREVIEW_SIDE = 512
"""Pixels of a result preview; the full image goes to the node's output, not to the browser."""
_FOLDER = "seedream"


def reference_preview(images: Sequence[tuple[str, torch.Tensor]]) -> Image | None:
    """Draw the first connected images side by side. Blocks."""
    from PIL.Image import new

    tiles: list[Image] = []
    for _, image in images:
        left = int(MAX_REFERENCES.value) - len(tiles)
        tiles += [
            _scale_frame(image, number, TILE_SIDE)
            for number in range(min(left, frame_count(image)))
        ]
    if not tiles:
        return None
    columns = math.ceil(math.sqrt(len(tiles)))
    rows = math.ceil(len(tiles) / columns)
    sheet = new("RGB", (columns * TILE_SIDE, rows * TILE_SIDE))
    for place, tile in enumerate(tiles):
        left, top = place % columns * TILE_SIDE, place // columns * TILE_SIDE
        sheet.paste(
            tile, (left + (TILE_SIDE - tile.width) // 2, top + (TILE_SIDE - tile.height) // 2)
        )
    return sheet


async def write_previews(images: Sequence[torch.Tensor]) -> list[dict[str, str]]:
    """Write small files to ComfyUI's temporary folder; return the entries of ``ui["images"]``."""
    try:
        return await asyncio.to_thread(_write, images)
    except OSError as error:
        # The images are paid for and present: a missing preview is not a failure.
        log.warning("previews were not written: %s", error.strerror or error)
        return []


async def write_sheet(sheet: Image) -> list[dict[str, str]]:
    """Write a contact sheet to ComfyUI's temporary folder; return the entry of ``ui["images"]``."""
    try:
        return [await asyncio.to_thread(_write_jpeg, sheet)]
    except OSError as error:
        log.warning("previews were not written: %s", error.strerror or error)
        return []


def _write(images: Sequence[torch.Tensor]) -> list[dict[str, str]]:
    return [_write_jpeg(_scale_frame(image, 0, PREVIEW_SIDE)) for image in images]


def _write_jpeg(image: Image) -> dict[str, str]:
    from ..seedream_api.images.thumbnails import jpeg

    folder = Path(folder_paths.get_temp_directory()) / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{uuid.uuid4().hex}.jpg"
    (folder / name).write_bytes(jpeg(image))
    return {"filename": name, "subfolder": _FOLDER, "type": "temp"}


def _scale_frame(image: torch.Tensor, number: int, side: int) -> Image:
    """Scale one frame of an IMAGE down; a large one is subsampled first."""
    from ..seedream_api.images.thumbnails import scaled_down

    frames: Any = image if image.ndim == 4 else image[None]
    step = max(1, min(frames.shape[1:3]) // (2 * side))
    (pixels,) = to_pixels(frames[number : number + 1, ::step, ::step])
    return scaled_down(pixels, side)
