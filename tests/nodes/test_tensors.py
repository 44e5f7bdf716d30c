"""IMAGE and MASK <-> pictures. The pack's own package needs ComfyUI; this module of it does not."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from support.tensor_kit import noise, some

LEVELS = torch.arange(256, dtype=torch.float32) / 255


def test_every_8_bit_level_survives_a_round_trip(tensors: ModuleType) -> None:
    image = LEVELS.reshape(1, 16, 16, 1).expand(1, 16, 16, 3)
    (pixels,) = tensors.to_pixels(image)
    assert np.array_equal(pixels[:, :, 1].ravel(), np.arange(256))
    assert pixels.dtype == np.uint8 and pixels.shape == (16, 16, 3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_other_float_types_are_read_to_their_precision(
    tensors: ModuleType, dtype: torch.dtype
) -> None:
    image = LEVELS.to(dtype).reshape(16, 16, 1).repeat(1, 1, 3)
    (pixels,) = tensors.to_pixels(image)
    error = np.abs(pixels[:, :, 0].ravel().astype(int) - np.arange(256))
    assert error.max() <= (1 if dtype is torch.bfloat16 else 0)


@some
@given(seed=st.integers(0, 2**32 - 1))
def test_any_float_is_rounded_to_the_nearest_level(tensors: ModuleType, seed: int) -> None:
    values = np.random.default_rng(seed).random((40, 40, 3), dtype=np.float32)
    (pixels,) = tensors.to_pixels(torch.from_numpy(values))
    assert np.abs(pixels - values.astype(np.float64) * 255).max() <= 0.5 + 1e-4


def test_values_outside_are_clipped_and_never_wrap(tensors: ModuleType) -> None:
    strange = [1.005, 1.0, 300.0, float("inf"), -0.01, -300.0, float("-inf"), float("nan"), 0.5]
    image = torch.tensor(strange).reshape(3, 3, 1).repeat(1, 1, 3)
    (pixels,) = tensors.to_pixels(image)
    assert pixels[:, :, 2].ravel().tolist() == [255, 255, 255, 255, 0, 0, 0, 0, 128]


@some
@given(
    count=st.integers(0, 5), height=st.integers(1, 9), width=st.integers(1, 9), seed=st.integers(0)
)
def test_every_frame_of_a_batch_comes_in_order(
    tensors: ModuleType, count: int, height: int, width: int, seed: int
) -> None:
    frames = [noise(height, width, seed=seed + number) for number in range(count)]
    batch = torch.zeros(count, height, width, 3)
    for number, frame in enumerate(frames):
        batch[number] = torch.from_numpy(frame) / 255
    found = tensors.to_pixels(batch)
    assert tensors.frame_count(batch) == len(found) == count
    assert all(np.array_equal(one, two) for one, two in zip(found, frames, strict=True))


def test_single_picture_without_a_batch_is_one_frame(tensors: ModuleType) -> None:
    image = torch.rand(4, 7, 3)
    assert tensors.frame_count(image) == 1
    assert [pixels.shape for pixels in tensors.to_pixels(image)] == [(4, 7, 3)]


def test_large_frame_is_converted_whole(tensors: ModuleType) -> None:
    pixels = noise(1300, 900)
    (found,) = tensors.to_pixels(torch.from_numpy(pixels).float()[None] / 255)
    assert np.array_equal(found, pixels)


def test_one_channel_is_grey(tensors: ModuleType) -> None:
    (pixels,) = tensors.to_pixels(LEVELS.reshape(1, 16, 16, 1))
    assert pixels.shape == (16, 16, 3)
    assert (pixels == np.arange(256).reshape(16, 16, 1)).all()


def test_four_channels_are_composited_on_white(tensors: ModuleType) -> None:
    image = torch.tensor([[1.0, 0, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0.5]]).reshape(1, 3, 4)
    (pixels,) = tensors.to_pixels(image)
    assert pixels.tolist() == [[[255, 0, 0], [255, 255, 255], [127, 127, 127]]]


@pytest.mark.parametrize(
    "view",
    [
        lambda image: image.permute(0, 2, 1, 3),
        lambda image: image.flip(1),
        lambda image: image[:, ::2, ::3],
        lambda image: image.to(memory_format=torch.channels_last),
        lambda image: image.clone().requires_grad_(),
        lambda image: image[..., :1].expand(-1, -1, -1, 3),
    ],
    ids=["permuted", "flipped", "strided", "channels last", "requires grad", "expanded"],
)
def test_view_is_read_as_it_looks(tensors: ModuleType, view: Any) -> None:
    image = view(torch.from_numpy(noise(12, 18)).float()[None] / 255)
    expected = np.rint(image.detach().numpy()[0] * 255)
    before = image.detach().clone()
    (pixels,) = tensors.to_pixels(image)
    assert np.array_equal(pixels, expected)
    assert torch.equal(image.detach(), before), "the node's input is not ours to change"


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (torch.zeros(4, 4), r"\[4, 4\]"),
        (torch.zeros(1, 1, 4, 4, 3), r"\[1, 1, 4, 4, 3\]"),
        (torch.zeros(1, 3, 4, 5), r"\[1, 3, 4, 5\]"),
        (torch.zeros(1, 4, 4, 2), r"\[1, 4, 4, 2\]"),
        (torch.zeros(1, 0, 4, 3), "no pixels"),
        (torch.zeros(1, 4, 4, 3, dtype=torch.uint8), "uint8"),
    ],
    ids=["rank 2", "rank 5", "channels first", "two channels", "no rows", "integers"],
)
def test_tensor_of_another_shape_is_refused_with_its_shape(
    tensors: ModuleType, image: torch.Tensor, words: str
) -> None:
    for convert in (tensors.to_pixels, tensors.frame_count):
        with pytest.raises(ValueError, match=words):
            convert(image)
