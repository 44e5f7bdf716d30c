"""Open an image file: its reader, its size and its orientation, before a pixel is decoded.

Two switches of Pillow are global and may be set by other code in the process:
``Image.MAX_IMAGE_PIXELS`` and ``ImageFile.LOAD_TRUNCATED_IMAGES``. Neither is changed here, and
neither decides what is accepted, except for WebP and TIFF, whose readers in Pillow 13 check the
first one themselves.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import cast

from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from ..errors import ResultUnavailable
from ..messages import Text
from .media_types import HEAD_BYTES, describe_head, media_type_of

PILLOW_ERRORS: tuple[type[Exception], ...] = (
    *(ArithmeticError, AssertionError, AttributeError, EOFError, ImportError, LookupError),
    *(MemoryError, OSError, RuntimeError, SyntaxError, TypeError, ValueError, Warning),
    *(struct.error, zlib.error, Image.DecompressionBombError, ImageCms.PyCMSError),
)
"""What Pillow raises for a damaged file. ``Warning``: a process may run with warnings as errors."""

MAX_SCANS = 100
"""Each scan of a JPEG is a pass over all pixels and takes a few bytes in a hostile file. Encoders
make about ten; libtiff has the same limit."""

_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
_JPEG_SCAN, _JPEG_END = 0xDA, 0xD9
_PNG_BIT_DEPTH = 24  # position in the file
_EXIF_ORIENTATION = 0x0112
_TIFF_WIDTH, _TIFF_HEIGHT, _TIFF_BITS = 256, 257, 258

# By class and not through Image.open, whose bomb check depends on the global limit.
_READERS: dict[str, type[ImageFile.ImageFile]] = {
    "image/png": PngImagePlugin.PngImageFile,
    "image/jpeg": JpegImagePlugin.JpegImageFile,
    "image/webp": WebPImagePlugin.WebPImageFile,
    "image/gif": GifImagePlugin.GifImageFile,
    "image/bmp": BmpImagePlugin.BmpImageFile,
    "image/tiff": TiffImagePlugin.TiffImageFile,
}


class StrictReader(BytesIO):
    """A file in memory that fails at its end, whatever ``LOAD_TRUNCATED_IMAGES`` allows."""

    loading = False

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if self.loading and not data and size != 0:
            raise OSError(Text("file_too_short"))
        return data


@dataclass(frozen=True)
class ImageHeader:
    """A file whose header is read and whose size is allowed."""

    image: ImageFile.ImageFile
    media_type: str
    bits: int
    """Bits per channel, as the file stores them."""

    @property
    def orientation(self) -> int:
        """EXIF orientation, 1-8; 1 if the file has none or none that can be read."""
        try:
            # The PNG reader's own getexif would decode the whole image first.
            found = Image.Image.getexif(self.image).get(_EXIF_ORIENTATION, 1)
        except PILLOW_ERRORS:
            return 1
        return found if isinstance(found, int) and 1 <= found <= 8 else 1

    @property
    def display_size(self) -> tuple[int, int]:
        """Width and height after the EXIF rotation."""
        width, height = self.image.size
        if isinstance(self.image, TiffImagePlugin.TiffImageFile):
            # Pillow 11 and later swap the size of a rotated TIFF before they load it.
            tags = self.image.tag_v2
            width, height = cast(int, tags[_TIFF_WIDTH]), cast(int, tags[_TIFF_HEIGHT])
        return (height, width) if self.orientation >= 5 else (width, height)

    @property
    def is_animated(self) -> bool:
        """Whether the file has several frames or pages; ask before loading."""
        try:
            return bool(getattr(self.image, "is_animated", False))
        except PILLOW_ERRORS:  # the second frame is damaged, and only the first is used
            return False


def read_header(stream: BytesIO, name: str, max_pixels: int) -> ImageHeader:
    """Read the header of a PNG, JPEG, WebP, GIF, BMP or TIFF.

    Raises:
        ResultUnavailable: it has more than ``max_pixels`` pixels; no memory was allocated for them.
        Exception: any of ``PILLOW_ERRORS`` where it is not such an image.
    """
    head = stream.read(HEAD_BYTES)
    media_type = media_type_of(head)
    if media_type is None:
        raise ValueError(_describe_unknown(head))
    if media_type == "image/webp" and (canvas := webp_canvas(head)):
        _check_size(*canvas, name, max_pixels)
    stream.seek(0)
    image = _READERS[media_type](stream)
    _check_size(*image.size, name, max_pixels)
    bits = head[_PNG_BIT_DEPTH] if media_type == "image/png" else 8
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        bits = max(cast("tuple[int, ...]", image.tag_v2.get(_TIFF_BITS, (1,))))
    return ImageHeader(image, media_type, bits)


def _describe_unknown(head: bytes) -> str:
    if not head:
        return Text("file_empty")
    kind = describe_head(head)
    if kind[:1].isalnum():
        return Text("looks_like", kind=kind)
    return Text("format_unknown")


def _check_size(width: int, height: int, name: str, max_pixels: int) -> None:
    if width < 1 or height < 1:
        raise ValueError(Text("size_invalid", width=width, height=height))
    if width * height > max_pixels:
        raise ResultUnavailable(
            "picture_too_large", given=name, width=width, height=height, allowed=max_pixels
        )


def webp_canvas(head: bytes) -> tuple[int, int] | None:
    """Read width and height of a WebP, which libwebp allocates as soon as the file is opened."""
    kind = head[12:16] if len(head) >= 30 else b""
    if kind == b"VP8X":
        return _little(head[24:27]) + 1, _little(head[27:30]) + 1
    if kind == b"VP8L":
        bits = _little(head[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        return _little(head[26:28]) & 0x3FFF, _little(head[28:30]) & 0x3FFF
    return None


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")


def jpeg_scans(data: bytes) -> int:
    """Count the scans of a JPEG, up to its end mark or one more than ``MAX_SCANS``."""
    scans = at = 0
    while scans <= MAX_SCANS:
        found = _JPEG_MARKER.search(data, at)
        if found is None or data[found.end() - 1] == _JPEG_END:
            break
        scans += data[found.end() - 1] == _JPEG_SCAN
        # A segment's length counts its own two bytes.
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
    return scans
