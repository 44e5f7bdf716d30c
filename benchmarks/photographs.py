"""Pictures to measure with: photographs that ship with scikit-image, and drawn ones."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]

PHOTOGRAPHS = (
    "astronaut.png",
    "chelsea.png",
    "coffee.png",
    "motorcycle_left.png",
    "retina.jpg",
    "rocket.jpg",
)
"""Those in the wheel of scikit-image, which needs no download for them."""


@cache
def photograph(name: str) -> Pixels:
    """One of ``PHOTOGRAPHS`` at its own size, uint8 [H, W, 3] RGB."""
    import skimage

    with Image.open(Path(skimage.__file__).parent / "data" / name) as image:
        return np.asarray(image.convert("RGB"))


def mosaic(side: int, number: int) -> Pixels:
    """A square of photographs, each pixel as its camera took it; another one for each number."""
    canvas = np.empty((side, side, 3), np.uint8)
    row, turn = 0, number
    while row < side:
        strip = np.concatenate(
            [_cut(photograph(PHOTOGRAPHS[(turn + n) % len(PHOTOGRAPHS)]), n) for n in range(6)], 1
        )
        strip = np.tile(strip, (1, 1 + side // strip.shape[1], 1))
        height = min(_STRIP, side - row)
        canvas[row : row + height] = np.roll(strip, 97 * turn, axis=1)[:height, :side]
        row, turn = row + height, turn + 1
    return canvas


_STRIP = 300


def _cut(photo: Pixels, turn: int) -> Pixels:
    return photo[:_STRIP, :: -1 if turn % 2 else 1]


def drawn(side: int, seed: int = 0) -> Pixels:
    """Gradients with the grain of a camera, which is what makes photographs hard to pack."""
    ramp = np.linspace(0, 1, side, dtype=np.float32)
    across, down = ramp[None, :, None], ramp[:, None, None]
    smooth = np.concatenate(
        np.broadcast_arrays(60 + 150 * across + 0 * down, 40 + 160 * down, 90 + 60 * across), axis=2
    )
    grain = np.random.default_rng(seed).normal(0, 6, smooth.shape).astype(np.float32)
    return np.clip(smooth + grain, 0, 255).astype(np.uint8)


def picture(side: int, number: int) -> Pixels:
    """Photographs and drawings by turns."""
    return drawn(side, number) if number % 2 else mosaic(side, number)


def jpeg(pixels: Pixels) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95)
    return file.getvalue()
