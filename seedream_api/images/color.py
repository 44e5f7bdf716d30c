"""Convert whatever a file stores to 8-bit sRGB with separate alpha.

A loaded Pillow image is read in bands of rows. A band fits in the processor's cache and takes the
interpreter's lock for a few milliseconds, and no second copy of the image exists at full size.

Colours are straight: they are not multiplied by alpha.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from ..messages import Text, text_of
from .header import PILLOW_ERRORS

Bytes = npt.NDArray[np.uint8]
_BAND_PIXELS = 1 << 18


@dataclass(frozen=True)
class Band:
    """Some rows: ``rgb`` [h, W, 3] and, where the image has any, ``alpha`` [h, W]."""

    rows: slice
    rgb: Bytes
    alpha: Bytes | None


class ColorConverter:
    """A loaded image as sRGB bands, in the orientation in which it is stored.

    Args:
        image: loaded.
        bits: per channel, as the file stores them.

    Raises:
        ValueError: the pixels are not colours, such as heights stored as floats.
    """

    def __init__(self, image: Image.Image, bits: int) -> None:
        if image.mode in ("F", "LAB"):
            raise ValueError(Text("pixel_mode", mode=image.mode))
        if image.mode == "I" and image.format != "PNG":
            raise ValueError(Text("pixels_32_bit"))
        self._image = image
        self._white = (1 << bits) - 1
        self.has_alpha: bool = image.has_transparency_data
        if self.has_alpha:
            _scale_transparency(image, bits)
        self._transform, notes = _build_transform(image)
        reduced = (Text("bits_reduced"),) if bits == 16 else ()
        self.notes: tuple[str, ...] = (*notes, *reduced)

    def bands(self) -> Iterator[Band]:
        """Convert all rows once, from the top."""
        width, height = self._image.size
        rows = max(1, _BAND_PIXELS // width)
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            # Unlike crop, resize ignores the global limit of pixels.
            box = (0, top, width, bottom)
            band = self._image.resize((width, bottom - top), Image.Resampling.NEAREST, box)
            yield Band(slice(top, bottom), *self._convert(band))

    def _convert(self, band: Image.Image) -> tuple[Bytes, Bytes | None]:
        alpha = None
        if _has_wide_grey(band):
            levels = np.asarray(band)
            if self.has_alpha:
                alpha = np.where(levels == band.info["transparency"], 0, 255).astype(np.uint8)
            grey = levels.astype(np.float32) * np.float32(255 / self._white)
            band = Image.fromarray(np.rint(grey).astype(np.uint8))
        elif self.has_alpha:
            band = band.convert("RGBA")
            alpha = np.asarray(band.getchannel("A"))
            band = band.convert("RGB")
        if self._transform is not None:
            band = _apply(self._transform, band)
        return np.asarray(band if band.mode == "RGB" else band.convert("RGB")), alpha


def _has_wide_grey(image: Image.Image) -> bool:
    """Whether the pixels are grey levels of 16 bits, which Pillow does not convert."""
    return image.mode == "I" or image.mode.startswith("I;16")


def _scale_transparency(image: Image.Image, bits: int) -> None:
    """Scale the transparent colour of a PNG as Pillow scaled the pixels when it loaded them."""
    key = cast(object, image.info.get("transparency"))
    if isinstance(key, int) and image.mode in ("1", "L"):
        image.info["transparency"] = min(255, key * 255 // ((1 << bits) - 1))
    elif isinstance(key, tuple) and bits == 16:
        image.info["transparency"] = tuple(level >> 8 for level in cast("tuple[int, ...]", key))


def _build_transform(
    image: Image.Image,
) -> tuple[ImageCms.ImageCmsTransform | None, tuple[str, ...]]:
    """Build the transform to sRGB and a note about it; ``None`` for files that are sRGB already."""
    embedded = cast(object, image.info.get("icc_profile"))
    if not isinstance(embedded, bytes) or not embedded:
        return None, ()
    is_grey = image.mode in ("1", "L", "LA") or _has_wide_grey(image)
    stored = "CMYK" if image.mode == "CMYK" else "L" if is_grey else "RGB"
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(embedded))
        space = str(cast(Any, profile).profile.xcolor_space).strip()
        mode = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}.get(space, "")
        # Many programs embed their RGB profile in grey images; nothing else may differ.
        if mode != stored and (stored, mode) != ("L", "RGB"):
            reason = Text("profile_space", space=space or "nothing")
            return None, (Text("profile_ignored", reason=reason),)
        srgb = cast(Any, ImageCms).createProfile("sRGB")
        transform = ImageCms.buildTransform(profile, srgb, mode, "RGB")
        if _is_identity(transform):
            return None, ()
    except PILLOW_ERRORS as error:
        return None, (Text("profile_ignored", reason=text_of(error) or type(error).__name__),)
    return transform, (Text("profile_converted"),)


def _is_identity(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether the transform changes no colour by more than one level: the file is sRGB.

    The name of a profile does not tell: sRGB has many names and versions.
    """
    if transform.input_mode == "CMYK":
        return False
    levels = np.arange(0, 256, 17, dtype=np.uint8)
    grid: Bytes = np.stack(np.meshgrid(levels, levels, levels), axis=-1)
    colors = Image.fromarray(np.reshape(grid, (64, 64, 3))).convert(transform.input_mode)
    before, after = colors.convert("RGB"), _apply(transform, colors)
    return bool(np.allclose(np.asarray(after), np.asarray(before), rtol=0, atol=1))


def _apply(transform: ImageCms.ImageCmsTransform, image: Image.Image) -> Image.Image:
    if image.mode != transform.input_mode:
        image = image.convert(transform.input_mode)
    # Typed as optional because conversions in place return nothing.
    return cast("Image.Image", ImageCms.applyTransform(image, transform))
