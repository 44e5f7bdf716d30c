"""Bytes from anywhere -> pixels: a gallery of odd, hostile and ordinary files."""

from __future__ import annotations

import contextlib
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from PIL import Image, ImageCms, ImageFile, ImageOps

from seedream_api.errors import ResultUnavailable
from seedream_api.images.decode import Picture, decode, decode_into, probe
from seedream_api.images.header import jpeg_scans
from seedream_api.images.media_types import media_type_of

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


def refusal(data: bytes, **options: Any) -> ResultUnavailable:
    with pytest.raises(ResultUnavailable) as caught:
        decode(data, name="the file", **options)
    assert caught.value.values["given"] == "the file"
    return caught.value


# ---- files made by hand ----


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


# ---- what ordinary files give ----


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


@pytest.mark.parametrize(("data", "is_right"), ORDINARY)
def test_an_ordinary_file_gives_its_pixels(data: bytes, is_right: Callable[[Pixels], bool]) -> None:
    found = picture(data)
    assert is_right(found.pixels)
    assert found.alpha is None
    assert found.pixels.dtype == np.uint8 and found.pixels.flags.c_contiguous


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


@pytest.mark.parametrize(("data", "colours", "alpha"), WITH_ALPHA)
def test_colours_stay_straight_and_alpha_comes_apart(
    data: bytes, colours: Pixels, alpha: Pixels
) -> None:
    found = picture(data)
    assert np.array_equal(found.pixels, colours)
    assert found.alpha is not None and np.array_equal(found.alpha, alpha)
    assert probe(data, name="the file").has_alpha


@pytest.mark.parametrize("data", [*(case.values[0] for case in ORDINARY + WITH_ALPHA)])
def test_header_whole_decode_and_decode_into_agree(data: bytes) -> None:
    info = probe(data, name="the file")
    whole = picture(data)
    assert (info.height, info.width) == whole.pixels.shape[:2]
    assert info.has_alpha == (whole.alpha is not None)
    rgb = np.full((info.height, info.width, 3), np.nan, np.float32)
    mask = np.full((info.height, info.width), np.nan, np.float32)
    assert decode_into(data, rgb, mask, name="the file") == whole.notes
    assert np.array_equal(rgb, whole.pixels.astype(np.float32) / np.float32(255))
    alpha = np.float32(255) if whole.alpha is None else whole.alpha.astype(np.float32)
    assert np.allclose(mask, 1 - alpha / 255, rtol=0, atol=1e-7)


# ---- turned ----


