"""Encode pixels for the service: lossless where that fits the budget, else as the best JPEG.

PNG is written here and not by Pillow: with one filter for all rows and run lengths instead of a
match search it takes a third of the time, is smaller for photographs, does not hold the
interpreter's lock, and stops as soon as the budget is spent. WebP's fastest lossless mode is slower
and not smaller, and some pages of the service's documentation do not list WebP.
"""

from __future__ import annotations

import math
import struct
import zlib
from bisect import bisect_right
from dataclasses import dataclass
from io import BytesIO
from tempfile import TemporaryFile
from typing import Any

import numpy as np
from PIL import Image

from ..catalog import (
    AIMED_REFERENCE_BYTES,
    MAX_REFERENCE_BYTES,
    MAX_REFERENCE_PIXELS,
    MAX_REFERENCE_SIDE,
)
from ..errors import InvalidRequest
from ..messages import Text
from .color import Bytes

_BAND_PIXELS = 1 << 18
_SAMPLE_PIXELS = 1 << 18
_STRIPE = 16  # rows; a multiple of every JPEG block
SKIP_RATIO = 1.5  # an estimate this many times over the budget ends the attempt

_PNG_MODES = (
    (zlib.Z_RLE, 1),  # photographs
    (zlib.Z_DEFAULT_STRATEGY, 3),  # patterns and screenshots, which repeat
)
_JPEG_TABLES = 640  # bytes of a JPEG at any size
_JPEG_MODES = ((0, range(75, 96)), (2, range(1, 91)))
"""Pillow's number for the chroma subsampling (0 is 4:4:4, 2 is 4:2:0), and the qualities."""


@dataclass(frozen=True)
class EncodedImage:
    """An image as it is uploaded. ``lossless``: decoding returns exactly the given pixels."""

    data: bytes
    media_type: str
    lossless: bool
    notes: tuple[str, ...]
    width: int
    height: int


