"""Small pictures on a node: the references that are sent, and the images that came."""

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

TILE = 160
"""Pixels of one reference on the sheet of all."""
SHOWN = 512
"""Pixels of an image that came; the whole one goes out of the node and not to the browser."""
_FOLDER = "seedream"


def reference_preview(images: Sequence[tuple[str, torch.Tensor]]) -> Image | None:
    """The first references side by side, as ``inputs.connected_images`` gives them. Blocks."""
    from PIL.Image import new

    tiles: list[Image] = []
    for _, image in images:
        left = int(MAX_REFERENCES.value) - len(tiles)
        tiles += [_small(image, number, TILE) for number in range(min(left, frame_count(image)))]
    if not tiles:
        return None
    columns = math.ceil(math.sqrt(len(tiles)))
    rows = math.ceil(len(tiles) / columns)
    sheet = new("RGB", (columns * TILE, rows * TILE))
    for place, tile in enumerate(tiles):
        left, top = place % columns * TILE, place // columns * TILE
        sheet.paste(tile, (left + (TILE - tile.width) // 2, top + (TILE - tile.height) // 2))
    return sheet


async def shown(images: Sequence[torch.Tensor]) -> list[dict[str, str]]:
    """Small files in ComfyUI's own temporary folder, as ``ui["images"]`` names them."""
    try:
        return await asyncio.to_thread(_written, images)
    except OSError as error:
        # The images are here and paid for: that nobody can see them small is no failure.
        log.warning("previews were not written: %s", error.strerror or error)
        return []


def _written(images: Sequence[torch.Tensor]) -> list[dict[str, str]]:
    from ..seedream_api.images.thumbnails import jpeg

    folder = Path(folder_paths.get_temp_directory()) / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    files: list[dict[str, str]] = []
    for image in images:
        name = f"{uuid.uuid4().hex}.jpg"
        (folder / name).write_bytes(jpeg(_small(image, 0, SHOWN)))
        files.append({"filename": name, "subfolder": _FOLDER, "type": "temp"})
    return files


def _small(image: torch.Tensor, number: int, side: int) -> Image:
    """One frame of an IMAGE; of a large one only every so many pixels are looked at."""
    from ..seedream_api.images.thumbnails import scaled_down

    frames: Any = image if image.ndim == 4 else image[None]
    step = max(1, min(frames.shape[1:3]) // (2 * side))
    (pixels,) = to_pixels(frames[number : number + 1, ::step, ::step])
    return scaled_down(pixels, side)
