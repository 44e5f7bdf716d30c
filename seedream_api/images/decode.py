"""Encoded bytes -> pixels, for pictures that come from anywhere.

Nothing about a file is believed but its bytes: the format is told by magic numbers and only its one
reader is tried, the size is checked before memory is asked for, and whatever Pillow raises becomes
``ResultUnavailable``.

All functions are synchronous and may run in any thread.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..errors import ResultUnavailable, SeedreamError
from ..messages import Text, rewrite, text_of
from .buffer import PixelBuffer
from .color import Bytes, ColorConverter, has_alpha
from .header import (
    MAX_FRAMES,
    MAX_SCANS,
    PILLOW_ERRORS,
    ImageHeader,
    StrictReader,
    jpeg_scans,
    open_picture,
)
from .media_types import media_type_of
from .png_chunks import without_damaged_chunks

MAX_PIXELS = 64 * 1024 * 1024
"""Of a picture from outside: 8192 x 8192, four times the service's largest result."""


@dataclass(frozen=True)
class PictureInfo:
    """What a file's header says. Width and height are as shown, after EXIF rotation.

    ``frames``: counted up to 1000 for GIFs; of a TIFF, 2 stands for two pages or more.
    """

    media_type: str
    width: int
    height: int
    has_alpha: bool
    frames: int


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture, as shown: ``pixels`` uint8 [H, W, 3] RGB, ``alpha`` uint8 [H, W].

    The colours are straight: alpha has not multiplied them. ``alpha`` is None where the file has
    none.
    """

    pixels: Bytes
    alpha: Bytes | None
    notes: tuple[str, ...]


def media_type(head: bytes) -> str | None:
    """The format by its first bytes; None for what is not read here."""
    return media_type_of(head)


def probe(source: bytes | Path, *, name: str, max_pixels: int = MAX_PIXELS) -> PictureInfo:
    """The header alone; nothing is decoded.

    Raises:
        ResultUnavailable: no readable image, or more than ``max_pixels`` pixels.
    """
    with image_errors(name), _stream(source) as stream:
        opened = open_picture(stream, name, max_pixels)
        width, height = opened.display_size
        transparent = has_alpha(opened.image)
        return PictureInfo(opened.media_type, width, height, transparent, opened.frames())


def measure(source: bytes | Path, *, name: str, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Width and height as shown, after decoding every pixel.

    Raises:
        ResultUnavailable: as :func:`decode`.
    """
    with image_errors(name):
        return _load(source, name, max_pixels).shown


def decode(source: bytes | Path, *, name: str, max_pixels: int = MAX_PIXELS) -> Picture:
    """The whole picture; of several frames or pages the first.

    Raises:
        ResultUnavailable: no readable image, cut off, or more than ``max_pixels`` pixels.
    """
    with image_errors(name):
        loaded = _load(source, name, max_pixels)
        width, height = loaded.shown
        pixels = np.empty((height, width, 3), np.uint8)
        alpha = np.empty((height, width), np.uint8) if loaded.has_alpha else None
        stored = orientation_view(pixels, loaded.orientation)
        stored_alpha = None if alpha is None else orientation_view(alpha, loaded.orientation)
        for band in loaded.colours.bands():
            rows = slice(band.top, band.top + len(band.rgb))
            stored[rows] = band.rgb
            if stored_alpha is not None:
                stored_alpha[rows] = 255 if band.alpha is None else band.alpha
        return Picture(pixels, alpha, loaded.notes)


def decode_into(
    source: bytes | Path,
    rgb: npt.NDArray[np.float32],
    mask: npt.NDArray[np.float32] | None,
    *,
    name: str,
    max_pixels: int = MAX_PIXELS,
) -> tuple[str, ...]:
    """Decode straight into ``rgb`` [H, W, 3] and ``mask`` [H, W], both 0-1; gives the notes.

    The arrays have the size that :func:`probe` tells and may be views. The mask becomes 1 - alpha,
    zeros where the file has no alpha. The colours are ``k / 255`` to the last bit, as ComfyUI's own
    loader makes them. When an error is raised, the arrays may be partly written.

    Raises:
        ResultUnavailable: as :func:`decode`, or the file has another size than the arrays.
    """
    with image_errors(name):
        loaded = _load(source, name, max_pixels)
        width, height = loaded.shown
        if rgb.shape != (height, width, 3):
            raise ValueError(f"it is {width} x {height} now and was not when it was looked at")
        stored = orientation_view(rgb, loaded.orientation)
        stored_mask = None if mask is None else orientation_view(mask, loaded.orientation)
        white = np.float32(255)
        for band in loaded.colours.bands():
            rows = slice(band.top, band.top + len(band.rgb))
            np.divide(band.rgb, white, out=stored[rows], dtype=np.float32)
            if stored_mask is not None:
                clear = 0 if band.alpha is None else 255 - band.alpha
                np.divide(clear, white, out=stored_mask[rows], dtype=np.float32)
        return loaded.notes


