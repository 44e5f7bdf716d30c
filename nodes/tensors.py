"""Convert between IMAGE and MASK tensors and images; the only module that imports torch.

IMAGE is float32 [B, H, W, 3], RGB, 0-1. MASK is float32 [B, H, W]: 0 where the image is opaque,
1 where it is clear. Everything here is synchronous; call it in a thread.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional

from ..seedream_api.errors import SeedreamError
from ..seedream_api.images.decode import decode_into, probe
from ..seedream_api.images.encode import composited_on_white
from ..seedream_api.messages import Text

_MAX_THREADS = 4
_BAND_VALUES = 1 << 20


# ---- tensors to pixels ----


def frame_count(image: torch.Tensor) -> int:
    """Count the frames of an IMAGE [B, H, W, C] or [H, W, C] without copying."""
    _check(image)
    return image.shape[0] if image.ndim == 4 else 1


def to_pixels(image: torch.Tensor) -> list[npt.NDArray[np.uint8]]:
    """Convert the frames of an IMAGE [B, H, W, C] or [H, W, C] to uint8 [H, W, 3], in order.

    Values are clipped to 0-1, NaN becomes 0, and they are rounded to the nearest of 256 levels, so
    that images of 8 bits keep their exact values. One channel is repeated as grey; of four the last
    is alpha, composited on white.

    Raises:
        ValueError: the tensor has another rank, channel count or type, or no pixels.
    """
    _check(image)
    frames = image.detach() if image.ndim == 4 else image.detach()[None]
    return [_to_three_channels(_to_levels(frame)) for frame in frames]


def image_problem(image: object) -> str | None:
    """Explain why a value is not an IMAGE; ``None`` where it is one."""
    if not isinstance(image, torch.Tensor):
        return Text("not_a_tensor", type=type(image).__name__)
    shape = list(image.shape)
    reason = None
    if image.ndim not in (3, 4) or shape[-1] not in (1, 3, 4):
        reason = Text("image_shape", shape=shape)
    elif not image.is_floating_point():
        reason = Text("image_not_float", type=image.dtype)
    elif 0 in shape[-3:]:
        reason = Text("image_without_pixels", shape=shape)
    return reason


def _check(image: torch.Tensor) -> None:
    problem = image_problem(image)
    if problem:
        raise ValueError(problem)


def _to_levels(frame: torch.Tensor) -> npt.NDArray[np.uint8]:
    """Scale [H, W, C] to 0-255, band by band, so that only the result has the full size."""
    levels = np.empty(tuple(frame.shape), np.uint8)
    rows = max(1, _BAND_VALUES // frame[0].numel())
    for top in range(0, frame.shape[0], rows):
        band = frame[top : top + rows].to("cpu", torch.float32).numpy()
        scaled = np.multiply(band, 255, dtype=np.float32)
        # fmax and fmin, unlike clip, prefer a number to NaN.
        np.fmin(np.fmax(scaled, 0, out=scaled), 255, out=scaled)
        levels[top : top + rows] = np.rint(scaled, out=scaled)
    return levels


def _to_three_channels(levels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    if levels.shape[2] == 1:
        return np.repeat(levels, 3, axis=2)
    if levels.shape[2] == 4:
        return composited_on_white(levels[..., :3], levels[..., 3])
    return levels


# ---- files to tensors ----


@dataclass(frozen=True, eq=False)
class Tensors:
    """Decoded images, in the order of their sources."""

    images: torch.Tensor | None
    """One batch [B, H, W, 3] at the largest width and height; ``None`` if nothing was decoded."""
    masks: torch.Tensor | None
    """[B, H, W], in the same geometry as ``images``; ``None`` unless requested."""
    image_list: list[torch.Tensor]
    """Every image [1, H, W, 3] at its native size; views of ``images`` if all have one size."""
    sizes: list[tuple[int, int]]
    """Width and height of every item of ``image_list``."""
    positions: list[int]
    """Position of every item of ``image_list`` in the sources, from 0."""
    notes: list[list[str]]
    """What was done to each source: one list per source, including those that failed."""
    failures: list[tuple[int, SeedreamError]]
    """Position and error of every source that is not a readable image."""


@dataclass(eq=False)
class _Source:
    """A file to decode: the memory for its pixels, once its size is known, and its outcome."""

    position: int
    data: Path | bytes
    name: str
    size: tuple[int, int] = (0, 0)
    rgb: torch.Tensor = field(default_factory=lambda: _memory(0))
    mask: torch.Tensor | None = None
    notes: list[str] = field(default_factory=list[str])
    error: SeedreamError | None = None

    def probe(self) -> None:
        try:
            info = probe(self.data, name=self.name)
        except SeedreamError as error:
            self.error = error
        else:
            self.size = info.width, info.height

    def decode(self) -> None:
        mask = None if self.mask is None else self.mask.numpy()
        try:
            self.notes = list(decode_into(self.data, self.rgb.numpy(), mask, name=self.name))
        except SeedreamError as error:
            self.error = error


def to_tensors(
    sources: Sequence[Path | bytes],
    *,
    fit: str,
    names: Sequence[str],
    with_masks: bool = False,
) -> Tensors:
    """Decode files, several at once, into one batch and a list of native sizes, in order.

    A source that is not a readable image is left out and listed in ``failures``. Sources of one
    size are decoded into the batch. Otherwise ``fit`` says how they are placed in it: ``pad``
    centres them on black without resampling, ``crop`` scales them to cover and keeps the middle,
    ``stretch`` scales each side separately. Masks follow; a padded border counts as opaque, 0.

    Args:
        names: names of the sources, for errors.
        with_masks: whether to make masks at all.

    Raises:
        ValueError: ``fit`` is another word, or names and sources differ in number.
    """
    if fit not in ("pad", "crop", "stretch"):
        raise ValueError(f"fit is pad, crop or stretch, not {fit!r}")
    given = [_Source(*item) for item in zip(range(len(sources)), sources, names, strict=True)]
    threads = max(1, min(len(given), os.cpu_count() or 1, _MAX_THREADS))
    with ThreadPoolExecutor(threads, thread_name_prefix="seedream-pictures") as pool:
        list(pool.map(_Source.probe, given))
        sized = [source for source in given if source.error is None]
        batch = _reserve(sized, with_masks)
        list(pool.map(_Source.decode, sized))
        good = [source for source in sized if source.error is None]
        if batch is not None:
            batch.remove_failed(sized)
        elif good:
            batch = _fit_all(good, fit, pool)
    return _collect(given, batch if good else None)


@dataclass(eq=False)
class _Batch:
    """The two batches that a node returns."""

    images: torch.Tensor
    masks: torch.Tensor | None

    def remove_failed(self, sources: list[_Source]) -> None:
        """Remove the frames of bad sources, in place: a second batch may not fit in memory."""
        kept = 0
        for number, source in enumerate(sources):
            if source.error is not None:
                continue
            if kept != number:
                self.images[kept].copy_(self.images[number])
                if self.masks is not None:
                    self.masks[kept].copy_(self.masks[number])
            source.rgb = self.images[kept]
            kept += 1
        self.images = self.images[:kept]
        self.masks = None if self.masks is None else self.masks[:kept]


def _collect(given: list[_Source], batch: _Batch | None) -> Tensors:
    good = [source for source in given if source.error is None]
    return Tensors(
        images=batch.images if batch is not None else None,
        masks=batch.masks if batch is not None else None,
        image_list=[source.rgb[None] for source in good],
        sizes=[source.size for source in good],
        positions=[source.position for source in good],
        notes=[source.notes for source in given],
        failures=[(source.position, source.error) for source in given if source.error],
    )


def _reserve(sources: list[_Source], with_masks: bool) -> _Batch | None:
    """Allocate memory for every source: in one batch if all have one size, else separately."""
    if len({source.size for source in sources}) != 1:
        for source in sources:
            width, height = source.size
            source.rgb = _memory(height, width, 3)
            source.mask = _memory(height, width) if with_masks else None
        return None
    width, height = sources[0].size
    images = _memory(len(sources), height, width, 3)
    masks = _memory(len(sources), height, width) if with_masks else None
    for number, source in enumerate(sources):
        source.rgb = images[number]
        source.mask = None if masks is None else masks[number]
    return _Batch(images, masks)


def _memory(*shape: int, make: Callable[..., npt.NDArray[np.float32]] = np.empty) -> torch.Tensor:
    """Allocate a tensor through numpy.

    On Linux numpy requests huge pages, which are four times faster than ``torch.empty`` to write
    for the first time.
    """
    # Threads are never in inference mode and could not write a tensor that was created in it.
    with torch.inference_mode(False):
        return torch.from_numpy(make(shape, np.float32))  # pyright: ignore[reportUnknownMemberType]


def _fit_all(sources: list[_Source], fit: str, pool: ThreadPoolExecutor) -> _Batch:
    """Fit images of several sizes into one batch at the largest width and height."""
    width = max(source.size[0] for source in sources)
    height = max(source.size[1] for source in sources)
    images = _memory(len(sources), height, width, 3, make=np.zeros)
    masks = None
    if sources[0].mask is not None:
        masks = _memory(len(sources), height, width, make=np.zeros)

    def fit_one(number: int) -> None:
        source = sources[number]
        _copy_fitted(source.rgb, images[number], fit)
        if source.mask is not None and masks is not None:
            _copy_fitted(source.mask[..., None], masks[number][..., None], fit)

    list(pool.map(fit_one, range(len(sources))))
    return _Batch(images, masks)


def _copy_fitted(source: torch.Tensor, target: torch.Tensor, fit: str) -> None:
    """Copy [h, w, C] into [H, W, C], which is at least as high and as wide and full of zeros."""
    height, width = source.shape[:2]
    full_height, full_width = target.shape[:2]
    if fit == "pad":
        top, left = (full_height - height) // 2, (full_width - width) // 2
        # By numpy, on this thread alone: torch would start more threads beside the pool.
        np.copyto(target[top : top + height, left : left + width].numpy(), source.numpy())
        return
    if fit == "crop":
        # Cut out the visible middle first, so that only this part is scaled.
        scale = max(full_height / height, full_width / width)
        seen_height = min(height, max(1, round(full_height / scale)))
        seen_width = min(width, max(1, round(full_width / scale)))
        top, left = (height - seen_height) // 2, (width - seen_width) // 2
        source = source[top : top + seen_height, left : left + seen_width]
    if source.shape == target.shape:
        target.copy_(source)
        return
    # Always an enlargement; this kernel is Pillow's BICUBIC, which rings less than torch's own.
    scaled = functional.interpolate(
        source.permute(2, 0, 1)[None],
        size=(full_height, full_width),
        mode="bicubic",
        antialias=True,
    )
    target.copy_(scaled[0].permute(1, 2, 0).clamp_(0, 1))
