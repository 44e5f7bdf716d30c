"""References from pixels in the forms that programs have them in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from seedream_api.errors import InvalidRequest
from seedream_api.service.references import file_reference, pixels_reference

RGB = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
GREY = np.full((4, 5), 100, np.uint8)


def held(given: Any) -> Any:
    reference = pixels_reference(given, "a")
    assert (reference.width, reference.height) == (5, 4) and reference.pixels is not None
    assert reference.pixels.dtype == np.uint8 and reference.pixels.shape == (4, 5, 3)
    return reference.pixels


@pytest.mark.parametrize(
    "given",
    [
        RGB, RGB[None], RGB.tolist(), RGB.astype(np.int64), RGB / 255.0,
        (RGB / 255.0).astype(np.float32), RGB.astype(np.uint16) * 257, Image.fromarray(RGB),
    ],
)  # fmt: skip
def test_same_pixels_in_any_form_are_one_reference(given: Any) -> None:
    assert (held(given) == RGB).all()
    assert pixels_reference(given, "a").identity() == pixels_reference(RGB, "b").identity()


@pytest.mark.parametrize(
    "given",
    [GREY, GREY[:, :, None], GREY / 255.0, GREY.astype(np.uint16) * 257, Image.fromarray(GREY)],
)
def test_grey_pixels_become_rgb(given: Any) -> None:
    assert (held(given) == 100).all()


def test_pixels_of_the_usual_form_are_not_copied() -> None:
    assert held(RGB) is RGB


@pytest.mark.parametrize("make", [lambda one: one, Image.fromarray, lambda one: one / 255.0])
def test_transparency_is_composited_on_white_and_noted(make: Any) -> None:
    clear = np.zeros((4, 5, 4), np.uint8)
    assert (held(make(clear)) == 255).all()
    assert "composited on white" in pixels_reference(make(clear), "a").notes[0]


@pytest.mark.parametrize(
    "given",
    [
        None, "a.png", 5, [], [[1], [2, 3]], object(), RGB[:, :, :2], np.zeros((3, 40, 50)),
        np.stack([RGB, RGB]), np.zeros((0, 5, 3), np.uint8), RGB * 1.0, RGB - 300.0,
        np.full((4, 5, 3), np.nan), np.full((4, 5), 1j), RGB.astype(np.int64) + 300,
        Image.new("F", (5, 4)), b"abc",
    ],
)  # fmt: skip
def test_anything_else_is_refused_in_our_own_words(given: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        pixels_reference(given, "a")
    assert caught.value.message("zh") and not caught.value.may_have_been_charged


def test_file_may_be_named_by_a_text(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.png")
    assert file_reference(str(tmp_path / "a.png")).name == "a.png"
    wrong: list[Any] = [None, 5, b"a.png", "a\0.png", tmp_path, tmp_path / "none.png", ""]
    for one in wrong:
        with pytest.raises(InvalidRequest):
            file_reference(one, 2)
