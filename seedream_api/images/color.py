"""Whatever a file stores, as 8-bit RGB with the alpha apart: palettes, CMYK, 16 bits, ICC profiles.

A loaded Pillow image is read in bands of rows. A band fits in the processor's cache, so a picture
is never held twice at full size, and reading this way is faster than one conversion of the whole.

Colours are straight: alpha never multiplies them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from ..messages import Text
from .buffer import PixelBuffer
from .header import PILLOW_ERRORS

Bytes = npt.NDArray[np.uint8]

_BAND_PIXELS = 1 << 18
_WITH_ALPHA = {"LA", "PA", "RGBA", "La", "RGBa"}
_GREY_16 = ("I;16", "I;16B", "I;16L", "I;16N")
_STRAIGHTENED = {"La": "LA", "RGBa": "RGBA"}
_SMALL_GREYS = {"L;2": 85, "L;4": 17}
"""Pillow spreads grey levels of few bits over 0-255, but not the transparent level beside them."""


@dataclass(frozen=True)
class Band:
    """Rows ``top`` and on: ``rgb`` [h, W, 3] and, where the picture has one, ``alpha`` [h, W]."""

    top: int
    rgb: Bytes
    alpha: Bytes | None


@dataclass(frozen=True)
class _Profile:
    """A colour transform to sRGB, and the mode of the pixels it takes."""

    transform: ImageCms.ImageCmsTransform
    mode: str


def has_alpha(image: Image.Image) -> bool:
    """Whether the picture can be transparent anywhere; from its header alone."""
    return image.mode in _WITH_ALPHA or "transparency" in image.info


class ColorConverter:
    """A loaded picture as sRGB bands.

    Args:
        image: loaded; in the orientation in which it is stored.
        rawmode: Pillow's name of the stored pixels, read before loading (it tells the bit depth).
        canvas: where the picture is, if it is not in Pillow's own memory.
        lower: the lower bytes of its channels, where it stores two of each (``opening.py``).

    Raises:
        ValueError: the pixels have no sensible meaning as a picture, such as float heights.
    """

    def __init__(
        self,
        image: Image.Image,
        rawmode: str,
        canvas: PixelBuffer | None = None,
        lower: Image.Image | None = None,
    ) -> None:
        self._image = image
        self._canvas = canvas
        self._lower = lower
        self._white = 4095 if rawmode == "I;12" else 65535
        self._key = _transparent_colour(image, rawmode)
        self._profile, self.notes = _profile_of(image)
        if "16" in rawmode:
            self.notes = (*self.notes, Text("bits_reduced"))

    def bands(self) -> Iterator[Band]:
        """All rows once, from the top."""
        width, height = self._image.size
        rows = max(1, _BAND_PIXELS // width)
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            if self._canvas is not None:
                yield Band(top, self._from_canvas(self._canvas.rows(top, bottom)), None)
                continue
            part = _rows(self._image, top, bottom)
            if self._lower is not None:
                part = _rounded(part, _rows(self._lower, top, bottom))
            colour, alpha = self._split(part)
            yield Band(top, self._rgb(colour), alpha)

    def _from_canvas(self, rgb: Bytes) -> Bytes:
        return rgb if self._profile is None else self._rgb(Image.fromarray(rgb))

    def _split(self, part: Image.Image) -> tuple[Image.Image, Bytes | None]:
        """The colours as L, RGB or CMYK, and the alpha."""
        mode = part.mode
        if mode in _GREY_16 or mode == "I":
            return self._from_16_bits(np.asarray(part))
        if mode in ("P", "PA"):
            part = part.convert("RGBA" if has_alpha(part) else "RGB")
        elif mode in _STRAIGHTENED:
            part = part.convert(_STRAIGHTENED[mode])
        elif mode in ("1", "L", "RGB"):
            plain = part.convert("L") if mode == "1" else part
            return plain, None if self._key is None else self.alpha_from_key(np.asarray(plain))
        if part.mode in ("RGBA", "LA"):
            return part.convert(part.mode[:-1]), np.asarray(part.getchannel("A"))
        return (part if part.mode in ("RGB", "CMYK") else part.convert("RGB")), None

    def _from_16_bits(self, levels: npt.NDArray[Any]) -> tuple[Image.Image, Bytes | None]:
        grey = np.minimum(levels.astype(np.float32) * np.float32(255 / self._white), 255)
        return Image.fromarray(np.rint(grey).astype(np.uint8)), self.alpha_from_key(levels)

    def alpha_from_key(self, levels: npt.NDArray[Any]) -> Bytes | None:
        """Alpha by the one colour that a PNG or GIF declares transparent."""
        if self._key is None:
            return None
        same = levels == np.asarray(self._key)
        if same.ndim == 3:
            same = same.all(axis=2)
        return np.where(same, np.uint8(0), np.uint8(255))

    def _rgb(self, colour: Image.Image) -> Bytes:
        if self._profile is not None:
            if colour.mode != self._profile.mode:
                colour = colour.convert(self._profile.mode)
            colour = _applied(self._profile.transform, colour)
        return np.asarray(colour if colour.mode == "RGB" else colour.convert("RGB"))


def _rows(image: Image.Image, top: int, bottom: int) -> Image.Image:
    """Some rows of a loaded picture. Pillow's own ``crop`` would hold them to the limit of pixels
    that a neighbour in the process may have set."""
    loaded = cast(Any, image)
    return loaded._new(loaded.im.crop((0, top, image.width, bottom)))


def _rounded(upper: Image.Image, lower: Image.Image) -> Image.Image:
    """The nearest of 256 levels to two bytes a channel: ``upper + (lower - upper) / 257``."""
    levels = np.asarray(upper).astype(np.int16)
    rest = np.asarray(lower) - levels
    return Image.fromarray((levels + (rest > 128) - (rest < -128)).astype(np.uint8))


def _transparent_colour(image: Image.Image, rawmode: str) -> int | tuple[int, ...] | None:
    """The transparent colour in units of the loaded pixels; None for palettes and alpha."""
    mode, key = image.mode, cast(object, image.info.get("transparency"))
    if mode == "I" and image.format != "PNG":
        raise ValueError(Text("pixels_32_bit"))
    if mode in ("F", "LAB"):
        raise ValueError(Text("pixel_mode", mode=mode))
    if isinstance(key, tuple) and mode == "RGB":
        levels = cast("tuple[int, ...]", key)
        return tuple(round(level / 257) for level in levels) if "16" in rawmode else levels
    if not isinstance(key, int) or mode not in ("1", "L", "I", *_GREY_16):
        return None
    if mode == "1":
        return 255 if key else 0
    return key * _SMALL_GREYS.get(rawmode, 1)


def _profile_of(image: Image.Image) -> tuple[_Profile | None, tuple[str, ...]]:
    """The way to sRGB and what to say about it; none for files that are sRGB already."""
    embedded = cast(object, image.info.get("icc_profile"))
    if not isinstance(embedded, bytes) or not embedded:
        return None, ()
    stored = "CMYK" if image.mode == "CMYK" else "L" if _is_grey(image) else "RGB"
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(embedded))
        space = str(cast(Any, profile).profile.xcolor_space).strip()
        mode = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}.get(space, "")
        # A grey picture may carry the RGB profile of its program; nothing else may differ.
        if mode != stored and (stored, mode) != ("L", "RGB"):
            reason = Text("profile_space", space=space or "nothing")
            return None, (Text("profile_ignored", reason=reason),)
        srgb = cast(Any, ImageCms).createProfile("sRGB")
        spec = ImageCms.Intent.PERCEPTUAL
        transform = ImageCms.buildTransform(profile, srgb, mode, "RGB", spec)
        if _changes_nothing(transform, mode):
            return None, ()
    except PILLOW_ERRORS as error:
        return None, (Text("profile_ignored", reason=str(error) or type(error).__name__),)
    return _Profile(transform, mode), (Text("profile_converted"),)


def _is_grey(image: Image.Image) -> bool:
    return image.mode in ("1", "L", "LA", "La", "I", *_GREY_16)


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether the transform leaves every colour within a level of itself: the file is sRGB.

    Profiles are told by what they do: their names and versions of sRGB are many.
    """
    if mode == "CMYK":
        return False
    # A pixel for every grey, or for every colour of a 16 x 16 x 16 grid.
    if mode == "L":
        levels = np.arange(256, dtype=np.uint8)
        before, expected = levels[None], np.stack([levels[None]] * 3, axis=-1)
    else:
        every = np.arange(16**3)[None]
        grid = np.stack([every >> 8, every >> 4 & 15, every & 15], axis=-1)
        before = expected = (grid * 17).astype(np.uint8)
    after = np.asarray(_applied(transform, Image.fromarray(before)))
    return bool(np.allclose(after, expected, rtol=0, atol=1))


def _applied(transform: ImageCms.ImageCmsTransform, image: Image.Image) -> Image.Image:
    # Typed as optional, which it is only for conversions in place.
    return cast("Image.Image", ImageCms.applyTransform(image, transform))
