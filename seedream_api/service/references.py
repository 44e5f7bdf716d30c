"""Reference images: URLs, pixels or files, identified by their content.

Equal pixels are the same reference, wherever they came from.
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
from numpy.typing import NDArray  # pydantic 2.6 needs it at run time

from ..catalog import MAX_REFERENCE_SIDE
from ..errors import InvalidRequest, ResultUnavailable
from ..images.decode import decode, probe
from ..images.encode import EncodedImage, composited_on_white, encode, encode_lossless
from ..images.heif import convert_to_png, find_heif_kind
from ..images.media_types import HEAD_BYTES
from ..images.pixel_arrays import to_rgb
from ..messages import Text, text_of

_SENDABLE_TYPES = ("image/jpeg", "image/png", "image/webp")


@dataclass(frozen=True)
class UrlReference:
    """An image that the service downloads from a URL."""

    url: str = field(repr=False)

    def identity(self) -> str:
        """Return ``url:`` and the URL."""
        """Return ``url:`` and the URL."""
        return f"url:{self.url}"


@dataclass(frozen=True, eq=False)
class PictureReference:
    """A local image: pixels, or a file that is sent unchanged if it is small enough.

    Args:
        name: how messages name it, e.g. ``image_1, frame 2`` or a file name.
        width, height: in pixels.
        pixels: ``[H, W, 3]`` uint8 RGB, or ``None`` if ``file`` is given.
        file: the encoded bytes, or ``None`` if ``pixels`` are given.
        notes: how it was changed before it became a reference.
    """

    name: str
    width: int
    height: int
    pixels: NDArray[np.uint8] | None = field(default=None, repr=False)
    file: EncodedImage | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()

    def identity(self) -> str:
        """Return ``sha256:`` and the content's hash; the first call is slow, so use a thread."""
        known = vars(self)
        if "_identity" not in known:  # cached_property holds a class-wide lock before Python 3.12
            known["_identity"] = self._compute_identity()
        return known["_identity"]

    def _compute_identity(self) -> str:
        digest = hashlib.sha256()
        if self.pixels is not None:
            digest.update(f"pixels {self.width}x{self.height}:".encode())
            digest.update(np.ascontiguousarray(self.pixels).data)
        elif self.file is not None:
            digest.update(self.file.data)
        return f"sha256:{digest.hexdigest()}"

    def encode(self, aim_bytes: int, cap_bytes: int) -> EncodedImage:
        """Encode losslessly if that takes at most ``aim_bytes``, else lossily at the best quality.

        Slow for large images: call it in a thread.

        Args:
            aim_bytes: the size to aim at.
            cap_bytes: the largest allowed size; a file within it, and with no side over the
                service's limit, is returned unchanged.

        Raises:
            InvalidRequest: the image cannot be encoded in ``cap_bytes``.
        """
        if self.file is not None and self._can_send_unchanged(self.file, cap_bytes):
            return self.file
        pixels = self.pixels
        if pixels is None and self.file is not None:
            pixels = decode(self.file.data, name=self.name).pixels
        assert pixels is not None, "a picture has pixels or a file"  # noqa: S101
        return encode(pixels, aim_bytes=aim_bytes, cap_bytes=cap_bytes)

    def copy_lossless(self, limit: int) -> EncodedImage | None:
        """Copy the content as a file: the given one, or a PNG of the pixels.

        Slow for large images: call it in a thread.

        Returns:
            ``None`` if the copy takes more than ``limit`` bytes.
        """
        if self.pixels is not None:
            return encode_lossless(self.pixels, limit)
        assert self.file is not None, "a picture has pixels or a file"  # noqa: S101
        return self.file if len(self.file.data) <= limit else None

    def _can_send_unchanged(self, file: EncodedImage, cap_bytes: int) -> bool:
        longest = max(self.width, self.height)
        return len(file.data) <= cap_bytes and longest <= MAX_REFERENCE_SIDE.value


Reference = UrlReference | PictureReference


def pixels_reference(pixels: Any, name: str) -> PictureReference:
    """Build a reference from a PIL image or an array: grey, RGB or RGBA, of one frame.

    Transparency is composited on white, which a note states.

    Args:
        pixels: integers 0-255, 16-bit values, or floats 0-1.
        name: how messages name the image.

    Raises:
        InvalidRequest: ``pixels`` have another form.
    """
    rgb, alpha = to_rgb(pixels, name)
    height, width = int(rgb.shape[0]), int(rgb.shape[1])
    if alpha is None:
        return PictureReference(name, width, height, pixels=rgb)
    notes = (Text("composited", name=name),)
    rgb = composited_on_white(rgb, alpha)
    return PictureReference(name, width, height, pixels=rgb, notes=notes)


def file_reference(path: str | os.PathLike[str], position: int = 1) -> PictureReference:
    """Build a reference from an image file.

    Transparency is composited on white, only the first frame is used, and HEIC and AVIF files are
    converted; notes state all three. HEIC needs the library pillow-heif.

    Args:
        position: its position among the references, from 1, for the error.

    Raises:
        InvalidRequest: the file is missing or not a readable image.
    """
    try:
        path = Path(path)
        data = path.read_bytes()
        kind = find_heif_kind(data[:HEAD_BYTES])
        if kind is not None:
            data = convert_to_png(data, kind, name=path.name)
        info = probe(data, name=path.name)
        is_plain = not info.has_alpha and not info.is_animated and kind is None
        if info.media_type in _SENDABLE_TYPES and is_plain:
            file = EncodedImage(data, info.media_type, True, (), info.width, info.height)
            return PictureReference(path.name, info.width, info.height, file=file)
        picture = decode(data, name=path.name)
    except (OSError, TypeError, ValueError, ResultUnavailable) as error:
        reason = error.reason if isinstance(error, ResultUnavailable) else text_of(error)
        given = path.name if isinstance(path, Path) else path
        raise InvalidRequest(
            "reference_unreadable", position=position, given=given, reason=reason or error
        ) from None
    notes = tuple(Text("note_of", name=path.name, note=note) for note in picture.notes)
    if kind is not None:
        notes = (Text("heif_converted", name=path.name, kind=kind), *notes)
    pixels = picture.pixels
    if picture.alpha is not None:
        pixels = composited_on_white(pixels, picture.alpha)
        notes = (*notes, Text("composited", name=path.name))
    return PictureReference(path.name, info.width, info.height, pixels=pixels, notes=notes)


async def read_identities(references: Sequence[Reference]) -> tuple[str, ...]:
    """Return the identity of every reference, in order; hash in threads."""
    return tuple(
        await asyncio.gather(*(asyncio.to_thread(reference.identity) for reference in references))
    )
