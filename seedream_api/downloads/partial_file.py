"""Write and hash a file whose bytes are still arriving, in threads, a megabyte at a time."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

from ..errors import LedgerFailed
from ..images.media_types import HEAD_BYTES, has_end, is_cut
from ..messages import text_of

_T = TypeVar("_T")

TAIL_BYTES = 16
"""A resumed download requests this many bytes again, to check that they match."""
_WRITE_BYTES = 1024 * 1024
"""Pieces of this size cause few thread switches and take a few milliseconds each."""


class PartialFile:
    """The bytes so far. Every method raises ``LedgerFailed`` when they cannot be written.

    Args:
        path: created, or emptied, when the first bytes are written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size: int = 0
        """Bytes written to the file; a download can be resumed from here."""
        self.head: bytes = b""
        """The first bytes, up to ``HEAD_BYTES``."""
        self.tail: bytes = b""
        """The last bytes, up to ``TAIL_BYTES``."""
        self._pending = bytearray()
        self._digest = hashlib.sha256()
        self._file: BinaryIO | None = None

    @property
    def received(self) -> int:
        """Count all bytes, including those not yet in the file."""
        return self.size + len(self._pending)

    async def write_chunk(self, chunk: bytes) -> None:
        if len(self.head) < HEAD_BYTES:
            self.head = (self.head + chunk)[:HEAD_BYTES]
        self.tail = (self.tail + chunk[-TAIL_BYTES:])[-TAIL_BYTES:]
        self._pending += chunk
        if len(self._pending) >= _WRITE_BYTES:
            await self.flush()

    async def flush(self) -> None:
        """Write everything to the file."""
        piece, self._pending = self._pending, bytearray()
        if piece:
            await _in_thread(self.path, lambda: self._write(piece))

    async def empty(self) -> None:
        """Discard all bytes, to start over."""
        self.size, self.head, self.tail, self._pending = 0, b"", b"", bytearray()
        self._digest = hashlib.sha256()
        await _in_thread(self.path, self._truncate)

    async def is_cut(self, media_type: str, *, length_known: bool) -> bool:
        """See :func:`media_types.is_cut`."""
        await self.flush()
        return await _in_thread(
            self.path, lambda: is_cut(self.path, media_type, length_known=length_known)
        )

    async def has_end(self, media_type: str) -> bool:
        """See :func:`media_types.has_end`."""
        await self.flush()
        return await _in_thread(self.path, lambda: has_end(self.path, media_type))

    async def finish(self) -> str:
        """Sync the file to disk and close it; return its SHA-256 in hexadecimal."""
        await self.flush()
        await _in_thread(self.path, self._sync)
        return self._digest.hexdigest()

    async def discard(self) -> None:
        """Remove the file, even during a cancellation."""
        await asyncio.shield(asyncio.to_thread(self._remove))

    def _open(self) -> BinaryIO:
        if self._file is None:
            self._file = open_private(self.path)
        return self._file

    def _write(self, piece: bytearray) -> None:
        file = self._open()
        file.seek(self.size)  # a write that failed half-way is written again
        file.write(piece)
        file.flush()
        self._digest.update(piece)
        self.size += len(piece)

    def _truncate(self) -> None:
        file = self._open()
        file.seek(0)
        file.truncate()

    def _sync(self) -> None:
        file = self._open()
        os.fsync(file.fileno())
        file.close()

    def _remove(self) -> None:
        # Closing writes what is buffered, which fails on a full disk.
        with contextlib.suppress(OSError):
            if self._file is not None:
                self._file.close()
        # A file that another program keeps open is removed later, with the process's folder.
        with contextlib.suppress(OSError):
            self.path.unlink()


def open_private(path: Path) -> BinaryIO:
    """Create or empty a file that only its owner may read, even where rights cannot be changed."""
    return open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600))


async def _in_thread(path: Path, work: Callable[[], _T]) -> _T:
    """Run ``work`` in a thread, and wait for it even when cancelled.

    Bytes written after the next attempt asked where to resume would be in the file twice.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        raise
    except OSError as error:
        reason = text_of(error)
        raise LedgerFailed("image_unstorable", path=path.parent, reason=reason) from None
