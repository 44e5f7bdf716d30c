"""Leaves out what libpng leaves out too: ancillary PNG chunks whose checksum is wrong.

Pillow refuses the whole picture for one, unless a global switch is set that also hides cut files.
"""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import BinaryIO

from .media_types import media_type_of

_MAGIC_BYTES = 8
_LARGEST_CHECKED = 16 * 1024 * 1024
_MOST_CHUNKS = 200_000
"""Encoders make one per 8 KB; a hostile file holds millions of empty ones."""
_Chunk = tuple[int, int]
"""Where a chunk begins and where the next one does."""


def without_damaged_chunks(source: bytes | BinaryIO) -> bytes | None:
    """The picture without its damaged ancillary chunks; ``None`` where it has none, or is no PNG.

    A stream is left at its start. Of a stream only the chunks before the pixels are looked at,
    which are all that a header's reader looks at.
    """
    stream = BytesIO(source) if isinstance(source, bytes) else source
    is_png = media_type_of(stream.read(_MAGIC_BYTES)) == "image/png"
    damaged = _find_damaged(stream, until_pixels=stream is source) if is_png else []
    stream.seek(0)
    if not damaged:
        return None
    data = source if isinstance(source, bytes) else stream.read()
    kept, at = bytearray(), 0
    for begins, ends in damaged:
        kept += data[at:begins]
        at = ends
    return bytes(kept + data[at:])


def _find_damaged(stream: BinaryIO, *, until_pixels: bool) -> list[_Chunk]:
    damaged: list[_Chunk] = []
    at = _MAGIC_BYTES
    for _ in range(_MOST_CHUNKS):
        if len(header := stream.read(8)) < 8:
            break
        length, name = struct.unpack(">I4s", header)
        is_ancillary = name[:1].islower()
        if name == b"IEND" or (until_pixels and name == b"IDAT"):
            break
        if is_ancillary and length <= _LARGEST_CHECKED:
            content, checksum = stream.read(length), stream.read(4)
            if len(content) < length or len(checksum) < 4:
                break  # cut: its reader says so
            if zlib.crc32(content, zlib.crc32(name)).to_bytes(4, "big") != checksum:
                damaged.append((at, at + length + 12))
        else:
            stream.seek(length + 4, 1)
        at += length + 12
    return damaged
