"""Files that are refused before their pixels take memory or time."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from PIL import Image, ImageFile

from seedream_api.errors import ResultUnavailable
from seedream_api.images.decode import decode, decode_into, probe
from seedream_api.images.header import jpeg_scans
from support.decoding import (
    SMOOTH,
    SOUND,
    chunk,
    picture,
    png,
    saved,
    small_gif,
    tiff,
)


def refusal(data: bytes, **options: Any) -> ResultUnavailable:
    with pytest.raises(ResultUnavailable) as caught:
        decode(data, name="the file", **options)
    assert caught.value.values["given"] == "the file"
    return caught.value


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


# ---- what is refused ----


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
def test_file_that_is_not_an_image_is_named_as_such(data: bytes, words: str) -> None:
    error = refusal(data)
    assert error.key == "picture_unreadable"
    assert words in error.values["reason"] and error.values["reason"]
    with pytest.raises(ResultUnavailable):
        decode_into(data, np.zeros((4, 4, 3), np.float32), None, name="the file")


def test_page_with_the_name_of_an_image_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "result.png"
    path.write_bytes(b"<html><body>Link expired</body></html>")
    for read in (probe, decode):
        with pytest.raises(ResultUnavailable, match="its first bytes look like: HTML"):
            read(path, name="result")


def test_missing_file_is_named_without_its_folder(tmp_path: Path) -> None:
    with pytest.raises(ResultUnavailable, match="does not exist") as caught:
        decode(tmp_path / "none.png", name="image 3")
    assert str(tmp_path) not in str(caught.value)


def test_file_reads_as_its_bytes(tmp_path: Path) -> None:
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
def test_whole_file_is_read_whatever_a_neighbour_allows(kind: str) -> None:
    assert picture(SOUND[kind]).pixels.shape == (152, 248, 3)


@pytest.mark.usefixtures("truncation_switch")
def test_jpeg_without_its_end_mark_counts_as_cut_off() -> None:
    assert "too early" in refusal(SOUND["JPEG"].removesuffix(b"\xff\xd9")).values["reason"]


@pytest.mark.parametrize("limit", [None, 1, 1 << 18, 1 << 40])
@pytest.mark.parametrize(
    ("mode", "kind"),
    [("RGB", "PNG"), ("RGB", "JPEG"), ("RGBA", "PNG"), ("L", "PNG"), ("P", "GIF"), ("I;16", "PNG"),
     ("CMYK", "JPEG"), ("RGB", "BMP")],
)  # fmt: skip
def test_limit_of_a_neighbour_does_not_count(
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
def test_bomb_is_refused_by_its_size_before_allocation(
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


def test_gif_frame_larger_than_its_screen_counts() -> None:
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 40_000, 40_000, 0) + b"\x02\x02\x44\x01\x00;"
    data = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6) + frame
    refusal(data)


def test_lack_of_memory_is_reported_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
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
