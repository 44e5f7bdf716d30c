"""Image files that no ordinary program would save."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from typing import Any

from PIL import Image

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def saved(kind: str, side: int = 24, **options: Any) -> bytes:
    """A sound picture of noise."""
    noise = bytes(hashlib.shake_128(b"noise").digest(side * side * 3))
    file = io.BytesIO()
    Image.frombytes("RGB", (side, side), noise).save(file, kind, **options)
    return file.getvalue()


def of_mode(kind: str, mode: str) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (16, 16)).save(file, kind)
    return file.getvalue()


def chunk(kind: bytes, data: bytes, check: int | None = None) -> bytes:
    known = zlib.crc32(kind + data) if check is None else check
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", known)


def png(
    width: int, height: int, packed: bytes, *, depth: int = 8, colour: int = 2, before: bytes = b""
) -> bytes:
    """A PNG of RGB (colour 2) or grey (0) whose data may be anything."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = (chunk(b"IHDR", header), before, chunk(b"IDAT", packed), chunk(b"IEND", b""))
    return PNG_SIGNATURE + b"".join(parts)


def with_packed_text(kind: bytes, size: int) -> bytes:
    """A sound PNG with a chunk that unpacks to ``size`` bytes."""
    bomb = b"name\0\0" + zlib.compress(bytes(size), 9)
    return saved("PNG").replace(b"\0\0\0\x0dIHDR", b"\0\0\0\x0dIHDR", 1)[:33] + (
        chunk(kind, bomb) + saved("PNG")[33:]
    )


def of_many_scans(side: int, scans: int) -> bytes:
    """A progressive JPEG whose scans say the same again and again: each costs a whole pass."""
    file = io.BytesIO()
    Image.new("L", (side, side), 90).save(file, "JPEG", progressive=True, quality=50)
    data = file.getvalue()
    last = data.rindex(b"\xff\xda")
    begins = data.rfind(b"\xff\xc4", 0, last)  # the tables of the last scan stand before it
    scan = data[max(begins, 0) : -2] if begins > 0 else data[last:-2]
    return data[:-2] + scan * scans + b"\xff\xd9"


def jpeg_of_size(width: int, height: int) -> bytes:
    data = saved("JPEG")
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def webp_of_canvas(side: int) -> bytes:
    canvas = (side - 1).to_bytes(3, "little") * 2
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas + b"VP8L" + bytes(60)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def gif(screen: int, frame: int) -> bytes:
    image = b"\x2c" + struct.pack("<HHHHB", 0, 0, frame, frame, 0) + b"\x02\x02\x44\x01\x00"
    return b"GIF89a" + struct.pack("<HHBBB", screen, screen, 0x80, 0, 0) + bytes(6) + image + b";"


def bmp(width: int, height: int, bits: int = 24, packing: int = 0) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, packing, *[0] * 5)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + header


def tiff(tags: dict[int, tuple[int, int, int]], data: bytes = b"") -> bytes:
    """A little-endian TIFF: one directory of (type, count, value) by tag, then the data."""
    start = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(
        struct.pack("<HHII", tag, *(entry if tag != 273 else (4, 1, start)))
        for tag, entry in sorted(tags.items())
    )
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + data


def tiff_of_size(side: int) -> bytes:
    return tiff(
        {256: (4, 1, side), 257: (4, 1, side), 258: (3, 1, 8), 262: (3, 1, 1), 273: (4, 1, 0),
         277: (3, 1, 1), 278: (4, 1, side), 279: (4, 1, 9)},
        bytes(9),
    )  # fmt: skip
