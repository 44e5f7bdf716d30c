"""Undo gzip and deflate, bounded: a few bytes may become gigabytes.

The bytes decide what they are, not what a header calls them.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

MAX_PLAIN_BYTES = 512 * 1024 * 1024
"""Limit of a body after decompression; the rest is not read."""
GZIP_MAGIC = b"\x1f\x8b"
_MAX_LAYERS = 3
_STEP = 64 * 1024
"""Compressed bytes handled at once."""
_PIECE = 256 * 1024
"""Limit of the bytes that come out at once."""


def decompress(body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """Undo the compression of a body, up to where it is cut or damaged."""
    declared = (headers or {}).get("content-encoding", "").lower()
    for _ in range(_MAX_LAYERS):
        window = _choose_wbits(body, declared)
        if window is None:
            break
        inflated = _inflate(body, window)
        if not inflated:
            break
        body = inflated
    return body


def _choose_wbits(body: bytes, declared: str) -> int | None:
    """Find the ``wbits`` for zlib; ``None`` where the body is not compressed."""
    if body.startswith(GZIP_MAGIC):
        return 16 + zlib.MAX_WBITS
    if len(body) > 2 and body[0] == 0x78 and (body[0] * 256 + body[1]) % 31 == 0:
        return zlib.MAX_WBITS
    if "deflate" in declared and body[:1] not in (b"{", b"[", b" ", b"\n", b"\xef", b""):
        return -zlib.MAX_WBITS
    return None


def _inflate(body: bytes, window: int) -> bytes:
    parts: list[bytes] = []
    left, decompressor = MAX_PLAIN_BYTES, Decompressor(window)
    with contextlib.suppress(zlib.error):
        for start in range(0, len(body), _STEP):
            for piece in decompressor.feed(body[start : start + _STEP]):
                parts.append(piece[:left])
                left -= len(parts[-1])
                if left == 0:
                    return b"".join(parts)
    return b"".join(parts)


class Decompressor:
    """Decompresses one body as it arrives, in pieces of bounded size.

    Args:
        window: zlib's ``wbits``, which choose the format.
    """

    def __init__(self, window: int) -> None:
        self._window = window
        self._stream = zlib.decompressobj(window)
        self._held: bytes = b""
        """A byte after the end, which may begin another member."""

    @property
    def is_done(self) -> bool:
        """Whether the end of the compressed data has arrived."""
        return self._stream.eof

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Decompress ``chunk``; bytes after the end are ignored, except further gzip members.

        Raises:
            zlib.error: it is damaged; everything before the damage was yielded.
        """
        chunk, self._held = self._held + chunk, b""
        while chunk:
            if self._stream.eof:
                if len(chunk) < len(GZIP_MAGIC):
                    self._held = chunk
                if not chunk.startswith(GZIP_MAGIC):
                    return
                self._stream = zlib.decompressobj(self._window)
            before = self._stream.copy()
            try:
                piece = self._stream.decompress(chunk, _PIECE)
            except zlib.error:
                yield from _inflate_to_fault(before, chunk)
                raise
            chunk = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
            if piece:
                yield piece


def _inflate_to_fault(stream: Any, damaged: bytes) -> Iterator[bytes]:
    """Decompress the bytes before the damaged one: a wrong checksum comes after all content."""
    while len(damaged) > 1:
        half, ahead = len(damaged) // 2, stream.copy()
        try:
            piece = ahead.decompress(damaged[:half])
        except zlib.error:
            damaged = damaged[:half]
        else:
            stream, damaged = ahead, damaged[half:]
            yield piece
