"""Make small JPEGs of images for display."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from .decode import decode

if TYPE_CHECKING:
    import numpy.typing as npt
    from numpy import uint8

_QUALITY = 82


def thumbnail(path: Path, side: int) -> bytes:
    """Encode an image file as a JPEG of at most ``side`` pixels per side; call it in a thread.

    Raises:
        ResultUnavailable: not a readable image.
    """
    return jpeg(scaled_down(decode(path, name=path.name).pixels, side))


def scaled_down(pixels: npt.NDArray[uint8], side: int) -> Image.Image:
    """Scale ``[H, W, 3]`` RGB pixels to at most ``side`` pixels per side."""
    image = Image.fromarray(pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return image


def jpeg(image: Image.Image) -> bytes:
    stream = BytesIO()
    image.save(stream, "JPEG", quality=_QUALITY)
    return stream.getvalue()
