"""Decode images from untrusted sources.

Only the bytes of a file count: magic numbers decide the format and only the reader of that format
is tried, the size is checked before memory is allocated, and whatever Pillow raises becomes
``ResultUnavailable``.

All functions are synchronous and may run in any thread.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ResultUnavailable, SeedreamError
from ..messages import Text, rewrite, text_of
from .color import Bytes, ColorConverter
from .header import MAX_SCANS, PILLOW_ERRORS, StrictReader, jpeg_scans, read_header
from .png_chunks import remove_damaged_chunks

MAX_PIXELS = 64 * 1024 * 1024
"""Limit for images from outside: 8192 x 8192, four times the service's largest result."""

_ANIMATED = Text("animated")
_PAGES = Text("several_pages")


@dataclass(frozen=True)
class PictureInfo:
    """What a file's header says. Width and height are as shown, after EXIF rotation."""

    media_type: str
    width: int
    height: int
    has_alpha: bool
    is_animated: bool
    """Whether the file has several frames or pages."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded image, as shown: ``pixels`` uint8 [H, W, 3] RGB, ``alpha`` uint8 [H, W].

    Colours are straight: they are not multiplied by alpha. ``alpha`` is ``None`` where the file has
    none.
    """

    pixels: Bytes
    alpha: Bytes | None
    notes: tuple[str, ...]


def probe(source: bytes | Path, *, name: str, max_pixels: int = MAX_PIXELS) -> PictureInfo:
    """Read the header alone; no pixel is decoded.

    Raises:
        ResultUnavailable: not a readable image, or more than ``max_pixels`` pixels.
    """
    with image_errors(name):
        header = read_header(StrictReader(_read(source)), name, max_pixels)
        width, height = header.display_size
        has_alpha = header.image.has_transparency_data
        return PictureInfo(header.media_type, width, height, has_alpha, header.is_animated)


def measure(source: bytes | Path, *, name: str, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Decode every pixel and return width and height as shown.

    Raises:
        ResultUnavailable: as :func:`decode`.
    """
    with image_errors(name):
        return _load(source, name, max_pixels).size


def decode(source: bytes | Path, *, name: str, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decode a whole image; of several frames or pages the first.

    Raises:
        ResultUnavailable: not a readable image, cut off, or more than ``max_pixels`` pixels.
    """
    with image_errors(name):
        loaded = _load(source, name, max_pixels)
        width, height = loaded.size
        pixels = np.empty((height, width, 3), np.uint8)
        alpha = np.empty((height, width), np.uint8) if loaded.colors.has_alpha else None
        stored = orientation_view(pixels, loaded.orientation)
        stored_alpha = None if alpha is None else orientation_view(alpha, loaded.orientation)
        for band in loaded.colors.bands():
            stored[band.rows] = band.rgb
            if stored_alpha is not None:
                stored_alpha[band.rows] = band.alpha
        return Picture(pixels, alpha, loaded.notes)


def decode_into(
    source: bytes | Path,
    rgb: npt.NDArray[np.float32],
    mask: npt.NDArray[np.float32] | None,
    *,
    name: str,
    max_pixels: int = MAX_PIXELS,
) -> tuple[str, ...]:
    """Decode into ``rgb`` [H, W, 3] and ``mask`` [H, W], both 0-1; return the notes.

    The arrays have the size that :func:`probe` returns and may be views. The mask becomes
    1 - alpha, zeros where the file has no alpha. The colours are ``k / 255`` to the last bit, as
    ComfyUI's own loader makes them.

    Raises:
        ResultUnavailable: as :func:`decode`, or the file has another size than the arrays.
    """
    picture = decode(source, name=name, max_pixels=max_pixels)
    height, width = picture.pixels.shape[:2]
    with image_errors(name):
        if rgb.shape != (height, width, 3):
            raise ValueError(Text("size_changed", width=width, height=height))
    white = np.float32(255)
    np.divide(picture.pixels, white, out=rgb, dtype=np.float32)
    if mask is not None:
        clear = 0 if picture.alpha is None else 255 - picture.alpha
        np.divide(clear, white, out=mask, dtype=np.float32)
    return picture.notes


def orientation_view(shown: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Return a view of an image's array that is indexed as the file stores it.

    Writing the stored rows into the view puts every pixel where it is shown, without a copy.

    Args:
        orientation: by EXIF, 1-8.
    """
    view: npt.NDArray[Any] = np.swapaxes(shown, 0, 1) if orientation in (5, 6, 7, 8) else shown
    rows = slice(None, None, -1 if orientation in (3, 4, 6, 7) else 1)
    columns = slice(None, None, -1 if orientation in (2, 3, 7, 8) else 1)
    return view[rows, columns]


@dataclass(frozen=True)
class _Loaded:
    """A decoded file, in the orientation in which it is stored."""

    colors: ColorConverter
    size: tuple[int, int]
    """Width and height as shown."""
    orientation: int
    notes: tuple[str, ...]


def _load(source: bytes | Path, name: str, max_pixels: int) -> _Loaded:
    data = _read(source)
    stream = StrictReader(data)
    header = read_header(stream, name, max_pixels)
    media_type, size = header.media_type, header.display_size
    if media_type == "image/jpeg" and jpeg_scans(data) > MAX_SCANS:
        raise ValueError(Text("too_many_scans", count=MAX_SCANS))
    # Pillow rotates TIFFs itself when it loads them.
    is_tiff = media_type == "image/tiff"
    orientation = 1 if is_tiff else header.orientation
    notes = (_PAGES if is_tiff else _ANIMATED,) if header.is_animated else ()
    stream.loading = True
    header.image.load()
    colors = ColorConverter(header.image, header.bits)
    return _Loaded(colors, size, orientation, (*notes, *colors.notes))


def _read(source: bytes | Path) -> bytes:
    return remove_damaged_chunks(source if isinstance(source, bytes) else source.read_bytes())


@contextmanager
def image_errors(name: str) -> Generator[None]:
    """Turn whatever fails inside into the error for an image that cannot be read."""
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
