"""Pixels -> bytes that the service takes: lossless where that fits the budget, else the best JPEG.

PNG is written here and not by Pillow: with one filter for all rows and run lengths in place of
match search it takes a third of the time, is smaller for photographs, lets other threads run
meanwhile, and can stop as soon as the budget is spent. WebP's fastest lossless mode is slower than
that and no smaller; besides, every page of the service's documentation takes PNG, not every one
WebP.
"""

from __future__ import annotations

import math
import os
import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from tempfile import TemporaryFile

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
SKIP_RATIO = 1.5  # an estimate so many times over the budget is believed

_PNG_WAYS = (
    (zlib.Z_RLE, 1),  # photographs
    (zlib.Z_DEFAULT_STRATEGY, 3),  # patterns and screenshots, which repeat
)
_JPEG_TABLES = 640  # bytes that a JPEG takes at any size
_JPEG_WAYS = ((0, 95, 75), (2, 90, 1))
"""Pillow's number of the chroma subsampling (0 is 4:4:4, 2 is 4:2:0), best and worst quality."""


@dataclass(frozen=True)
class EncodedImage:
    """A picture as it travels. ``lossless``: decoding gives the very pixels that were given."""

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
    """``pixels`` uint8 [H, W, 3] RGB as PNG if that takes ``aim_bytes`` or less, else as JPEG.

    The JPEG is the best of at most ``aim_bytes`` (quality 95 and 4:4:4, past which files grow and
    pictures do not); where even the worst is larger, that one if it takes ``cap_bytes`` or less.
    Only a picture beyond the service's own limits is made smaller.

    Raises:
        InvalidRequest: no JPEG of this picture is small enough for ``cap_bytes``.
        ValueError: the array is no picture.
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


def composited_on_white(pixels: Bytes, alpha: Bytes) -> Bytes:
    """Straight colours uint8 [H, W, 3] over white by ``alpha`` uint8 [H, W], rounded to nearest."""
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
    # The least more, so that 16 to 1 stays 16 to 1 whatever binary fractions make of it.
    return max(1, int(width * scale + 1e-6)), max(1, int(height * scale + 1e-6))


def _sample(pixels: Bytes) -> Bytes:
    """Stripes of rows from all over a large picture; a small one whole."""
    height, width = pixels.shape[:2]
    count = max(8, _SAMPLE_PIXELS // (_STRIPE * width))
    if 2 * count * _STRIPE >= height:
        return pixels
    tops = [(height - _STRIPE) * stripe // (count - 1) for stripe in range(count)]
    return np.concatenate([pixels[top : top + _STRIPE] for top in tops])


# ---- PNG ----


def _png_within(pixels: Bytes, limit: int) -> bytes | None:
    """A PNG of at most ``limit`` bytes; None where there is none, as far as a sample tells."""
    sample = _sample(pixels)
    if sample is pixels:
        files = [file for way in _PNG_WAYS if (file := _png(pixels, limit, *way))]
        return min(files, key=len, default=None)
    most = int(limit * SKIP_RATIO * sample.size / pixels.size)
    sizes = {target: len(_png(sample, most, *target) or b"") for target in _PNG_WAYS}
    hopeful = [way for way in _PNG_WAYS if sizes[way]]
    if not hopeful:
        return None
    return _png(pixels, limit, *min(hopeful, key=sizes.__getitem__))


def _png(pixels: Bytes, limit: int, strategy: int, level: int) -> bytes | None:
    """A PNG file, or None as soon as it takes more than ``limit`` bytes."""
    height, width = pixels.shape[:2]
    packer = zlib.compressobj(level, zlib.DEFLATED, zlib.MAX_WBITS, 9, strategy)
    rows = max(1, _BAND_PIXELS // width)
    packed: list[bytes] = []
    spent = 8 + 3 * 12 + 13  # signature, and three chunks with what IHDR holds
    for top in range(0, height, rows):
        packed.append(packer.compress(_averaged(pixels, top, min(top + rows, height)).data))
        spent += len(packed[-1])
        if spent > limit:
            return None
    packed.append(packer.flush())
    if spent + len(packed[-1]) > limit:
        return None
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", b"".join(packed)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _averaged(pixels: Bytes, top: int, bottom: int) -> Bytes:
    """Rows as PNG stores them under its filter 3: less the mean of the left and the upper byte."""
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


class _OverBudget(Exception):
    """More bytes than are wanted; the encoder can stop."""


class _Budget(BytesIO):
    """A file that takes ``limit`` bytes and no more."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def write(self, data: bytes, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        if self.tell() + len(data) > self.limit:
            raise _OverBudget
        return super().write(data)


def _jpeg(image: Image.Image, limit: float, subsampling: int, quality: int) -> bytes | None:
    """A JPEG file, or None where it takes more than ``limit`` bytes.

    Pillow encodes into a real file without the interpreter's lock, and into memory with it, where
    two encoders would stop every other thread. The memory is for where no file can be had.
    """
    try:
        with TemporaryFile(buffering=0) as file:
            image.save(file, format="JPEG", quality=quality, subsampling=subsampling)
            if file.seek(0, os.SEEK_END) > limit:
                return None
            file.seek(0)
            return file.read()
    except OSError:
        return _jpeg_in_memory(image, limit, subsampling, quality)


def _jpeg_in_memory(
    image: Image.Image, limit: float, subsampling: int, quality: int
) -> bytes | None:
    """As :func:`_jpeg`, ended as soon as it takes more: for samples."""
    file = _Budget(int(limit))
    try:
        image.save(file, format="JPEG", quality=quality, subsampling=subsampling)
    except _OverBudget:
        return None
    return file.getvalue()


def _jpeg_within(pixels: Bytes, aim: int, cap: int) -> tuple[bytes, str]:
    image = Image.fromarray(pixels)
    stripes = _sample(pixels)
    sample = Image.fromarray(stripes)
    share = stripes.size / pixels.size
    for subsampling, best, worst in _JPEG_WAYS:
        limit = min(aim, cap)
        of_sample = _JPEG_TABLES + (limit - _JPEG_TABLES) * share
        quality = _best_quality(sample, of_sample, subsampling, best, worst)
        # The sample may be a little wrong: a step down costs one more encoding.
        while quality >= worst:
            data = _jpeg(image, limit, subsampling, quality)
            if data is not None:
                return data, _about(quality, subsampling, aim)
            quality -= 1 if quality < 20 else 2
    data = _jpeg(image, cap, subsampling=2, quality=1)
    if data is None:
        whole = _jpeg(image, 2**62, subsampling=2, quality=1) or b""
        raise InvalidRequest("bodies_too_large", given=len(whole), allowed=cap)
    return data, _about(1, 2, aim)


def _best_quality(
    sample: Image.Image, limit: float, subsampling: int, best: int, worst: int
) -> int:
    """The best quality at which the sample fits; below ``worst`` if none does."""
    low, high = worst - 1, best
    while low < high:
        middle = (low + high + 1) // 2
        if _jpeg_in_memory(sample, limit, subsampling, middle) is None:
            high = middle - 1
        else:
            low = middle
    return low


def _about(quality: int, subsampling: int, aim: int) -> str:
    shown = Text("half_color", quality=quality) if subsampling else quality
    return Text("sent_as_jpeg", quality=shown, bytes=aim)
