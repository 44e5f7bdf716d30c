"""Orientation, frames, and what else a file says about how it is shown."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from seedream_api.images.decode import decode_into, probe
from seedream_api.images.media_types import media_type_of
from support.decoding import (
    ALPHA,
    RGB,
    SMOOTH,
    SOUND,
    Pixels,
    nearly,
    picture,
    saved,
    small_gif,
)
from support.ordinary_files import ORDINARY, TRANSPARENT, WITH_ALPHA

# ---- turned ----


def turned(orientation: int, kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    return saved(Image.fromarray(RGB), kind, exif=exif.tobytes(), **options)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_picture_is_shown_as_its_camera_meant(kind: str, orientation: int) -> None:
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
def test_turned_tiff_is_turned_once(orientation: int) -> None:
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
def test_orientation_that_does_not_exist_is_none(orientation: int) -> None:
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


def test_million_empty_frames_are_not_counted() -> None:
    data = small_gif(200_000)
    assert probe(data, name="the file").is_animated
    assert picture(data).notes == ("animated: the first frame is used",)


# ---- everything else ----


def test_format_is_detected_from_the_first_bytes() -> None:
    found = {kind: media_type_of(data[:32]) for kind, data in SOUND.items()}
    assert found == {kind: f"image/{kind.lower()}" for kind in SOUND}
    assert media_type_of(b"") is None and media_type_of(b"GIF") is None


def test_header_is_enough_for_the_header(tmp_path: Path) -> None:
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
