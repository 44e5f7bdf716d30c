"""Files of every kind, and what decoding them gives."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from seedream_api.images.decode import Picture, decode

Pixels = npt.NDArray[np.uint8]


RGB = np.random.default_rng(5).integers(0, 256, (19, 31, 3), dtype=np.uint8)


GREY = RGB[:, :, 0].copy()


ALPHA = RGB[:, :, 1].copy()


# Smooth, for formats that lose detail.
SMOOTH = np.stack(
    [np.add.outer(np.arange(24) * 5, np.arange(40) * 3 + k).astype(np.uint8) for k in (0, 9, 18)],
    axis=-1,
)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, format=kind, **options)
    return file.getvalue()


def picture(data: bytes) -> Picture:
    return decode(data, name="the file")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int,
    height: int,
    depth: int,
    colour: int,
    rows: bytes,
    *,
    before: bytes = b"",
    interlace: int = 0,
) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + before
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def unfiltered(*rows: bytes) -> bytes:
    return b"".join(b"\0" + row for row in rows)


ADAM7 = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4),
    (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
)  # fmt: skip
"""First column and row, and the steps, of each of the seven passes of an interlaced PNG."""


def interlaced(pixels: npt.NDArray[Any]) -> bytes:
    """Any channels of 8 or 16 bits as an interlaced PNG, which Pillow cannot save."""
    height, width = pixels.shape[:2]
    passes = (pixels[row::down, column::right] for column, row, right, down in ADAM7)
    rows = (row for one in passes if one.size for row in one)
    depth, channels = 8 * pixels.dtype.itemsize, pixels.shape[2] if pixels.ndim == 3 else 1
    packed = unfiltered(*(row.astype(row.dtype.newbyteorder(">")).tobytes() for row in rows))
    return png(width, height, depth, {1: 0, 2: 4, 3: 2, 4: 6}[channels], packed, interlace=1)


PALETTE = chunk(b"PLTE", bytes([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7]))


def tiff(tags: dict[int, tuple[int, int, int]], data: bytes) -> bytes:
    """A little-endian TIFF: one directory of (type, count, value) by tag, then the data."""
    start = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(
        struct.pack("<HHII", tag, *(entry if tag != 273 else (4, 1, start)))
        for tag, entry in sorted(tags.items())
    )
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + b"\0\0\0\0" + data


def small_gif(frames: int) -> bytes:
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6) + frame * frames + b";"


def exactly(expected: Pixels) -> Callable[[Pixels], bool]:
    return lambda pixels: np.array_equal(pixels, expected)


def nearly(expected: Pixels, levels: int = 12) -> Callable[[Pixels], bool]:
    def check(pixels: Pixels) -> bool:
        difference = np.abs(pixels.astype(int) - expected)
        return pixels.shape == expected.shape and bool(difference.mean() < levels)

    return check


def three(grey: Pixels) -> Pixels:
    return np.repeat(grey[:, :, None], 3, axis=2)


def reduced(levels: npt.NDArray[np.uint16]) -> Pixels:
    return np.rint(levels.astype(float) * 255 / 65535).astype(np.uint8)


GREY_16 = np.random.default_rng(2).integers(0, 65536, (19, 31), dtype=np.uint16)


BITS = np.array([[0, 255, 0], [255, 255, 0]], np.uint8)


QUARTERS = np.array([[0, 85, 170, 255]], np.uint8)


def profile_of(space: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()  # type: ignore[arg-type]


def with_swapped_primaries() -> bytes:
    """sRGB with red and blue exchanged: no viewer can miss whether it is obeyed."""
    profile = bytearray(profile_of("sRGB"))
    count = struct.unpack(">I", profile[128:132])[0]
    for entry in range(132, 132 + 12 * count, 12):
        name = bytes(profile[entry : entry + 4])
        profile[entry : entry + 4] = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ"}.get(name, name)
    return bytes(profile)


SOUND = {
    kind: saved(Image.fromarray(np.tile(RGB, (8, 8, 1))), kind, **options)
    for kind, options in {
        "PNG": {},
        "JPEG": {"quality": 90},
        "WEBP": {"lossless": True},
        "GIF": {},
        "BMP": {},
        "TIFF": {"compression": "tiff_lzw"},
    }.items()
}
