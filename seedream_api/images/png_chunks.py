"""Read a text chunk of a PNG, and remove ancillary chunks whose checksum is wrong.

libpng ignores such chunks. Pillow refuses the whole image for one, unless a global switch is set
that also accepts cut files.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

from .media_types import media_type_of

_SIGNATURE_BYTES = 8
_MAX_CHUNKS = 200_000
"""Encoders write one per 8 KB; a hostile file holds millions of empty ones."""
_MAX_TEXT_BYTES = 4 * 1024 * 1024
"""A longer text chunk is not read."""


def remove_damaged_chunks(data: bytes) -> bytes:
    """Return a PNG without its damaged ancillary chunks, and any other file unchanged."""
    if media_type_of(data[:_SIGNATURE_BYTES]) != "image/png":
        return data
    view, sound = memoryview(data), list[memoryview]()
    kept = at = _SIGNATURE_BYTES
    for _ in range(_MAX_CHUNKS):
        length, name = struct.unpack(">I4s", data[at : at + 8].ljust(8, b"\0"))
        end = at + 12 + length
        if name == b"IEND" or end > len(data):
            break
        checksum = int.from_bytes(view[end - 4 : end], "big")
        if name[:1].islower() and zlib.crc32(view[at + 4 : end - 4]) != checksum:
            sound.append(view[kept:at])
            kept = end
        at = end
    return b"".join((data[:_SIGNATURE_BYTES], *sound, view[kept:])) if sound else data


def read_text_chunk(path: Path, keyword: str) -> str | None:
    """Read a text chunk of a PNG file without decoding its pixels; ``None`` where it has none.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        if media_type_of(file.read(_SIGNATURE_BYTES)) != "image/png":
            return None
        for _ in range(_MAX_CHUNKS):
            head = file.read(8)
            if len(head) < 8 or head[4:] == b"IEND":
                return None
            length = int.from_bytes(head[:4], "big")
            if head[4:] in (b"tEXt", b"iTXt") and length <= _MAX_TEXT_BYTES:
                found = _parse_text(head[4:], file.read(length), keyword)
                if found is not None:
                    return found
                length = 0
            file.seek(length + 4, os.SEEK_CUR)
    return None


def _parse_text(kind: bytes, data: bytes, keyword: str) -> str | None:
    """Parse an uncompressed text chunk; ``None`` if it has another keyword."""
    name, _, rest = data.partition(b"\0")
    if name != keyword.encode("latin-1"):
        return None
    if kind == b"tEXt":
        return rest.decode("latin-1")
    if rest[:1] != b"\0":
        return None  # compressed
    return rest[2:].split(b"\0", 2)[-1].decode("utf-8", "replace")
