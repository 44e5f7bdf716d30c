"""Choose how to undo the compression of a download.

The first bytes decide. ``Content-Encoding`` says ``aws-chunked``, ``utf-8``, ``none`` or ``gzip``
for bodies that are plain images, and is missing for some that are compressed.
"""

from __future__ import annotations

import zlib

from ..images.media_types import media_type_of
from ..network.compression import GZIP_MAGIC, Decompressor

SNIFFED_BYTES = 32
"""This many first bytes tell an image, or a compressed body, from anything else."""
_GZIP_OR_ZLIB, _RAW = 47, -15
_DEFLATE = frozenset({"gzip", "x-gzip", "deflate"})
_UNSUPPORTED = frozenset({"br", "zstd", "compress", "x-compress"})


def choose_decompressor(first: bytes, encoding: str) -> Decompressor | None:
    """Choose what undoes the compression of a body; ``None`` where it is not compressed.

    Args:
        first: the first ``SNIFFED_BYTES`` of the body.
        encoding: its ``Content-Encoding``.
    """
    if media_type_of(first) is not None:
        return None
    if first.startswith(GZIP_MAGIC):
        return Decompressor(_GZIP_OR_ZLIB)
    if _tokens(encoding) & _DEFLATE:
        for window in (_GZIP_OR_ZLIB, _RAW):
            try:
                head = zlib.decompressobj(window).decompress(first, SNIFFED_BYTES)
            except zlib.error:
                continue
            if head:
                return Decompressor(window)
    return None


def is_unsupported(first: bytes, encoding: str) -> bool:
    """Whether the body is compressed in a way that cannot be undone here."""
    return media_type_of(first) is None and bool(_tokens(encoding) & _UNSUPPORTED)


def _tokens(encoding: str) -> set[str]:
    return {token.strip().lower() for token in encoding.split(",")}
