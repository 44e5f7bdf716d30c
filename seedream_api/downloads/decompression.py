"""Undoes gzip and deflate of a body, bounded: a few bytes may become gigabytes.

The first bytes decide. ``Content-Encoding`` says ``aws-chunked``, ``utf-8``, ``none`` or ``gzip``
about bodies that are plain images, and nothing about some that are compressed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from ..images.media_types import media_type_of

SNIFFED_BYTES = 32
"""So many first bytes tell an image, or a compressed body, from anything else."""
_PIECE_BYTES = 256 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_OR_ZLIB, _RAW = 47, -15
_DEFLATE = frozenset({"gzip", "x-gzip", "deflate"})
_OTHERS = frozenset({"br", "zstd", "compress", "x-compress"})


class Unpacker:
    """Decompresses one body as it arrives.

    Args:
        bits: zlib's ``wbits``, which choose the format.
    """

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._stream = zlib.decompressobj(bits)

    @property
    def is_done(self) -> bool:
        """Whether the end of the compressed data has come."""
        return self._stream.eof

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Decompress ``chunk`` in pieces of bounded size.

        Raises:
            zlib.error: it is damaged.
        """
        while chunk:
            if self._stream.eof:
                if not chunk.startswith(_GZIP_MAGIC):
                    return  # bytes after the end do no harm
                self._stream = zlib.decompressobj(self._bits)
            piece = self._stream.decompress(chunk, _PIECE_BYTES)
            chunk = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
            if piece:
                yield piece


def choose_unpacker(first: bytes, coding: str) -> Unpacker | None:
    """What undoes the compression of a body; ``None`` where it is to be taken as it is.

    Args:
        first: the first ``SNIFFED_BYTES`` of the body.
        coding: its ``Content-Encoding``.
    """
    if media_type_of(first) is not None:
        return None
    if first.startswith(_GZIP_MAGIC):
        return Unpacker(_GZIP_OR_ZLIB)
    if _tokens(coding) & _DEFLATE:
        for bits in (_GZIP_OR_ZLIB, _RAW):
            try:
                head = zlib.decompressobj(bits).decompress(first, SNIFFED_BYTES)
            except zlib.error:
                continue
            if head:
                return Unpacker(bits)
    return None


def is_sealed(first: bytes, coding: str) -> bool:
    """Whether the body is compressed in a way that cannot be undone here."""
    return media_type_of(first) is None and bool(_tokens(coding) & _OTHERS)


def _tokens(coding: str) -> set[str]:
    return {token.strip().lower() for token in coding.split(",")}
