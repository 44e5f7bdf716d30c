"""Opening a picture's file: its one reader, its size and its turn, before anything is decoded.

Two switches of Pillow are global and may be set by any neighbour in the process,
``Image.MAX_IMAGE_PIXELS`` and ``ImageFile.LOAD_TRUNCATED_IMAGES``. Neither is changed here, and
neither decides what is accepted here, but for WebP and TIFF, whose readers in Pillow 13 ask the
first one themselves.
"""

from __future__ import annotations

import re
import struct
import sys
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from types import MappingProxyType
from typing import Any, BinaryIO, cast

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

PILLOW_ERRORS = (
    *(ArithmeticError, AssertionError, AttributeError, EOFError, ImportError, LookupError),
    *(MemoryError, OSError, RuntimeError, SyntaxError, TypeError, ValueError, Warning),
    *(struct.error, zlib.error, Image.DecompressionBombError, ImageCms.PyCMSError),
)
"""What Pillow raises for bytes that are no sound picture. ``Warning`` because a process may run
with warnings as errors."""

MAX_FRAMES = 1000
"""A hostile GIF holds millions of empty frames; nobody needs their number."""

MAX_SCANS = 100
"""Each scan of a JPEG is a pass over all pixels, and takes a few bytes in a hostile one. Encoders
make about ten; libtiff draws the line here too."""

_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
_JPEG_SCAN, _JPEG_END = 0xDA, 0xD9
_GIF_IMAGE, _GIF_EXTENSION = 0x2C, 0x21
_ORIENTATION = 0x0112
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257

_OTHER_ORDER: Mapping[str, str] = MappingProxyType({
    "RGB;16B": "RGB;16L",
    "RGB;16L": "RGB;16B",
    "RGBA;16B": "RGBA;16L",
    "RGBA;16L": "RGBA;16B",
    "LA;16B": "RGBA",  # as if each byte were a channel
})  # fmt: skip
"""Of two bytes a channel Pillow reads the upper one; told the other order it reads the lower."""

# By class and not through Image.open, whose bomb check obeys the global limit.
_READERS: dict[str, type[ImageFile.ImageFile]] = {
    "image/png": PngImagePlugin.PngImageFile,
    "image/jpeg": JpegImagePlugin.JpegImageFile,
    "image/webp": WebPImagePlugin.WebPImageFile,
    "image/gif": GifImagePlugin.GifImageFile,
    "image/bmp": BmpImagePlugin.BmpImageFile,
    "image/tiff": TiffImagePlugin.TiffImageFile,
}


class StrictReader(BytesIO):
    """A file at whose end reading on is an error, whatever ``LOAD_TRUNCATED_IMAGES`` says."""

    loading = False

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if self.loading and not data and size != 0:
            raise OSError(Text("file_too_short"))
        return data


@dataclass
class ImageHeader:
    """A file whose header is read and whose size is allowed."""

    image: ImageFile.ImageFile
    media_type: str
    stream: BinaryIO

    @property
    def orientation(self) -> int:
        """By EXIF or XMP, 1-8; 1 if there is none or none that can be read."""
        try:
            # The PNG reader's own getexif would decode the whole picture first.
            found = Image.Image.getexif(self.image).get(_ORIENTATION, 1)
        except PILLOW_ERRORS:
            return 1
        return found if isinstance(found, int) and 1 <= found <= 8 else 1

    @property
    def display_size(self) -> tuple[int, int]:
        """Width and height after the turn."""
        width, height = self.image.size
        if isinstance(self.image, TiffImagePlugin.TiffImageFile):
            # Which of the two sizes Pillow tells before it loads depends on its version.
            tags = self.image.tag_v2
            width, height = cast(int, tags[_TIFF_WIDTH]), cast(int, tags[_TIFF_HEIGHT])
        return (height, width) if self.orientation >= 5 else (width, height)

    @property
    def rawmode(self) -> str:
        """Pillow's name of the stored pixels, such as ``RGB;16B``; empty once it is loaded."""
        arguments = self.image.tile[0][3] if self.image.tile else ""
        first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
        return first if isinstance(first, str) else ""

    @property
    def has_lower_bytes(self) -> bool:
        """Whether it stores two bytes a channel, of which loading reads the upper one alone."""
        return _in_full(self.rawmode) in _OTHER_ORDER

    def load_lower_bytes(self) -> Image.Image:
        """The lower bytes in place of the upper ones, in the mode that loading gives."""
        image, mode, rawmode = cast(Any, self.image), self.image.mode, _in_full(self.rawmode)
        other = _OTHER_ORDER[rawmode]
        setattr(image, "_mode" if hasattr(image, "_mode") else "mode", other.partition(";")[0])
        image.tile = [_read_as(other, tile) for tile in image.tile]
        image.load()
        if rawmode != "LA;16B":
            return self.image
        _, grey, _, alpha = self.image.split()
        # The mode in which grey of 16 bits with alpha is loaded depends on Pillow's version.
        return Image.merge(mode, (*[grey] * (len(mode) - 1), alpha))

    def frames(self) -> int:
        """1 for a still picture; of a TIFF, 2 stands for two pages or more."""
        if self.media_type == "image/gif":
            before = self.stream.tell()
            self.stream.seek(0)
            frames = gif_frames(self.stream.read())
            self.stream.seek(before)
            return frames
        if self.media_type == "image/tiff":
            return 2 if getattr(self.image, "is_animated", False) else 1
        return int(getattr(self.image, "n_frames", 1))


