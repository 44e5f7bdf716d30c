"""Files to tensors: sizes, masks, failures."""

from __future__ import annotations

import os
import threading
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, strategies as st
from PIL import Image

from support.tensor_kit import noise, some


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def names(count: int) -> list[str]:
    return [f"image {number}" for number in range(1, count + 1)]


def levels(tensor: torch.Tensor) -> npt.NDArray[np.uint8]:
    """As exact 8-bit levels; anything between two levels fails."""
    scaled = tensor.numpy() * 255.0
    assert np.abs(scaled - np.rint(scaled)).max() < 1e-3
    return np.rint(scaled).astype(np.uint8)


@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
def test_pictures_of_one_size_fill_one_batch_in_order(tensors: ModuleType, fit: str) -> None:
    pixels = [noise(20, 30, seed=number) for number in range(7)]
    made = tensors.to_tensors([png(one) for one in pixels], fit=fit, names=names(7))
    assert made.images.dtype == torch.float32 and made.images.shape == (7, 20, 30, 3)
    assert made.images.is_contiguous()
    assert np.array_equal(levels(made.images), np.stack(pixels))
    assert made.masks is None and made.failures == []
    assert made.sizes == [(30, 20)] * 7 and made.positions == list(range(7))
    for number, item in enumerate(made.image_list):
        assert torch.equal(item, made.images[number : number + 1])
        assert item.data_ptr() == made.images[number].data_ptr(), "no second copy"


def test_colours_are_those_of_comfyuis_own_loader_to_the_bit(tensors: ModuleType) -> None:
    pixels = np.arange(256 * 3).reshape(16, 16, 3).astype(np.uint8)
    made = tensors.to_tensors([png(pixels)], fit="pad", names=names(1))
    expected = torch.from_numpy(pixels.astype(np.float32) / 255.0)
    assert torch.equal(made.images[0], expected)


sizes = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=1, max_size=5)


@some
@given(sizes=sizes, fit=st.sampled_from(["pad", "crop", "stretch"]), seed=st.integers(0, 2**31))
def test_tensor_list_is_untouched_and_batch_has_largest_sides(
    tensors: ModuleType, sizes: list[tuple[int, int]], fit: str, seed: int
) -> None:
    pixels = [noise(height, width, 4, seed) for width, height in sizes]
    made = tensors.to_tensors(
        [png(one) for one in pixels], fit=fit, names=names(len(sizes)), with_masks=True
    )
    width, height = max(w for w, _ in sizes), max(h for _, h in sizes)
    assert made.images.shape == (len(sizes), height, width, 3)
    assert made.masks.shape == (len(sizes), height, width)
    assert made.sizes == sizes
    assert made.images.min() >= 0 and made.images.max() <= 1
    assert made.masks.min() >= 0 and made.masks.max() <= 1
    for item, one, frame in zip(made.image_list, pixels, made.images, strict=True):
        assert np.array_equal(levels(item[0]), one[:, :, :3])
        if item.shape[1:3] == frame.shape[:2]:
            assert torch.equal(item[0], frame), "what has the size already is not resampled"


@some
@given(sizes=sizes, seed=st.integers(0, 2**31))
def test_pad_centres_on_black_without_resampling(
    tensors: ModuleType, sizes: list[tuple[int, int]], seed: int
) -> None:
    pixels = [noise(height, width, 4, seed) for width, height in sizes]
    made = tensors.to_tensors(
        [png(one) for one in pixels], fit="pad", names=names(len(sizes)), with_masks=True
    )
    full_height, full_width = made.images.shape[1:3]
    for one, frame, mask in zip(pixels, made.images, made.masks, strict=True):
        height, width = one.shape[:2]
        top, left = (full_height - height) // 2, (full_width - width) // 2
        border = ((top, full_height - height - top), (left, full_width - width - left))
        assert np.array_equal(levels(frame), np.pad(one[:, :, :3], (*border, (0, 0))))
        assert np.array_equal(levels(mask), np.pad(255 - one[:, :, 3], border)), "border: opaque"


def test_stretch_scales_each_side_separately(tensors: ModuleType) -> None:
    halves = np.zeros((10, 20, 3), np.uint8)
    halves[:, 10:] = 255
    made = tensors.to_tensors([png(halves), png(noise(40, 40))], fit="stretch", names=names(2))
    frame = made.images[0]
    assert frame.shape == (40, 40, 3)
    assert (frame[:, :16] < 0.02).all() and (frame[:, 24:] > 0.98).all()


def test_crop_covers_and_keeps_the_middle(tensors: ModuleType) -> None:
    stripes = np.zeros((10, 30, 3), np.uint8)
    stripes[:, 10:20] = 255  # the middle third: all that a square shows
    made = tensors.to_tensors([png(stripes), png(noise(30, 30))], fit="crop", names=names(2))
    assert made.images.shape == (2, 30, 30, 3)
    assert (made.images[0] > 0.98).all()


def test_crop_of_a_sliver_needs_only_the_memory_of_its_result(tensors: ModuleType) -> None:
    sliver, wide = np.full((3000, 2, 3), 9, np.uint8), np.zeros((2, 3000, 3), np.uint8)
    made = tensors.to_tensors([png(sliver), png(wide)], fit="crop", names=names(2))
    assert made.images.shape == (2, 3000, 3000, 3)
    assert (levels(made.images[0, ::500, ::500]) == 9).all()