def encode(
    pixels: Bytes,
    *,
    aim_bytes: int = AIMED_REFERENCE_BYTES.value,
    cap_bytes: int = MAX_REFERENCE_BYTES.value,
) -> EncodedImage:
    """Encode ``pixels`` uint8 [H, W, 3] RGB as PNG of at most ``aim_bytes``, else as JPEG.

    The JPEG is the best of at most ``aim_bytes`` (up to quality 95 and 4:4:4, above which files
    grow and images do not improve), else the smallest if it has at most ``cap_bytes``. Only an
    image beyond the service's own limits is scaled down.

    Raises:
        InvalidRequest: no JPEG of this image is as small as ``cap_bytes``.
        ValueError: the array is not an image.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise ValueError(f"no uint8 [H, W, 3] picture: {pixels.dtype} {list(pixels.shape)}")
    height, width = pixels.shape[:2]
    size = _allowed_size(width, height)
    notes: tuple[str, ...] = ()
    if size != (width, height):
        resized = Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS)
        pixels = np.asarray(resized)
        notes = (
            Text(
                "reduced",
                before=f"{width} x {height}",
                after=f"{size[0]} x {size[1]}",
                side=MAX_REFERENCE_SIDE.value,
                all=MAX_REFERENCE_PIXELS.value,
            ),
        )
    png = _png_within(pixels, min(aim_bytes, cap_bytes))
    if png is not None:
        return EncodedImage(png, "image/png", not notes, notes, *size)
    jpeg, about = _jpeg_within(pixels, aim_bytes, cap_bytes)
    return EncodedImage(jpeg, "image/jpeg", False, (*notes, about), *size)


def encode_lossless(pixels: Bytes, limit: int) -> EncodedImage | None:
    """Encode ``pixels`` as PNG at their own size; ``None`` if that takes more than ``limit`` bytes.

    Slow for large images: call it in a thread.
    """
    png = _png(pixels, limit, *_PNG_MODES[0])
    height, width = pixels.shape[:2]
    return None if png is None else EncodedImage(png, "image/png", True, (), width, height)


def composited_on_white(pixels: Bytes, alpha: Bytes) -> Bytes:
    """Composite straight colours uint8 [H, W, 3] on white by ``alpha`` uint8 [H, W]."""
    result = np.empty_like(pixels)
    rows = max(1, _BAND_PIXELS // max(1, pixels.shape[1]))
    for top in range(0, pixels.shape[0], rows):
        part = slice(top, top + rows)
        # 255 - (255 - colour) * alpha / 255, within 16 bits; 127 rounds, for 255 has no half.
        ink = (255 - pixels[part]).astype(np.uint16) * alpha[part, :, None]
        result[part] = (np.uint16(255 * 255 + 127) - ink) // np.uint16(255)
    return result


def _allowed_size(width: int, height: int) -> tuple[int, int]:
    scale = min(
        1.0,
        MAX_REFERENCE_SIDE.value / max(width, height),
        math.sqrt(MAX_REFERENCE_PIXELS.value / (width * height)),
    )
    if scale == 1.0:
        return width, height
    # The small addend keeps a ratio of 16 to 1 exact in spite of binary fractions.
    return max(1, int(width * scale + 1e-6)), max(1, int(height * scale + 1e-6))


def _sample(pixels: Bytes) -> Bytes:
    """Return stripes of rows from all parts of a large image; a small one whole."""
    height, width = pixels.shape[:2]
    count = max(8, _SAMPLE_PIXELS // (_STRIPE * width))
    if 2 * count * _STRIPE >= height:
        return pixels
    tops = [(height - _STRIPE) * stripe // (count - 1) for stripe in range(count)]
    return np.concatenate([pixels[top : top + _STRIPE] for top in tops])


# ---- PNG ----


def _png_within(pixels: Bytes, limit: int) -> bytes | None:
    """Encode a PNG of at most ``limit`` bytes; ``None`` where a sample shows that it is larger."""
    sample = _sample(pixels)
    if sample is pixels:
        files = [file for mode in _PNG_MODES if (file := _png(pixels, limit, *mode))]
        return min(files, key=len, default=None)
    most = int(limit * SKIP_RATIO * sample.size / pixels.size)
    sizes = {mode: len(_png(sample, most, *mode) or b"") for mode in _PNG_MODES}
    small = [mode for mode in _PNG_MODES if sizes[mode]]
    return _png(pixels, limit, *min(small, key=sizes.__getitem__)) if small else None


def _png(pixels: Bytes, limit: int, strategy: int, level: int) -> bytes | None:
    """Encode a PNG; ``None`` as soon as it exceeds ``limit`` bytes."""
    height, width = pixels.shape[:2]
    packer = zlib.compressobj(level, zlib.DEFLATED, zlib.MAX_WBITS, 9, strategy)
    rows = max(1, _BAND_PIXELS // width)
    packed: list[bytes] = []
    spent = 8 + 3 * 12 + 13  # signature, and three chunks with what IHDR holds
    for top in range(0, height, rows):
        packed.append(packer.compress(_filter_rows(pixels, top, min(top + rows, height)).data))
        spent += len(packed[-1])
        if spent > limit:
            return None
    packed.append(packer.flush())
    if spent + len(packed[-1]) > limit:
        return None
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", b"".join(packed)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _filter_rows(pixels: Bytes, top: int, bottom: int) -> Bytes:
    """Filter rows by PNG's filter 3, which subtracts the mean of the left and the upper byte."""
    rows: Bytes = np.reshape(pixels[top:bottom], (bottom - top, -1))
    above, left = np.zeros_like(rows), np.zeros_like(rows)
    above[1:] = rows[:-1]
    if top:
        above[0] = np.ravel(pixels[top - 1])
    left[:, 3:] = rows[:, :-3]
    stored = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
    stored[:, 0] = 3
    # (left + above) // 2 without a ninth bit
    np.subtract(rows, (left & above) + ((left ^ above) >> 1), out=stored[:, 1:])
    return stored


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(data, zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", check)))


# ---- JPEG ----


def _jpeg(image: Image.Image, subsampling: int, quality: int) -> bytes:
    """Encode a JPEG.

    Pillow encodes into a real file without the interpreter's lock, and into memory with it, where
    two encoders would stop every other thread. Memory is the fallback where no file can be created.
    """
    options: dict[str, Any] = {"quality": quality, "subsampling": subsampling}
    try:
        with TemporaryFile(buffering=0) as file:
            image.save(file, "JPEG", **options)
            file.seek(0)
            return file.read()
    except OSError:
        memory = BytesIO()
        image.save(memory, "JPEG", **options)
        return memory.getvalue()


def _jpeg_within(pixels: Bytes, aim: int, cap: int) -> tuple[bytes, str]:
    """Encode the best JPEG of at most ``aim`` bytes, else the smallest; return a note about it."""
    image = Image.fromarray(pixels)
    stripes = _sample(pixels)
    sample = Image.fromarray(stripes)
    share = stripes.size / pixels.size
    limit = min(aim, cap)
    sample_limit = _JPEG_TABLES + (limit - _JPEG_TABLES) * share
    for subsampling, qualities in _JPEG_MODES:
        quality = _best_quality(sample, sample_limit, subsampling, qualities)
        # The sample may be a little wrong: a step down costs one more encoding.
        while quality in qualities:
            data = _jpeg(image, subsampling, quality)
            if len(data) <= limit:
                return data, _describe(quality, subsampling, aim)
            quality -= 1 if quality < 20 else 2
    data = _jpeg(image, subsampling=2, quality=1)
    if len(data) > cap:
        raise InvalidRequest("bodies_too_large", given=len(data), allowed=cap)
    return data, _describe(1, 2, aim)


def _best_quality(sample: Image.Image, limit: float, subsampling: int, qualities: range) -> int:
    """Find the best quality at which the sample fits; below the first if none does."""
    fitting = bisect_right(
        qualities, limit, key=lambda quality: len(_jpeg(sample, subsampling, quality))
    )
    return qualities.start + fitting - 1


def _describe(quality: int, subsampling: int, aim: int) -> str:
    shown = Text("half_color", quality=quality) if subsampling else quality
    return Text("sent_as_jpeg", quality=shown, bytes=aim)
