"""Pixels -> bytes: lossless where it fits, within the budget always."""

from __future__ import annotations

import math
import tempfile
from io import BytesIO

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, assume, given, settings, strategies as st
from PIL import Image

from seedream_api.catalog import AIMED_REFERENCE_BYTES, MAX_REFERENCE_BYTES
from seedream_api.errors import InvalidRequest
from seedream_api.images.decode import decode
from seedream_api.images.encode import EncodedImage, _allowed_size, composited_on_white, encode

Pixels = npt.NDArray[np.uint8]


def noise(height: int, width: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def photo(height: int, width: int, grain: float = 6) -> Pixels:
    rows, columns = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
    smooth = np.stack([60 + 150 * columns, 40 + 160 * rows, 90 + 60 * np.sin(9 * columns)], -1)
    smooth += np.random.default_rng(1).normal(0, grain, smooth.shape)
    return np.clip(smooth, 0, 255).astype(np.uint8)


def shown(encoded: EncodedImage) -> Pixels:
    return decode(encoded.data, name="encoded").pixels


def loudness_of_error(before: Pixels, after: Pixels) -> float:
    """Peak signal to noise, in dB."""
    error = np.mean((before.astype(np.float64) - after) ** 2)
    return 10 * math.log10(255**2 / error)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    levels=st.sampled_from([1, 2, 17, 256]),
    seed=st.integers(0, 2**32 - 1),
)
def test_small_image_survives_encoding_bit_for_bit(
    height: int, width: int, levels: int, seed: int
) -> None:
    pixels = (noise(height, width, seed).astype(int) % levels).astype(np.uint8)
    encoded = encode(pixels)
    assert encoded.lossless and encoded.media_type == "image/png" and encoded.notes == ()
    assert (encoded.width, encoded.height) == (width, height)
    assert np.array_equal(shown(encoded), pixels)


def test_file_passes_the_strict_checks_of_another_reader() -> None:
    with Image.open(BytesIO(encode(photo(300, 200)).data), formats=["PNG"]) as image:
        image.verify()


@pytest.mark.parametrize(
    "pixels",
    [
        pytest.param(np.full((3000, 4000, 3), 77, np.uint8), id="flat"),
        pytest.param(np.tile(noise(64, 64), (47, 47, 1)), id="repeating texture"),
        pytest.param(np.pad(noise(900, 900), ((0, 2600), (0, 2600), (0, 0))), id="first corner"),
        pytest.param(np.pad(noise(900, 900), ((2600, 0), (2600, 0), (0, 0))), id="last corner"),
        pytest.param(photo(1100, 1200), id="photo of 1.3 MP"),
    ],
)
def test_picture_that_fits_losslessly_is_never_sent_lossy(pixels: Pixels) -> None:
    encoded = encode(pixels)
    assert encoded.lossless and len(encoded.data) <= AIMED_REFERENCE_BYTES.value
    assert np.array_equal(shown(encoded), pixels)


def test_photo_over_the_budget_becomes_a_fine_jpeg_and_says_so() -> None:
    pixels = photo(2048, 2048)
    encoded = encode(pixels)
    assert not encoded.lossless and encoded.media_type == "image/jpeg"
    assert len(encoded.data) <= AIMED_REFERENCE_BYTES.value
    assert loudness_of_error(pixels, shown(encoded)) > 35
    assert len(encoded.notes) == 1 and "JPEG of quality 95" in encoded.notes[0]


@pytest.mark.parametrize("aim", [2_000_000, 1_000_000, 500_000, 200_000, 60_000])
def test_budget_is_kept_and_mostly_used(aim: int) -> None:
    encoded = encode(photo(1500, 1500), aim_bytes=aim)
    assert not encoded.lossless
    assert 0.75 * aim < len(encoded.data) <= aim


def test_larger_budget_never_gives_a_worse_picture() -> None:
    pixels = photo(900, 900)
    aims = (80_000, 160_000, 320_000, 640_000)
    qualities = [loudness_of_error(pixels, shown(encode(pixels, aim_bytes=aim))) for aim in aims]
    assert qualities == sorted(qualities)


def test_pure_noise_of_the_largest_size_ends_and_fits() -> None:
    encoded = encode(noise(6000, 6000))
    assert (encoded.width, encoded.height) == (6000, 6000)
    assert len(encoded.data) <= AIMED_REFERENCE_BYTES.value


