"""Files that any program may write, with the pixels that decoding them gives."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from support.decoding import (
    ALPHA,
    BITS,
    GREY,
    GREY_16,
    PALETTE,
    QUARTERS,
    RGB,
    SMOOTH,
    chunk,
    exactly,
    interlaced,
    nearly,
    png,
    reduced,
    saved,
    three,
    unfiltered,
)

ORDINARY = [
    pytest.param(saved(Image.fromarray(RGB), "PNG"), exactly(RGB), id="PNG RGB"),
    pytest.param(saved(Image.fromarray(GREY), "PNG"), exactly(three(GREY)), id="PNG grey"),
    pytest.param(
        png(3, 2, 1, 0, unfiltered(b"\x40", b"\xc0")), exactly(three(BITS)), id="PNG grey of 1 bit"
    ),
    pytest.param(
        png(4, 1, 2, 0, unfiltered(b"\x1b")), exactly(three(QUARTERS)), id="PNG grey of 2 bits"
    ),
    pytest.param(
        png(4, 1, 4, 0, unfiltered(b"\x05\xaf")), exactly(three(QUARTERS)), id="PNG grey of 4 bits"
    ),
    pytest.param(
        png(31, 19, 16, 0, unfiltered(*(row.astype(">u2").tobytes() for row in GREY_16))),
        exactly(three(reduced(GREY_16))),
        id="PNG grey of 16 bits",
    ),
    pytest.param(
        png(1, 1, 16, 2, unfiltered(struct.pack(">HHH", 0, 128 * 257, 65535))),
        exactly(np.array([[[0, 128, 255]]], np.uint8)),
        id="PNG RGB of 16 bits",
    ),
    pytest.param(
        png(3, 1, 8, 3, unfiltered(b"\0\1\2"), before=PALETTE),
        exactly(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)),
        id="PNG palette",
    ),
    pytest.param(
        png(4, 1, 2, 3, unfiltered(b"\x1b"), before=PALETTE),
        exactly(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 8, 7]]], np.uint8)),
        id="PNG palette of 2 bits",
    ),
    pytest.param(interlaced(RGB), exactly(RGB), id="PNG interlaced"),
    pytest.param(interlaced(GREY), exactly(three(GREY)), id="PNG grey, interlaced"),
    pytest.param(
        interlaced(GREY_16), exactly(three(reduced(GREY_16))), id="PNG grey of 16 bits, interlaced"
    ),
    pytest.param(
        saved(Image.fromarray(RGB), "PNG") + b"GIF89a trailing data" * 50,
        exactly(RGB),
        id="PNG with data after its end",
    ),
    pytest.param(saved(Image.fromarray(SMOOTH), "JPEG", quality=95), nearly(SMOOTH, 6), id="JPEG"),
    pytest.param(
        saved(Image.fromarray(SMOOTH), "JPEG", quality=95, progressive=True),
        nearly(SMOOTH, 6),
        id="JPEG progressive",
    ),
    pytest.param(
        saved(Image.fromarray(SMOOTH[:, :, 0]), "JPEG", quality=95),
        nearly(three(SMOOTH[:, :, 0]), 6),
        id="JPEG grey",
    ),
    pytest.param(
        saved(Image.fromarray(SMOOTH).convert("CMYK"), "JPEG", quality=95),
        nearly(SMOOTH, 8),
        id="JPEG CMYK, inverted as Adobe does",
    ),
    pytest.param(
        saved(Image.fromarray(SMOOTH), "JPEG", quality=95)[:-2] + b"\xff\xd9junk",
        nearly(SMOOTH, 6),
        id="JPEG with data after its end",
    ),
    pytest.param(
        saved(Image.fromarray(RGB), "WEBP", lossless=True), exactly(RGB), id="WebP lossless"
    ),
    pytest.param(
        saved(Image.fromarray(SMOOTH), "WEBP", quality=95), nearly(SMOOTH, 8), id="WebP lossy"
    ),
    pytest.param(saved(Image.fromarray(GREY), "GIF"), exactly(three(GREY)), id="GIF of all greys"),
    pytest.param(saved(Image.fromarray(RGB), "BMP"), exactly(RGB), id="BMP"),
    pytest.param(saved(Image.fromarray(GREY), "BMP"), exactly(three(GREY)), id="BMP grey"),
    pytest.param(saved(Image.fromarray(RGB), "TIFF"), exactly(RGB), id="TIFF"),
    pytest.param(
        saved(Image.fromarray(RGB), "TIFF", compression="tiff_lzw"), exactly(RGB), id="TIFF LZW"
    ),
    pytest.param(
        saved(Image.fromarray(RGB), "TIFF", compression="tiff_deflate"),
        exactly(RGB),
        id="TIFF deflate",
    ),
    pytest.param(
        saved(Image.fromarray(SMOOTH).convert("CMYK"), "TIFF"), nearly(SMOOTH, 2), id="TIFF CMYK"
    ),
    pytest.param(
        saved(Image.fromarray(GREY_16), "TIFF"),
        exactly(three(reduced(GREY_16))),
        id="TIFF grey of 16 bits",
    ),
]


TRANSPARENT = np.dstack([RGB, ALPHA])


KEYED = png(
    2, 1, 8, 2, unfiltered(b"\1\2\3\4\5\6"), before=chunk(b"tRNS", struct.pack(">HHH", 1, 2, 3))
)


WITH_ALPHA = [
    pytest.param(saved(Image.fromarray(TRANSPARENT), "PNG"), RGB, ALPHA, id="PNG RGBA"),
    pytest.param(
        saved(Image.fromarray(np.dstack([GREY, ALPHA])), "PNG"), three(GREY), ALPHA, id="PNG LA"
    ),
    pytest.param(
        saved(Image.fromarray(TRANSPARENT), "WEBP", lossless=True, exact=True),
        RGB,
        ALPHA,
        id="WebP lossless with alpha",
    ),
    pytest.param(interlaced(TRANSPARENT), RGB, ALPHA, id="PNG RGBA, interlaced"),
    pytest.param(
        interlaced(np.dstack([GREY, ALPHA])), three(GREY), ALPHA, id="PNG LA, interlaced"
    ),
    pytest.param(saved(Image.fromarray(TRANSPARENT), "TIFF"), RGB, ALPHA, id="TIFF RGBA"),
    pytest.param(
        png(1, 1, 16, 6, unfiltered(struct.pack(">HHHH", 257, 514, 771, 128 * 257))),
        np.array([[[1, 2, 3]]], np.uint8),
        np.array([[128]], np.uint8),
        id="PNG RGBA of 16 bits",
    ),
    pytest.param(
        png(
            3, 1, 8, 3, unfiltered(b"\0\1\2"), before=PALETTE + chunk(b"tRNS", bytes([0, 128]))
        ),
        np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8),
        np.array([[0, 128, 255]], np.uint8),
        id="PNG palette with alphas",
    ),
    pytest.param(
        png(
            3, 1, 8, 3, unfiltered(b"\0\1\2"), before=PALETTE + chunk(b"tRNS", bytes([255, 0, 255]))
        ),
        np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8),
        np.array([[255, 0, 255]], np.uint8),
        id="PNG palette with one clear entry",
    ),
    pytest.param(
        KEYED,
        np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8),
        np.array([[0, 255]], np.uint8),
        id="PNG RGB with a clear colour",
    ),
    pytest.param(
        png(4, 1, 2, 0, unfiltered(b"\x1b"), before=chunk(b"tRNS", struct.pack(">H", 2))),
        three(QUARTERS),
        np.array([[255, 255, 0, 255]], np.uint8),
        id="PNG grey of 2 bits with a clear level",
    ),
    pytest.param(
        png(3, 2, 1, 0, unfiltered(b"\x40", b"\xc0"), before=chunk(b"tRNS", b"\0\1")),
        three(BITS),
        255 - BITS,
        id="PNG grey of 1 bit with clear white",
    ),
    pytest.param(
        png(
            2, 1, 16, 0, unfiltered(struct.pack(">HH", 1000, 1001)),
            before=chunk(b"tRNS", struct.pack(">H", 1000)),
        ),
        np.array([[[4, 4, 4], [4, 4, 4]]], np.uint8),
        np.array([[0, 255]], np.uint8),
        id="PNG grey of 16 bits with a clear level",
    ),
    pytest.param(
        saved(Image.fromarray(np.arange(4, dtype=np.uint8)[None]), "GIF", transparency=2),
        three(np.arange(4, dtype=np.uint8)[None]),
        np.array([[255, 255, 0, 255]], np.uint8),
        id="GIF with a clear entry",
    ),
]  # fmt: skip