def orientation_view(shown: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """A view of a picture's array that is indexed as the file stores it (EXIF orientation 1-8).

    Writing the stored rows into the view puts every pixel where it is shown, without a copy.
    """
    view: npt.NDArray[Any] = np.swapaxes(shown, 0, 1) if orientation in (5, 6, 7, 8) else shown
    rows = slice(None, None, -1 if orientation in (3, 4, 6, 7) else 1)
    columns = slice(None, None, -1 if orientation in (2, 3, 7, 8) else 1)
    return view[rows, columns]


@dataclass(frozen=True)
class _Loaded:
    """A decoded file, still in the way it is stored."""

    colours: ColorConverter
    shown: tuple[int, int]
    orientation: int
    has_alpha: bool
    notes: tuple[str, ...]


def _load(source: bytes | Path, name: str, max_pixels: int) -> _Loaded:
    data = source if isinstance(source, bytes) else source.read_bytes()
    data = without_damaged_chunks(data) or data
    stream = StrictReader(data)
    opened = open_picture(stream, name, max_pixels)
    if opened.media_type == "image/jpeg" and jpeg_scans(data) > MAX_SCANS:
        raise ValueError(Text("too_many_scans", count=MAX_SCANS))
    image, shown = opened.image, opened.display_size
    # Pillow turns TIFFs itself when it loads them.
    orientation = 1 if opened.media_type == "image/tiff" else opened.orientation
    frames, rawmode = opened.frames(), opened.rawmode
    lower = _lower_bytes(data, name, max_pixels) if opened.has_lower_bytes else None
    canvas = PixelBuffer(image) if _may_have_canvas(opened) else None
    stream.loading = True
    image.load()
    if canvas is not None and not canvas.holds(image):
        canvas = None
    colours = ColorConverter(image, rawmode, canvas, lower)
    notes = (*_about_frames(opened.media_type, frames), *colours.notes)
    return _Loaded(colours, shown, orientation, has_alpha(image), notes)


def _lower_bytes(data: bytes, name: str, max_pixels: int) -> Image.Image:
    stream = StrictReader(data)
    opened = open_picture(stream, name, max_pixels)
    stream.loading = True
    return opened.load_lower_bytes()


def _may_have_canvas(opened: ImageHeader) -> bool:
    """Whether it is an ordinary picture in colours; the others are rare, or ask for their own."""
    image = opened.image
    return (
        opened.media_type in ("image/jpeg", "image/png", "image/webp")
        and image.mode == "RGB"
        and "transparency" not in image.info
        and not opened.has_lower_bytes
    )


def _about_frames(found: str, frames: int) -> tuple[str, ...]:
    if frames < 2:
        return ()
    if found == "image/tiff":
        return (Text("several_pages"),)
    count = Text("at_least", count=MAX_FRAMES) if frames >= MAX_FRAMES else str(frames)
    return (Text("animated", count=count),)


@contextmanager
def _stream(source: bytes | Path) -> Generator[BinaryIO]:
    with BytesIO(source) if isinstance(source, bytes) else source.open("rb") as stream:
        repaired = without_damaged_chunks(stream)
        yield stream if repaired is None else BytesIO(repaired)


@contextmanager
def image_errors(name: str) -> Generator[None]:
    """Whatever fails inside is told as a picture that cannot be read."""
    try:
        yield
    except SeedreamError:
        raise
    except PILLOW_ERRORS as error:
        raise ResultUnavailable("picture_unreadable", given=name, reason=_reason(error)) from error


def _reason(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return Text("out_of_memory")
    if isinstance(error, FileNotFoundError):
        return Text("no_file")
    if isinstance(error, LookupError):
        return Text("header_broken")  # their text is a bare number or key
    text = rewrite(text_of(error), lambda said: " ".join(said.split()).rstrip(".")[:200])
    return text or type(error).__name__