def turned(orientation: int, kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    return saved(Image.fromarray(RGB), kind, exif=exif.tobytes(), **options)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_is_shown_as_its_camera_meant(kind: str, orientation: int) -> None:
    data = turned(orientation, kind)
    with Image.open(BytesIO(data)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    info = probe(data, name="the file")
    assert (info.height, info.width) == expected.shape[:2]
    assert np.array_equal(picture(data).pixels, expected)
    rgb = np.zeros(expected.shape, np.float32)
    decode_into(data, rgb, None, name="the file")
    assert np.array_equal(np.rint(rgb * 255), expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_tiff_is_turned_once(orientation: int) -> None:
    data = saved(Image.fromarray(RGB), "TIFF", tiffinfo={0x0112: orientation})
    expected = np.asarray(ImageOps.exif_transpose(Image.open(BytesIO(turned(orientation, "PNG")))))
    info = probe(data, name="the file")
    assert (info.height, info.width) == expected.shape[:2]
    assert np.array_equal(picture(data).pixels, expected)


def test_alpha_turns_with_its_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(Image.fromarray(TRANSPARENT), "PNG", exif=exif.tobytes())
    found = picture(data)
    assert found.alpha is not None and np.array_equal(found.alpha, np.rot90(ALPHA, -1))


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_none(orientation: int) -> None:
    assert np.array_equal(picture(turned(orientation, "PNG")).pixels, RGB)


@pytest.mark.filterwarnings("ignore:.*EXIF", "ignore:Truncated File Read")
@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0MM\0*\0\0", b"Exif\0\0" + b"\xff" * 64])
def test_broken_exif_costs_no_picture(exif: bytes) -> None:
    data = saved(Image.fromarray(SMOOTH), "JPEG", quality=95, exif=exif)
    assert nearly(SMOOTH, 6)(picture(data).pixels)


# ---- several frames ----


def test_of_an_animation_the_first_frame_is_used_and_said() -> None:
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "lime", "blue")]
    for kind in ("GIF", "WEBP", "PNG"):
        options = {"lossless": True} if kind == "WEBP" else {}
        data = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        assert probe(data, name="the file").is_animated
        found = picture(data)
        assert (found.pixels == (255, 0, 0)).all(), kind
        assert found.notes == ("animated: the first frame is used",)


def test_of_a_tiff_the_first_page_is_used_and_said() -> None:
    pages = [Image.new("RGB", (8, 6), colour) for colour in ("red", "lime")]
    data = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    found = picture(data)
    assert (found.pixels == (255, 0, 0)).all()
    assert found.notes == ("several pages: the first is used",)


def test_a_million_empty_frames_are_not_counted() -> None:
    data = small_gif(200_000)
    assert probe(data, name="the file").is_animated
    assert picture(data).notes == ("animated: the first frame is used",)


# ---- color profiles ----


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
def test_the_inks_of_a_cmyk_picture_are_those_of_its_profile(
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


def test_a_turned_cmyk_jpeg_is_turned() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(Image.fromarray(SMOOTH).convert("CMYK"), "JPEG", quality=95, exif=exif.tobytes())
    assert nearly(np.rot90(SMOOTH, -1), 8)(picture(data).pixels)


# ---- many passes ----


def progressive(side: int = 64) -> bytes:
    return saved(Image.new("RGB", (side, side), "teal"), "JPEG", progressive=True)


def with_scans(data: bytes, count: int) -> bytes:
    """The last scan of a JPEG, with its table, again and again."""
    last = data[data.rindex(b"\xff\xc4") : -2]
    return data[:-2] + last * count + data[-2:]


def test_jpeg_of_thousands_of_passes_is_refused_undecoded() -> None:
    assert jpeg_scans(progressive()) == 10
    assert picture(with_scans(progressive(), 90)).pixels.shape == (64, 64, 3)
    error = refusal(with_scans(progressive(), 91))
    assert error.key == "picture_unreadable" and "more than 100 scans" in error.values["reason"]


def test_jpeg_passes_exclude_trailing_and_segment_data() -> None:
    """Phones put a film behind a photograph, and a thumbnail before it."""
    film = saved(Image.fromarray(SMOOTH), "JPEG") + b"\xff\xda" * 500
    assert jpeg_scans(film) == 1 and picture(film).pixels.shape == SMOOTH.shape
    plain = saved(Image.fromarray(SMOOTH), "JPEG")
    thumbnail = b"\xff\xe5" + struct.pack(">H", 1002) + b"\xff\xda" * 500
    assert jpeg_scans(plain[:2] + thumbnail + plain[2:]) == 1


@given(st.binary(max_size=300))
def test_passes_of_any_bytes_are_counted_to_an_end(data: bytes) -> None:
    assert 0 <= jpeg_scans(data) <= 101


def test_alpha_is_not_touched_by_a_profile() -> None:
    data = saved(Image.fromarray(TRANSPARENT), "PNG", icc_profile=with_swapped_primaries())
    found = picture(data)
    assert found.alpha is not None and np.array_equal(found.alpha, ALPHA)
    assert found.notes == ("color profile converted to sRGB",)


def test_a_palette_with_a_profile_is_converted() -> None:
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([255, 0, 0])
    found = picture(saved(palette, "PNG", icc_profile=with_swapped_primaries()))
    assert (np.abs(found.pixels.astype(int) - (0, 0, 255)) <= 2).all()


def test_a_grey_picture_may_carry_the_rgb_profile_of_its_program() -> None:
    data = saved(Image.fromarray(GREY), "PNG", icc_profile=profile_of("sRGB"))
    assert np.array_equal(picture(data).pixels, three(GREY))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16"])
def test_a_grey_picture_with_a_converting_profile_does_not_crash(mode: str) -> None:
    image = Image.new(mode, (5, 4))
    found = picture(saved(image, "PNG", icc_profile=with_swapped_primaries()))
    assert found.pixels.shape == (4, 5, 3) and (found.pixels <= 2).all()


@pytest.mark.parametrize(
    "profile",
    [b"no profile at all", profile_of("sRGB")[:200], b"\0" * 500],
    ids=["words", "cut off", "zeros"],
)
def test_a_broken_profile_is_ignored_and_said(profile: bytes) -> None:
    found = picture(saved(Image.fromarray(RGB), "PNG", icc_profile=profile))
    assert np.array_equal(found.pixels, RGB)
    assert len(found.notes) == 1 and found.notes[0].startswith("color profile ignored: ")


def test_a_profile_of_other_pixels_is_ignored_and_said() -> None:
    cmyk = Image.fromarray(SMOOTH).convert("CMYK")
    found = picture(saved(cmyk, "JPEG", quality=95, icc_profile=profile_of("sRGB")))
    assert nearly(SMOOTH, 8)(found.pixels)
    assert found.notes == ("color profile ignored: it describes RGB pixels",)


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


def test_a_clear_colour_of_16_bits_is_found() -> None:
    key = chunk(b"tRNS", struct.pack(">HHH", 1000, 2000, 3000))
    row = struct.pack(">6H", 1000, 2000, 3000, 1000, 2000, 4000)
    found = picture(png(2, 1, 16, 2, unfiltered(row), before=key))
    assert found.alpha is not None and found.alpha.tolist() == [[0, 255]]


def test_16_bits_are_said() -> None:
    assert picture(saved(Image.fromarray(GREY_16), "PNG")).notes == (
        "16 bits per channel reduced to 8",
    )


# ---- what is refused ----

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

UNREADABLE = [
    pytest.param(b"", "it is empty", id="empty"),
    pytest.param(b"\x89PNG\r\n\x1a\n", "", id="PNG signature alone"),
    pytest.param(b"<!DOCTYPE html><html><body>gone", "HTML", id="web page"),
    pytest.param(b'{"error": {"code": "expired"}}', "JSON", id="JSON"),
    pytest.param(b"%PDF-1.7\n" + bytes(90), "PDF", id="PDF"),
    pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n", "", id="PostScript, which Pillow would run"),
    pytest.param(saved(Image.new("RGB", (4, 4)), "PPM"), "", id="PPM, which Pillow could read"),
    pytest.param(saved(Image.new("RGB", (16, 16)), "ICO"), "", id="ICO, which Pillow could read"),
    pytest.param(bytes(range(256)) * 4, "", id="noise"),
    pytest.param(b"BM and other words", "", id="text that begins like a bitmap"),
    pytest.param(b"RIFF\x10\0\0\0WAVEfmt ", "", id="sound"),
    pytest.param(b"\xff\xd8\xff", "", id="JPEG signature alone"),
    pytest.param(b"GIF89a=1;alert(1)//" + b"a" * 40, "", id="GIF that is JavaScript"),
    pytest.param(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"\0" * 13), "", id="PNG of 0 x 0 pixels"),
    pytest.param(png(4, 4, 3, 2, b""), "", id="PNG of a depth that does not exist"),
    pytest.param(png(4, 4, 8, 2, b"\0"), "", id="PNG with too few rows"),
    pytest.param(
        SOUND["PNG"].replace(b"IDAT", b"IDAT", 1)[:60] + b"\0" * 400, "", id="PNG with torn data"
    ),
    pytest.param(saved(Image.new("F", (4, 4)), "TIFF"), "mode F", id="TIFF of floats"),
    pytest.param(
        saved(Image.new("I", (4, 4)), "TIFF"), "without a known white", id="TIFF of 32 bits"
    ),
    pytest.param(saved(Image.new("LAB", (4, 4)), "TIFF"), "mode LAB", id="TIFF in Lab"),
    pytest.param(b"II*\0" + struct.pack("<I", 2**31), "", id="TIFF that points past its end"),
    pytest.param(
        tiff({256: (4, 1, 9), 257: (4, 1, 9), 277: (4, 1, 2**31)}, b""),
        "",
        id="TIFF of many samples",
    ),
]


@pytest.mark.filterwarnings("ignore:Truncated File Read")
@pytest.mark.parametrize(("data", "words"), UNREADABLE)
def test_what_is_no_picture_is_told_as_such(data: bytes, words: str) -> None:
    error = refusal(data)
    assert error.key == "picture_unreadable"
    assert words in error.values["reason"] and error.values["reason"]
    with pytest.raises(ResultUnavailable):
        decode_into(data, np.zeros((4, 4, 3), np.float32), None, name="the file")


def test_a_page_saved_under_the_name_of_a_picture_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "result.png"
    path.write_bytes(b"<html><body>Link expired</body></html>")
    for read in (probe, decode):
        with pytest.raises(ResultUnavailable, match="its first bytes look like: HTML"):
            read(path, name="result")


def test_a_missing_file_is_told_without_its_folder(tmp_path: Path) -> None:
    with pytest.raises(ResultUnavailable, match="does not exist") as caught:
        decode(tmp_path / "none.png", name="image 3")
    assert str(tmp_path) not in str(caught.value)


def test_a_file_reads_as_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "picture"
    for data in SOUND.values():
        path.write_bytes(data)
        assert np.array_equal(decode(path, name="a").pixels, picture(data).pixels)
        assert probe(path, name="a") == probe(data, name="a")


@pytest.fixture(params=[False, True], ids=["as Pillow ships", "truncation allowed by a neighbour"])
def truncation_switch(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", request.param)
    return None


@pytest.mark.usefixtures("truncation_switch")
@pytest.mark.filterwarnings("ignore:Truncated File Read")
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("kind", SOUND)
def test_truncated_file_is_refused_despite_pillow_settings(kind: str, share: float) -> None:
    data = SOUND[kind]
    assert refusal(data[: int(len(data) * share)]).key == "picture_unreadable"


@pytest.mark.usefixtures("truncation_switch")
@pytest.mark.parametrize("kind", SOUND)
def test_a_whole_file_is_read_whatever_a_neighbour_allows(kind: str) -> None:
    assert picture(SOUND[kind]).pixels.shape == (152, 248, 3)


@pytest.mark.usefixtures("truncation_switch")
def test_a_jpeg_without_its_end_mark_counts_as_cut_off() -> None:
    assert "too early" in refusal(SOUND["JPEG"].removesuffix(b"\xff\xd9")).values["reason"]


@pytest.mark.parametrize("limit", [None, 1, 1 << 18, 1 << 40])
@pytest.mark.parametrize(
    ("mode", "kind"),
    [("RGB", "PNG"), ("RGB", "JPEG"), ("RGBA", "PNG"), ("L", "PNG"), ("P", "GIF"), ("I;16", "PNG"),
     ("CMYK", "JPEG"), ("RGB", "BMP")],
)  # fmt: skip
def test_the_limit_of_a_neighbour_does_not_count(
    mode: str, kind: str, limit: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = saved(Image.new(mode, (700, 600)), kind)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    assert picture(data).pixels.shape == (600, 700, 3)
    assert refusal(data, max_pixels=419_999).key == "picture_too_large"
    assert limit == Image.MAX_IMAGE_PIXELS


def a_webp_claiming(side: int) -> bytes:
    canvas = (side - 1).to_bytes(3, "little") * 2
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas + b"VP8L" + bytes(60)
    return b"RIFF" + struct.pack("<I", len(body)) + body


BOMBS = [
    pytest.param(png(60_000, 60_000, 8, 2, b"\0"), 60_000, id="PNG header"),
    pytest.param(
        png(60_000, 60_000, 1, 0, b"\0" * 7501 * 500), 60_000, id="PNG of 3 KB that unpacks to GBs"
    ),
    pytest.param(a_webp_claiming(16_383), 16_383, id="WebP header"),
    pytest.param(
        b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + small_gif(1)[19:],
        65_535,
        id="GIF screen",
    ),
    pytest.param(
        b"BM" + bytes(12) + struct.pack("<IiiHHIIiiII", 40, 50_000, 50_000, 1, 24, *[0] * 6),
        50_000,
        id="BMP header",
    ),
    pytest.param(
        tiff(
            {256: (4, 1, 50_000), 257: (4, 1, 50_000), 258: (3, 1, 8), 262: (3, 1, 1),
             273: (4, 1, 0), 277: (3, 1, 1), 278: (4, 1, 50_000), 279: (4, 1, 9)},
            bytes(9),
        ),
        50_000,
        id="TIFF header",
    ),
    pytest.param(
        SOUND["JPEG"].replace(struct.pack(">HH", 152, 248), struct.pack(">HH", 65_000, 65_000)),
        65_000,
        id="JPEG header",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("data", "side"), BOMBS)
@pytest.mark.parametrize("limit", [None, 1000])
def test_a_bomb_is_told_by_its_size_before_memory_is_asked_for(
    data: bytes, side: int, limit: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    for read in (probe, decode):
        with pytest.raises(ResultUnavailable) as caught:
            read(data, name="the file")
        values = caught.value.values
        if caught.value.key == "picture_too_large":  # else Pillow's own check came first
            assert (values["width"], values["height"]) == (side, side)
            assert values["allowed"] == 64 * 1024 * 1024
        else:
            assert limit is not None


def test_a_gif_frame_larger_than_its_screen_counts() -> None:
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 40_000, 40_000, 0) + b"\x02\x02\x44\x01\x00;"
    data = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6) + frame
    refusal(data)


def test_no_memory_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(ImageFile.ImageFile, "load_prepare", full)
    assert "memory" in refusal(SOUND["BMP"]).values["reason"]


def test_file_whose_size_changed_after_measuring_is_refused() -> None:
    with pytest.raises(ResultUnavailable, match="had another size before"):
        decode_into(SOUND["PNG"], np.zeros((7, 7, 3), np.float32), None, name="the file")


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(kind=st.sampled_from(sorted(SOUND)), seed=st.integers(0, 2**32 - 1))
@pytest.mark.filterwarnings("ignore")
def test_damaged_bytes_raise_our_error_or_none(kind: str, seed: int) -> None:
    chance = np.random.default_rng(seed)
    data = np.frombuffer(SOUND[kind], np.uint8).copy()
    reach = min(len(data), int(chance.choice([40, 400, 10**6])))
    places = chance.integers(0, reach, chance.integers(1, 13))
    data[places] = chance.integers(0, 256, places.size)
    with contextlib.suppress(ResultUnavailable):
        decode(data.tobytes(), name="the file", max_pixels=1 << 20)


# ---- everything else ----


def test_the_format_is_told_by_the_first_bytes() -> None:
    found = {kind: media_type_of(data[:32]) for kind, data in SOUND.items()}
    assert found == {kind: f"image/{kind.lower()}" for kind in SOUND}
    assert media_type_of(b"") is None and media_type_of(b"GIF") is None


def test_a_header_is_enough_for_the_header(tmp_path: Path) -> None:
    path = tmp_path / "start.jpg"
    path.write_bytes(saved(Image.new("RGB", (3000, 2000)), "JPEG")[:700])
    info = probe(path, name="the file")
    assert (info.width, info.height, info.media_type) == (3000, 2000, "image/jpeg")


def test_decoding_into_a_part_of_a_batch_leaves_the_rest_alone() -> None:
    batch = np.full((3, 19, 31, 3), 7, np.float32)
    decode_into(saved(Image.fromarray(RGB), "PNG"), batch[1], None, name="the file")
    assert (batch[0] == 7).all() and (batch[2] == 7).all()
    assert np.array_equal(np.rint(batch[1] * 255), RGB)


def test_many_threads_decode_the_same_pixels() -> None:
    data = [case.values[0] for case in ORDINARY + WITH_ALPHA]
    alone = [picture(one).pixels for one in data]
    start = threading.Barrier(4)

    def work(_: int) -> list[Pixels]:
        start.wait()
        return [picture(one).pixels for one in data]

    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(work, range(4)):
            assert all(np.array_equal(one, two) for one, two in zip(result, alone, strict=True))
