"""Remove ancillary PNG chunks whose checksum is wrong, as libpng does.

Pillow refuses the whole image for one, unless a global switch is set that also accepts cut files.
"""

from __future__ import annotations

import struct
import zlib

from .media_types import media_type_of

_SIGNATURE_BYTES = 8
_MAX_CHUNKS = 200_000
"""Encoders write one per 8 KB; a hostile file holds millions of empty ones."""


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