def test_masks_are_one_minus_alpha_and_zeros_without(tensors: ModuleType) -> None:
    with_alpha, without = noise(6, 8, 4), noise(6, 8)
    made = tensors.to_tensors(
        [png(with_alpha), png(without)], fit="pad", names=names(2), with_masks=True
    )
    assert np.array_equal(levels(made.masks[0]), 255 - with_alpha[:, :, 3])
    assert not made.masks[1].any()
    assert np.array_equal(levels(made.images[0]), with_alpha[:, :, :3]), "colours stay straight"


def test_notes_stand_with_their_source(tensors: ModuleType) -> None:
    file = BytesIO()
    red, blue = Image.new("RGB", (8, 6), "red"), Image.new("RGB", (8, 6), "blue")
    red.save(file, "GIF", save_all=True, append_images=[blue])
    sources = [png(noise(6, 8)), b"", file.getvalue()]
    made = tensors.to_tensors(sources, fit="pad", names=names(3))
    assert made.notes == [[], [], ["animated: the first frame is used"]]


BAD_HEADER, BAD_END = b"<html>gone</html>", png(noise(20, 30))[:-700]


@pytest.mark.parametrize("bad", [BAD_HEADER, BAD_END], ids=["no picture", "cut off"])
@pytest.mark.parametrize("places", [[0], [1], [3], [0, 2], [1, 2]], ids=str)
@pytest.mark.parametrize("shape", [(20, 30), (10, 12)], ids=["one size", "two sizes"])
def test_bad_sources_are_left_out_and_told(
    tensors: ModuleType, bad: bytes, places: list[int], shape: tuple[int, int]
) -> None:
    pixels = [noise(20, 30, 4, 0), *(noise(*shape, 4, seed) for seed in (1, 2, 3))]
    sources = [bad if number in places else png(one) for number, one in enumerate(pixels)]
    made = tensors.to_tensors(sources, fit="pad", names=names(4), with_masks=True)
    good = [number for number in range(4) if number not in places]
    assert made.positions == good
    assert [place for place, _ in made.failures] == places
    for place, error in made.failures:
        assert type(error).__name__ == "ResultUnavailable"
        assert error.values["given"] == f"image {place + 1}"
    assert made.images.shape[0] == made.masks.shape[0] == len(made.image_list) == len(good)
    for item, number in zip(made.image_list, good, strict=True):
        assert np.array_equal(levels(item[0]), pixels[number][:, :, :3])
    if len({pixels[number].shape for number in good}) == 1:
        assert torch.equal(torch.cat(made.image_list), made.images)
        alphas = np.stack([pixels[number][:, :, 3] for number in good])
        assert np.array_equal(levels(made.masks), 255 - alphas)


@pytest.mark.parametrize("sources", [[], [BAD_HEADER], [BAD_END, BAD_HEADER, BAD_END]], ids=len)
def test_without_a_good_source_there_is_no_batch(tensors: ModuleType, sources: list[bytes]) -> None:
    made = tensors.to_tensors(sources, fit="crop", names=names(len(sources)), with_masks=True)
    assert made.images is None and made.masks is None and made.image_list == []
    assert [place for place, _ in made.failures] == list(range(len(sources)))


def test_files_and_bytes_go_together(tensors: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(png(noise(5, 6)))
    sources = [path, png(noise(5, 6)), tmp_path / "missing"]
    made = tensors.to_tensors(sources, fit="pad", names=names(3))
    assert torch.equal(made.images[0], made.images[1])
    assert made.failures[0][0] == 2


@pytest.mark.parametrize(("fit", "count"), [("fill", 1), ("", 1), ("pad", 2)])
def test_wrong_use_is_a_plain_error(tensors: ModuleType, fit: str, count: int) -> None:
    with pytest.raises(ValueError, match=r"fit is pad|argument"):
        tensors.to_tensors([png(noise(5, 6))], fit=fit, names=names(count))


def test_another_default_type_of_torch_changes_nothing(
    tensors: ModuleType,
) -> None:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        made = tensors.to_tensors([png(noise(5, 6)), png(noise(7, 6))], fit="pad", names=names(2))
    finally:
        torch.set_default_dtype(before)
    assert made.images.dtype == made.image_list[0].dtype == torch.float32


def test_it_works_inside_inference_mode_as_comfyui_runs_nodes(tensors: ModuleType) -> None:
    with torch.inference_mode():
        made = tensors.to_tensors([png(noise(5, 6)), png(noise(7, 6))], fit="crop", names=names(2))
        assert len(tensors.to_pixels(made.images)) == 2


def test_several_are_decoded_at_once_but_no_more_than_four(
    tensors: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    real, lock, running, most = tensors.decode_into, threading.Lock(), 0, 0
    together = threading.Barrier(4, timeout=20)

    def counted(*args: Any, **kwargs: Any) -> tuple[str, ...]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait()
        try:
            return real(*args, **kwargs)
        finally:
            with lock:
                running -= 1

    monkeypatch.setattr(tensors, "decode_into", counted)
    tensors.to_tensors([png(noise(5, 6))] * 8, fit="pad", names=names(8))
    assert most == 4
