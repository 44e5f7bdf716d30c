"""References: the same picture is the same reference, wherever it came from."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from seedream_api.catalog import AIMED_REFERENCE_BYTES, MAX_REFERENCE_BYTES, MAX_REFERENCE_SIDE
from seedream_api.errors import InvalidRequest
from seedream_api.images.decode import decode
from seedream_api.images.encode import EncodedImage
from seedream_api.service.references import (
    PictureReference,
    UrlReference,
    file_reference,
    pixels_reference,
    read_identities,
)

Pixels = npt.NDArray[np.uint8]
AIM, CAP = AIMED_REFERENCE_BYTES.value, MAX_REFERENCE_BYTES.value


def noise(height: int, width: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def saved(path: Path, pixels: npt.NDArray[Any], **options: Any) -> Path:
    Image.fromarray(pixels).save(path, **options)
    return path


# ---- identity ----


def test_equal_pixels_are_equal_references() -> None:
    pixels = noise(20, 30)
    one, other = pixels_reference(pixels, "image_1"), pixels_reference(pixels.copy(), "image_7")
    assert one.identity() == other.identity() and one.identity().startswith("sha256:")
    assert (one.width, one.height) == (30, 20)


def test_view_is_the_same_reference_as_its_copy() -> None:
    view = noise(40, 60)[::2, ::-1]
    copy = np.ascontiguousarray(view)
    assert pixels_reference(view, "a").identity() == pixels_reference(copy, "b").identity()


def test_one_other_bit_or_another_shape_is_another_reference() -> None:
    pixels = noise(20, 30)
    changed = pixels.copy()
    changed[19, 29, 2] ^= 1
    prints = [pixels, changed, pixels.reshape(30, 20, 3), pixels[:, ::-1], pixels[:10]]
    assert len({pixels_reference(one, "a").identity() for one in prints}) == len(prints)


def test_url_references_compare_by_url_and_hide_it() -> None:
    signed = "https://example.com/a.png?sig=hunter2"
    assert UrlReference(signed).identity() == f"url:{signed}"
    assert UrlReference(signed) == UrlReference(signed) != UrlReference(signed + "2")
    assert "hunter2" not in repr(UrlReference(signed))


def test_file_is_identified_by_its_bytes_not_its_name(tmp_path: Path) -> None:
    first = saved(tmp_path / "a.png", noise(20, 30))
    second = tmp_path / "b.png"
    second.write_bytes(first.read_bytes())
    other = saved(tmp_path / "c.png", noise(20, 30, seed=1))
    one, same, another = (file_reference(path, 1) for path in (first, second, other))
    assert one.identity() == same.identity() != another.identity()


def test_identities_come_in_order() -> None:
    references = [pixels_reference(noise(4, 4, seed), "a") for seed in range(5)]
    mixed = [references[0], UrlReference("https://example.com/a.png"), *references[1:]]
    assert asyncio.run(read_identities(mixed)) == tuple(one.identity() for one in mixed)
    assert asyncio.run(read_identities([])) == ()


def test_no_repr_shows_pixels_or_bytes(tmp_path: Path) -> None:
    for reference in (
        pixels_reference(noise(4, 4), "a"),
        file_reference(saved(tmp_path / "a.png", noise(4, 4)), 1),
    ):
        assert "array" not in repr(reference) and "PNG" not in repr(reference)


# ---- files ----


@pytest.mark.parametrize("ending", ["png", "jpg", "webp"])
def test_plain_file_is_sent_as_it_is(tmp_path: Path, ending: str) -> None:
    path = saved(tmp_path / f"a.{ending}", noise(20, 30))
    reference = file_reference(path, 1)
    encoded = reference.encode(AIM, CAP)
    assert encoded.data == path.read_bytes() and encoded.notes == () == reference.notes
    assert (reference.width, reference.height, reference.name) == (30, 20, path.name)


@pytest.mark.parametrize("ending", ["bmp", "tiff", "gif"])
def test_file_in_another_format_is_sent_as_its_pixels(tmp_path: Path, ending: str) -> None:
    pixels = (noise(20, 30) // 128 * 255).astype(np.uint8)
    reference = file_reference(saved(tmp_path / f"a.{ending}", pixels), 1)
    encoded = reference.encode(AIM, CAP)
    assert encoded.media_type == "image/png"
    assert np.array_equal(decode(encoded.data, name="sent").pixels, pixels)


def test_transparency_becomes_white_and_is_noted(tmp_path: Path) -> None:
    pixels = np.zeros((20, 30, 4), np.uint8)
    pixels[:10, :, 3] = 255
    reference = file_reference(saved(tmp_path / "a.png", pixels), 1)
    shown = decode(reference.encode(AIM, CAP).data, name="sent").pixels
    assert (shown[:10] == 0).all() and (shown[10:] == 255).all()
    (note,) = reference.notes
    assert "a.png" in note and "white" in note


@pytest.mark.parametrize("ending", ["webp", "png", "gif"])
def test_first_frame_of_animation_is_sent_and_noted(tmp_path: Path, ending: str) -> None:
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "blue", "lime")]
    path = tmp_path / f"a.{ending}"
    frames[0].save(path, save_all=True, append_images=frames[1:], **(
        {"lossless": True} if ending == "webp" else {}
    ))  # fmt: skip
    reference = file_reference(path, 1)
    encoded = reference.encode(AIM, CAP)
    with Image.open(io.BytesIO(encoded.data)) as image:
        assert (image.format, getattr(image, "n_frames", 1)) == ("PNG", 1)
        assert image.getpixel((5, 5)) == (255, 0, 0)
    assert reference.notes == (f"{path.name}: animated: the first frame is used",)


def test_file_with_a_side_over_the_limit_is_scaled_down(tmp_path: Path) -> None:
    long = MAX_REFERENCE_SIDE.value + 400
    path = saved(tmp_path / "a.png", np.zeros((500, long, 3), np.uint8))
    encoded = file_reference(path, 1).encode(AIM, CAP)
    assert encoded.data != path.read_bytes() and encoded.width == MAX_REFERENCE_SIDE.value
    assert encoded.notes


def test_file_over_the_cap_is_made_smaller() -> None:
    heavy = EncodedImage(b"\0" * 50_001, "image/png", True, (), 10, 10)
    light = EncodedImage(b"\0" * 50_000, "image/png", True, (), 10, 10)
    assert PictureReference("a", 10, 10, file=light).encode(50_000, 50_000) is light
    with pytest.raises(Exception, match="a is not a readable image"):
        PictureReference("a", 10, 10, file=heavy).encode(50_000, 50_000)


def test_pixels_over_the_aim_become_lossy_and_are_noted() -> None:
    encoded = pixels_reference(noise(300, 300), "a").encode(60_000, CAP)
    assert len(encoded.data) <= 60_000 and not encoded.lossless and encoded.notes


@pytest.mark.parametrize("content", [None, b"", b"not an image", b"\x89PNG\r\n\x1a\n", b"<svg/>"])
def test_file_other_than_an_image_is_named_with_its_number(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "holiday.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidRequest) as caught:
        file_reference(path, 3)
    assert caught.value.key == "reference_unreadable" and caught.value.exit_code == 2
    for language in ("en", "zh"):
        text = caught.value.message(language)
        assert "holiday.png" in text and "3" in text
    assert caught.value.values["reason"]


def test_folder_is_refused_as_a_reference(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest):
        file_reference(tmp_path, 1)


def test_turned_photo_has_the_size_it_is_shown_with(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path / "a.jpg", noise(20, 30), exif=exif)
    reference = file_reference(path, 1)
    assert (reference.width, reference.height) == (20, 30)
