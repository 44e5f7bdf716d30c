"""There and back: what a tensor holds is what the service gets, and what a file holds is what a
tensor gets, for photographs as for noise."""

from __future__ import annotations

import importlib
import sys
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st
from PIL import Image

from support.paths import PACK_ROOT

Pixels = npt.NDArray[np.uint8]

PHOTOGRAPHS = (
    "astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "retina.jpg", "rocket.jpg",
    "hubble_deep_field.jpg", "ihc.png", "camera.png",
)  # fmt: skip
"""Those that ship inside scikit-image's wheel; the last one is grey."""

some = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def pack_parts() -> ModuleType:
    """``nodes.tensors`` and what it stands on, under packages of no code: without ComfyUI."""
    for name, folder in (("trips", PACK_ROOT), ("trips.nodes", PACK_ROOT / "nodes")):
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    parts = ModuleType("parts")
    parts.tensors = importlib.import_module("trips.nodes.tensors")
    parts.encode = importlib.import_module("trips.seedream_api.images.encode").encode
    parts.pixels_reference = importlib.import_module(
        "trips.seedream_api.service.references"
    ).pixels_reference
    return parts


def photograph(name: str) -> Pixels:
    import skimage

    with Image.open(Path(skimage.__file__).parent / "data" / name) as image:
        return np.asarray(image.convert("RGB"))


def saved(pixels: Pixels, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def back(parts: Any, files: list[bytes]) -> torch.Tensor:
    names = [str(number) for number in range(len(files))]
    made = parts.tensors.to_tensors(files, fit="pad", names=names)
    assert not made.failures
    return made.images


def loudness_of_error(before: Pixels, after: Pixels) -> float:
    """Peak signal to noise, in dB."""
    return float(10 * np.log10(255**2 / np.mean((before.astype(np.float64) - after) ** 2)))


# ---- tensors -> the service -> tensors ----


@some
@given(
    count=st.integers(1, 6), height=st.integers(1, 24), width=st.integers(1, 24),
    levels=st.sampled_from([2, 256]), seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_round_trip_keeps_8_bit_pixels_and_order(
    pack_parts: Any, count: int, height: int, width: int, levels: int, seed: int
) -> None:
    pixels = np.random.default_rng(seed).integers(0, levels, (count, height, width, 3), np.uint8)
    batch = torch.from_numpy(pixels.astype(np.float32) / np.float32(255))
    encoded = [pack_parts.encode(frame) for frame in pack_parts.tensors.to_pixels(batch)]
    assert all(one.lossless for one in encoded)
    assert torch.equal(back(pack_parts, [one.data for one in encoded]), batch)


@some
@given(
    seed=st.integers(0, 2**32 - 1), low=st.floats(-0.5, 0.5), high=st.floats(0.5, 1.5),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)  # fmt: skip
def test_round_trip_of_floats_is_within_half_a_level(
    pack_parts: Any, seed: int, low: float, high: float, dtype: torch.dtype
) -> None:
    generator = torch.Generator().manual_seed(seed)
    batch = torch.rand((2, 17, 13, 3), generator=generator, dtype=dtype) * (high - low) + low
    files = [pack_parts.encode(frame).data for frame in pack_parts.tensors.to_pixels(batch)]
    shown = batch.clamp(0, 1).to(torch.float64)
    assert (back(pack_parts, files).to(torch.float64) - shown).abs().max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_round_trip_keeps_a_photograph_within_limits_exact(pack_parts: Any, name: str) -> None:
    pixels = photograph(name)
    batch = torch.from_numpy(pixels.astype(np.float32) / np.float32(255))[None]
    [frame] = pack_parts.tensors.to_pixels(batch)
    encoded = pack_parts.pixels_reference(frame, name).encode(4 << 20, 10 << 20)
    assert encoded.lossless and encoded.media_type == "image/png"
    assert torch.equal(back(pack_parts, [encoded.data]), batch)


@pytest.mark.parametrize("name", ["astronaut.png", "retina.jpg", "hubble_deep_field.jpg"])
def test_photograph_that_does_not_fit_is_sent_as_a_fine_jpeg(pack_parts: Any, name: str) -> None:
    """Four times as large as it was taken: no PNG of it takes 200 kB."""
    pixels = photograph(name)
    encoded = pack_parts.encode(pixels, aim_bytes=200_000)
    assert len(encoded.data) <= 200_000 and encoded.media_type == "image/jpeg"
    shown = np.rint(back(pack_parts, [encoded.data])[0].numpy() * 255).astype(np.uint8)
    assert loudness_of_error(pixels, shown) > 30


# ---- files -> tensors ----


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("BMP", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
    ],
)
def test_round_trip_of_lossless_files_keeps_pixels_and_order(
    pack_parts: Any, kind: str, options: dict[str, Any]
) -> None:
    photographs = [photograph(name) for name in PHOTOGRAPHS[:4]]
    made = pack_parts.tensors.to_tensors(
        [saved(pixels, kind, **options) for pixels in photographs], fit="pad", names=list("abcd")
    )
    for item, pixels in zip(made.image_list, photographs, strict=True):
        assert torch.equal(item[0], torch.from_numpy(pixels.astype(np.float32) / np.float32(255)))


@pytest.mark.parametrize("name", PHOTOGRAPHS)
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}], ids=str)
def test_photograph_in_a_jpeg_becomes_what_every_viewer_shows(
    pack_parts: Any, name: str, options: dict[str, Any]
) -> None:
    data = saved(photograph(name), "JPEG", quality=90, **options)
    shown = np.rint(back(pack_parts, [data])[0].numpy() * 255).astype(np.uint8)
    with Image.open(BytesIO(data)) as image:
        assert np.array_equal(shown, np.asarray(image))