@pytest.mark.parametrize("aim", [0, 1, 700, 3000])
def test_impossible_aim_gives_the_smallest_jpeg_under_the_cap(aim: int) -> None:
    encoded = encode(noise(256, 256), aim_bytes=aim)
    assert encoded.media_type == "image/jpeg"
    assert len(encoded.data) <= MAX_REFERENCE_BYTES.value


def test_impossible_cap_is_refused_with_both_numbers() -> None:
    with pytest.raises(InvalidRequest) as caught:
        encode(noise(256, 256), aim_bytes=1000, cap_bytes=1000)
    assert caught.value.key == "bodies_too_large"
    assert caught.value.values["given"] > caught.value.values["allowed"] == 1000


def test_cap_below_the_aim_is_kept_too() -> None:
    assert len(encode(noise(256, 256), aim_bytes=10**7, cap_bytes=50_000).data) <= 50_000


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (6001, 100, (6000, 99)),
        (100, 7000, (85, 6000)),
        (6000, 6000, (6000, 6000)),
        (6001, 6000, (6000, 5999)),
        (24_000, 1_500, (6000, 375)),
        (12000, 3000, (6000, 1500)),
    ],
)
def test_encode_shrinks_only_above_limits_and_states_both_sizes(
    width: int, height: int, expected: tuple[int, int]
) -> None:
    encoded = encode(np.zeros((height, width, 3), np.uint8))
    assert (encoded.width, encoded.height) == expected
    assert shown(encoded).shape == (expected[1], expected[0], 3)
    if expected == (width, height):
        assert encoded.lossless and encoded.notes == ()
    else:
        assert not encoded.lossless
        assert f"{width} x {height}" in encoded.notes[0]
        assert f"{expected[0]} x {expected[1]}" in encoded.notes[0]


@given(width=st.integers(15, 100_000), height=st.integers(15, 100_000))
def test_scaling_down_keeps_within_every_limit_of_the_service(width: int, height: int) -> None:
    assume(max(width, height) <= 16 * min(width, height))
    smaller = _allowed_size(width, height)
    assert max(smaller) <= 6000 and smaller[0] * smaller[1] <= 36_000_000
    assert min(smaller) >= 15 and max(smaller) <= 16 * min(smaller)
    assert (smaller == (width, height)) == (max(width, height) <= 6000)


@pytest.mark.parametrize(
    "pixels",
    [
        pytest.param(photo(40, 60)[:, ::-1], id="mirrored"),
        pytest.param(photo(40, 60).swapaxes(0, 1), id="transposed"),
        pytest.param(photo(40, 60)[::3, ::2], id="thinned out"),
        pytest.param(np.asfortranarray(photo(40, 60)), id="column order"),
    ],
)
def test_view_is_encoded_as_it_looks(pixels: Pixels) -> None:
    assert np.array_equal(shown(encode(pixels)), pixels)
    assert np.allclose(shown(encode(pixels, aim_bytes=2600)).mean(), pixels.mean(), atol=6)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
    ids=["no channels", "four channels", "floats", "no rows"],
)
def test_array_of_another_shape_is_refused_with_its_shape(array: npt.NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match=r"no uint8 \[H, W, 3\] picture"):
        encode(array)


def test_compositing_on_white_is_exact_for_any_color_and_alpha() -> None:
    colour, alpha = np.meshgrid(np.arange(256), np.arange(256))
    pixels = np.repeat(colour[:, :, None], 3, axis=2).astype(np.uint8)
    expected = np.rint((colour * alpha + 255 * (255 - alpha)) / 255)
    result = composited_on_white(pixels, alpha.astype(np.uint8))
    assert np.array_equal(result[:, :, 0], expected)
    assert np.array_equal(result[:, :, 2], expected)


def test_encode_works_without_a_temporary_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pixels = noise(600, 600)
    by_file = encode(pixels, aim_bytes=200_000)
    monkeypatch.setattr(tempfile, "tempdir", "/there/is/no/such/folder")
    assert encode(pixels, aim_bytes=200_000) == by_file
    assert by_file.media_type == "image/jpeg" and len(by_file.data) <= 200_000
