"""Color profiles and 16-bit files."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from support.decoding import (
    ALPHA,
    GREY,
    GREY_16,
    RGB,
    SMOOTH,
    chunk,
    interlaced,
    nearly,
    picture,
    png,
    profile_of,
    reduced,
    saved,
    three,
    tiff,
    unfiltered,
    with_swapped_primaries,
)
from support.ordinary_files import TRANSPARENT

# ---- color profiles ----


def test_srgb_is_left_as_it_is_and_nothing_is_said() -> None:
    data = saved(Image.fromarray(RGB), "PNG", icc_profile=profile_of("sRGB"))
    found = picture(data)
    assert np.array_equal(found.pixels, RGB) and found.notes == ()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
def test_another_profile_is_converted_and_said(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    red = Image.new("RGB", (300, 1000), (255, 0, 0))
    found = picture(saved(red, kind, icc_profile=with_swapped_primaries(), **options))
    assert (np.abs(found.pixels.astype(int) - (0, 0, 255)) <= 3).all()
    assert found.notes == ("color profile converted to sRGB",)


def profile_of_red_cyan() -> bytes:
    """A press whose cyan ink is red: white paper, red where there is cyan alone, else black."""
    levels = bytes(range(256))
    table = bytearray(16 * 3)
    for inks in range(16):  # cyan is the highest bit, black the lowest
        table[3 * inks + 1 : 3 * inks + 3] = b"\x80\x80"  # a and b of 0
    table[0:3] = bytes([255, 128, 128])
    table[24:27] = bytes([round(54.3 * 2.55), 128 + 81, 128 + 70])
    matrix = struct.pack(">9I", *(0x10000 if place % 4 == 0 else 0 for place in range(9)))
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + levels * 4 + bytes(table) + levels * 3
    tag = struct.pack(">I4sII", 1, b"A2B0", 144, len(lut))
    header = struct.pack(
        ">II I4s4s4s 12x 4s 28x 3I", 144 + len(lut), 0, 0x02400000, b"prtr", b"CMYK", b"Lab ",
        b"acsp", 0xF6D6, 0x10000, 0xD32D,
    )  # fmt: skip
    return header.ljust(128, b"\0") + tag + lut


@pytest.mark.parametrize(("kind", "options"), [("JPEG", {"quality": 95}), ("TIFF", {})])
def test_inks_of_a_cmyk_picture_are_those_of_its_profile(
    kind: str, options: dict[str, Any]
) -> None:
    data = saved(Image.new("CMYK", (40, 30), (255, 0, 0, 0)), kind, **options)
    assert b"Adobe" in data or kind == "TIFF"
    assert (np.abs(picture(data).pixels.astype(int) - (0, 255, 255)) <= 3).all()
    profile = profile_of_red_cyan()
    data = saved(Image.new("CMYK", (40, 30), (255, 0, 0, 0)), kind, icc_profile=profile, **options)
    found = picture(data)
    assert (np.abs(found.pixels.astype(int) - (255, 0, 0)) <= 6).all()
    assert found.notes == ("color profile converted to sRGB",)


def test_turned_cmyk_jpeg_is_turned() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(Image.fromarray(SMOOTH).convert("CMYK"), "JPEG", quality=95, exif=exif.tobytes())
    assert nearly(np.rot90(SMOOTH, -1), 8)(picture(data).pixels)


# ---- 16 bits ----


DEEP = np.random.default_rng(3).integers(0, 65536, (70, 90, 4), dtype=np.uint16)


def deep_png(pixels: npt.NDArray[np.uint16], colour: int) -> bytes:
    rows = (row.astype(">u2").tobytes() for row in pixels)
    return png(pixels.shape[1], pixels.shape[0], 16, colour, unfiltered(*rows))


def deep_tiff(pixels: npt.NDArray[np.uint16], packing: int) -> bytes:
    height, width, channels = pixels.shape
    data = pixels.astype("<u2").tobytes()
    data = zlib.compress(data) if packing == 8 else data
    tags = {
        256: (3, 1, width), 257: (3, 1, height), 258: (3, 1, 16), 259: (3, 1, packing),
        262: (3, 1, 2), 273: (4, 1, 0), 277: (3, 1, channels), 278: (3, 1, height),
        279: (4, 1, len(data)),
    }  # fmt: skip
    return tiff(tags, data)


@pytest.mark.parametrize(
    ("data", "levels"),
    [
        pytest.param(deep_png(DEEP[..., :1], 0), DEEP[..., :1], id="PNG grey"),
        pytest.param(deep_png(DEEP[..., :2], 4), DEEP[..., :2], id="PNG grey with alpha"),
        pytest.param(deep_png(DEEP[..., :3], 2), DEEP[..., :3], id="PNG RGB"),
        pytest.param(deep_png(DEEP, 6), DEEP, id="PNG RGBA"),
        pytest.param(interlaced(DEEP[..., :2]), DEEP[..., :2], id="PNG LA, interlaced"),
        pytest.param(interlaced(DEEP), DEEP, id="PNG RGBA, interlaced"),
        pytest.param(deep_tiff(DEEP[..., :3], 1), DEEP[..., :3], id="TIFF RGB"),
        pytest.param(deep_tiff(DEEP[..., :3], 8), DEEP[..., :3], id="TIFF RGB, deflate"),
    ],
)
def test_16_bits_become_the_nearest_grey_or_the_upper_byte(
    data: bytes, levels: npt.NDArray[np.uint16]
) -> None:
    found = picture(data)
    expected = reduced(levels) if levels.shape[2] == 1 else (levels >> 8).astype(np.uint8)
    if levels.shape[2] in (2, 4):
        assert found.alpha is not None and np.array_equal(found.alpha, expected[..., -1])
        expected = expected[..., :-1]
    assert np.array_equal(found.pixels, np.broadcast_to(expected, (70, 90, 3)))


def test_clear_colour_of_16_bits_is_found() -> None:
    key = chunk(b"tRNS", struct.pack(">HHH", 1000, 2000, 3000))
    row = struct.pack(">6H", 1000, 2000, 3000, 1000, 2000, 4000)
    found = picture(png(2, 1, 16, 2, unfiltered(row), before=key))
    assert found.alpha is not None and found.alpha.tolist() == [[0, 255]]


def test_16_bits_are_said() -> None:
    assert picture(saved(Image.fromarray(GREY_16), "PNG")).notes == (
        "16 bits per channel reduced to 8",
    )


def test_alpha_is_not_touched_by_a_profile() -> None:
    data = saved(Image.fromarray(TRANSPARENT), "PNG", icc_profile=with_swapped_primaries())
    found = picture(data)
    assert found.alpha is not None and np.array_equal(found.alpha, ALPHA)
    assert found.notes == ("color profile converted to sRGB",)


def test_palette_with_a_profile_is_converted() -> None:
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([255, 0, 0])
    found = picture(saved(palette, "PNG", icc_profile=with_swapped_primaries()))
    assert (np.abs(found.pixels.astype(int) - (0, 0, 255)) <= 2).all()


def test_grey_picture_may_carry_the_rgb_profile_of_its_program() -> None:
    data = saved(Image.fromarray(GREY), "PNG", icc_profile=profile_of("sRGB"))
    assert np.array_equal(picture(data).pixels, three(GREY))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16"])
def test_grey_picture_with_a_converting_profile_does_not_crash(mode: str) -> None:
    image = Image.new(mode, (5, 4))
    found = picture(saved(image, "PNG", icc_profile=with_swapped_primaries()))
    assert found.pixels.shape == (4, 5, 3) and (found.pixels <= 2).all()


@pytest.mark.parametrize(
    "profile",
    [b"no profile at all", profile_of("sRGB")[:200], b"\0" * 500],
    ids=["words", "cut off", "zeros"],
)
def test_broken_profile_is_ignored_and_said(profile: bytes) -> None:
    found = picture(saved(Image.fromarray(RGB), "PNG", icc_profile=profile))
    assert np.array_equal(found.pixels, RGB)
    assert len(found.notes) == 1 and found.notes[0].startswith("color profile ignored: ")


def test_profile_of_other_pixels_is_ignored_and_said() -> None:
    cmyk = Image.fromarray(SMOOTH).convert("CMYK")
    found = picture(saved(cmyk, "JPEG", quality=95, icc_profile=profile_of("sRGB")))
    assert nearly(SMOOTH, 8)(found.pixels)
    assert found.notes == ("color profile ignored: it describes RGB pixels",)
