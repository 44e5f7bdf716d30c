"""Bytes from anywhere -> pixels: a gallery of odd, hostile and ordinary files."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from seedream_api.images.decode import decode_into, probe
from support.decoding import (
    Pixels,
    picture,
)
from support.ordinary_files import ORDINARY, WITH_ALPHA


@pytest.mark.parametrize(("data", "is_right"), ORDINARY)
def test_ordinary_file_gives_its_pixels(data: bytes, is_right: Callable[[Pixels], bool]) -> None:
    found = picture(data)
    assert is_right(found.pixels)
    assert found.alpha is None
    assert found.pixels.dtype == np.uint8 and found.pixels.flags.c_contiguous


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
