"""Reference images: what they are, how they are told apart, and which way they travel.

A reference is a URL, or a picture from pixels or from a file. Pictures are told apart by content,
so that the same pixels are the same reference wherever they came from.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .catalog import AIMED_REFERENCE_BYTES, MAX_INLINE_BODY_BYTES, MAX_REFERENCE_BYTES
from .encoding import Encoded, composited_on_white, encode
from .errors import InvalidRequest, ResultUnavailable
from .pictures import decode, probe

if TYPE_CHECKING:
    from numpy import uint8
    from numpy.typing import NDArray

    from .uploads import Way

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
    pixels: NDArray[uint8] | None = field(default=None, repr=False)
    file: Encoded | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()

    def identity(self) -> str:
        """``sha256:`` and a hash of the content. Reads every pixel: call it in a thread."""
        digest = hashlib.sha256()
        if self.pixels is not None:
            digest.update(f"pixels {self.width}x{self.height}:".encode())
            digest.update(self.pixels.tobytes())
        elif self.file is not None:
            digest.update(self.file.data)
        return f"sha256:{digest.hexdigest()}"

    def encoded(self, aim_bytes: int) -> Encoded:
        """The bytes to send: lossless if at most ``aim_bytes``, else the best lossy of that size.

        Takes long for large pictures: call it in a thread.
        """
        if self.file is not None and len(self.file.data) <= max(
            aim_bytes, self._as_is_bytes(aim_bytes)
        ):
            return self.file
        pixels = self.pixels
        if pixels is None and self.file is not None:
            pixels = decode(self.file.data, name=self.name).pixels
        assert pixels is not None, "a picture has pixels or a file"  # noqa: S101
        return encode(pixels, aim_bytes=aim_bytes)

    @staticmethod
    def _as_is_bytes(aim_bytes: int) -> int:
        """A file may be heavier than what we would make, unless the aim is a shared budget."""
        whole = aim_bytes >= AIMED_REFERENCE_BYTES.value
        return MAX_REFERENCE_BYTES.value if whole else aim_bytes


Reference = UrlReference | PictureReference


def pixels_reference(pixels: NDArray[uint8], name: str) -> PictureReference:
    """A reference from ``[H, W, 3]`` uint8 RGB pixels."""
    return PictureReference(name, int(pixels.shape[1]), int(pixels.shape[0]), pixels=pixels)


def file_reference(path: Path, position: int) -> PictureReference:
    """A reference from an image file; transparency is composited on white, and noted.

    Args:
        position: its place among the references, from 1, for the error.

    Raises:
        InvalidRequest: the file is missing or no readable image.
    """
    try:
        data = path.read_bytes()
        info = probe(data, name=path.name)
        if info.media_type in _SENT_AS_THEY_ARE and not info.has_alpha:
            file = Encoded(data, info.media_type, True, (), info.width, info.height)
            return PictureReference(path.name, info.width, info.height, file=file)
        picture = decode(data, name=path.name)
    except (OSError, ResultUnavailable) as error:
        reason = error.strerror if isinstance(error, OSError) else error.values.get("reason")
        raise InvalidRequest(
            "reference_unreadable", position=position, given=path.name, reason=reason or error
        ) from None
    notes, pixels = picture.notes, picture.pixels
    if picture.alpha is not None:
        pixels = composited_on_white(pixels, picture.alpha)
        notes = (*notes, f"{path.name}: its transparency was composited on white")
    return PictureReference(path.name, info.width, info.height, pixels=pixels, notes=notes)


async def identities(references: Sequence[Reference]) -> tuple[str, ...]:
    """The identity of every reference, hashed in threads, in order."""
    return tuple(
        await asyncio.gather(*(asyncio.to_thread(reference.identity) for reference in references))
    )


@dataclass(frozen=True)
class Travelled:
    """References as the request's body names them, and what was done to them on the way."""

    urls: tuple[str, ...]
    notes: tuple[str, ...]


async def travel(references: Sequence[Reference], way: Way | None) -> Travelled:
    """Bring every reference to where the service can read it, several at once, in order.

    Args:
        way: how pictures travel; may be ``None`` where all references are URLs.

    Raises:
        UploadFailed: one did not arrive; nothing was charged.
    """
    pictures = sum(isinstance(reference, PictureReference) for reference in references)
    aim = AIMED_REFERENCE_BYTES.value
    if way is not None and way.shares_one_body and pictures:
        # Base64 makes four characters of three bytes.
        aim = min(aim, MAX_INLINE_BODY_BYTES.value * 3 // 4 // pictures)

    async def one(position: int, reference: Reference) -> tuple[str, tuple[str, ...]]:
        if isinstance(reference, UrlReference):
            return reference.url, ()
        assert way is not None, "chosen before anything was written down"  # noqa: S101
        encoded = await asyncio.to_thread(reference.encoded, aim)
        url = await way.send(encoded, position)
        return url, (*reference.notes, *(f"{reference.name}: {note}" for note in encoded.notes))

    arrived = await asyncio.gather(
        *(one(position, reference) for position, reference in enumerate(references, start=1))
    )
    return Travelled(
        tuple(url for url, _ in arrived), tuple(note for _, notes in arrived for note in notes)
    )