def open_picture(stream: BinaryIO, name: str, max_pixels: int) -> ImageHeader:
    """Read the header of a PNG, JPEG, WebP, GIF, BMP or TIFF.

    Raises:
        ResultUnavailable: more than ``max_pixels`` pixels; told before they are allocated.
        Exception: any of ``PILLOW_RAISES`` where it is no such picture.
    """
    head = stream.read(HEAD_BYTES)
    found = media_type_of(head)
    if found is None:
        raise ValueError(_instead(head))
    if found == "image/webp" and (canvas := webp_canvas(head)):
        _check_size(*canvas, name, max_pixels)
    stream.seek(0)
    image = _READERS[found](stream)
    width, height = image.size
    _check_size(width, height, name, max_pixels)
    return ImageHeader(image, found, stream)


def _instead(head: bytes) -> str:
    if not head:
        return Text("file_empty")
    kind = describe_head(head)
    known = kind[:1].isalnum()
    return Text("looks_like", kind=kind) if known else Text("format_unknown")


def _read_as(rawmode: str, tile: Any) -> Any:
    arguments = (rawmode, *tile[3][1:]) if isinstance(tile[3], tuple) else rawmode
    # A bare tuple before Pillow 11.
    is_bare = type(tile) is tuple
    return (*tile[:3], arguments) if is_bare else tile._replace(args=arguments)


def _in_full(rawmode: str) -> str:
    """With the byte order spelled out where it is this machine's."""
    own = "B" if sys.byteorder == "big" else "L"
    return f"{rawmode[:-1]}{own}" if rawmode.endswith(";16N") else rawmode


def _check_size(width: int, height: int, name: str, max_pixels: int) -> None:
    if width < 1 or height < 1:
        raise ValueError(f"it is {width} x {height} pixels")
    if width * height > max_pixels:
        raise ResultUnavailable(
            "picture_too_large", given=name, width=width, height=height, allowed=max_pixels
        )


def webp_canvas(head: bytes) -> tuple[int, int] | None:
    """Width and height of a WebP, which libwebp allocates as soon as the file is opened."""
    if len(head) < 30:
        return None
    kind = head[12:16]
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
    """How many scans a JPEG holds; counting ends above ``MAX_SCANS`` and at its end mark."""
    scans = at = 0
    while scans <= MAX_SCANS:
        found = _JPEG_MARKER.search(data, at)
        if found is None or data[found.end() - 1] == _JPEG_END:
            break
        scans += data[found.end() - 1] == _JPEG_SCAN
        # A segment's length counts its own two bytes.
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
    return scans


def gif_frames(data: bytes) -> int:
    """How many images a GIF holds; counting ends at ``MAX_FRAMES`` and where the file is broken."""
    frames = 0
    try:
        at = 13 + _palette_bytes(data[10])
        while frames < MAX_FRAMES:
            if data[at] == _GIF_IMAGE:
                frames += 1
                at += 11 + _palette_bytes(data[at + 9])
            elif data[at] == _GIF_EXTENSION:
                at += 2
            else:
                break
            while data[at]:
                at += 1 + data[at]
            at += 1
    except IndexError:
        pass  # cut off: what was counted so far stands
    return frames


def _palette_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
