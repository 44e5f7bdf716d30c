"""Reference images: what they are, and how they are told apart.

A reference is a URL, or a picture from pixels or from a file. Pictures are told apart by content,
so that the same pixels are the same reference wherever they came from.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray  # at run time: pydantic 2.6 looks it up

from ..catalog import MAX_REFERENCE_SIDE
from ..errors import InvalidRequest, ResultUnavailable
from ..images.decode import decode, probe
from ..images.encode import EncodedImage, composited_on_white, encode
from ..images.pixel_arrays import to_rgb
from ..messages import Text

_SENT_AS_THEY_ARE = ("image/jpeg", "image/png", "image/webp")


@dataclass(frozen=True)
class UrlReference:
    """A picture that the service fetches itself."""

    url: str = field(repr=False)

    def identity(self) -> str:
        return f"url:{self.url}"


@dataclass(frozen=True, eq=False)
class PictureReference:
    """A picture of this machine: pixels, or a file that is sent as it is.

    Args:
        name: what people call it, e.g. ``image_1, frame 2`` or a file name.
        width, height: in pixels.
        pixels: ``[H, W, 3]`` uint8 RGB, or ``None`` where ``file`` is given.
        file: the encoded bytes, or ``None`` where ``pixels`` are given.
        notes: what was done to it on the way here.
    """

    name: str
    width: int
    height: int
    pixels: NDArray[np.uint8] | None = field(default=None, repr=False)
    file: EncodedImage | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()

    def identity(self) -> str:
        """``sha256:`` and a hash of the content. The first call reads every pixel: in a thread."""
        known = vars(self)
        if "_identity" not in known:  # before 3.12 cached_property would hash one at a time
            known["_identity"] = self._hashed()
        return known["_identity"]

    def _hashed(self) -> str:
        digest = hashlib.sha256()
        if self.pixels is not None:
            digest.update(f"pixels {self.width}x{self.height}:".encode())
            digest.update(np.ascontiguousarray(self.pixels).data)
        elif self.file is not None:
            digest.update(self.file.data)
        return f"sha256:{digest.hexdigest()}"

    def encoded(self, aim_bytes: int, cap_bytes: int) -> EncodedImage:
        """The bytes to send: lossless if at most ``aim_bytes``, else the best lossy of that size.

        Takes long for large pictures: call it in a thread.

        Args:
            cap_bytes: never more than this; a file goes as it is if it has no more, and no side
                over the service's limit.

        Raises:
            InvalidRequest: it cannot be made as small as ``cap_bytes``.
        """
        if self.file is not None and self._goes_as_it_is(self.file, cap_bytes):
            return self.file
        pixels = self.pixels
        if pixels is None and self.file is not None:
            pixels = decode(self.file.data, name=self.name).pixels
        assert pixels is not None, "a picture has pixels or a file"  # noqa: S101
        return encode(pixels, aim_bytes=aim_bytes, cap_bytes=cap_bytes)

    def _goes_as_it_is(self, file: EncodedImage, cap_bytes: int) -> bool:
        longest = max(self.width, self.height)
        return len(file.data) <= cap_bytes and longest <= MAX_REFERENCE_SIDE.value


Reference = UrlReference | PictureReference


def pixels_reference(pixels: Any, name: str) -> PictureReference:
    """A reference from a PIL image or an array: grey, RGB or RGBA, of one frame.

    Transparency is composited on white, and noted.

    Args:
        pixels: whole numbers 0-255, 16-bit values, or floats 0-1.

    Raises:
        InvalidRequest: they have no such form.
    """
    rgb, alpha = to_rgb(pixels, name)
    height, width = int(rgb.shape[0]), int(rgb.shape[1])
    if alpha is None:
        return PictureReference(name, width, height, pixels=rgb)
    notes = (Text("composited", name=name),)
    rgb = composited_on_white(rgb, alpha)
    return PictureReference(name, width, height, pixels=rgb, notes=notes)


def file_reference(path: str | os.PathLike[str], position: int = 1) -> PictureReference:
    """A reference from an image file; transparency is composited on white, of several frames the
    first is taken, and both are noted.

    Args:
        position: its place among the references, from 1, for the error.

    Raises:
        InvalidRequest: the file is missing or no readable image.
    """
    try:
        path = Path(path)
        data = path.read_bytes()
        info = probe(data, name=path.name)
        is_plain = not info.has_alpha and info.frames == 1
        if info.media_type in _SENT_AS_THEY_ARE and is_plain:
            file = EncodedImage(data, info.media_type, True, (), info.width, info.height)
            return PictureReference(path.name, info.width, info.height, file=file)
        picture = decode(data, name=path.name)
    except (OSError, TypeError, ValueError, ResultUnavailable) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        if isinstance(error, ResultUnavailable):
            reason = error.reason
        given = path.name if isinstance(path, Path) else path
        raise InvalidRequest(
            "reference_unreadable", position=position, given=given, reason=reason or error
        ) from None
    notes = tuple(Text("note_of", name=path.name, note=note) for note in picture.notes)
    pixels = picture.pixels
    if picture.alpha is not None:
        pixels = composited_on_white(pixels, picture.alpha)
        notes = (*notes, Text("composited", name=path.name))
    return PictureReference(path.name, info.width, info.height, pixels=pixels, notes=notes)


async def read_identities(references: Sequence[Reference]) -> tuple[str, ...]:
    """The identity of every reference, hashed in threads, in order."""
    return tuple(
        await asyncio.gather(*(asyncio.to_thread(reference.identity) for reference in references))
    )
