"""Decompress a response, even if it is cut off.

The bytes decide the format, not the header. See ``downloads/unpacking.py`` for downloads.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

MAX_PLAIN_BYTES = 512 * 1024 * 1024
"""The limit for a decompressed body; the rest is ignored."""
_MAX_LAYERS = 3
_STEP = 64 * 1024
"""Bytes decompressed at once; a damaged step is read byte by byte."""


def decompress(body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """Decompress a body; one that is cut off or damaged is decompressed up to that point."""
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
    """Choose ``wbits`` for zlib; ``None`` if the body is not compressed."""
    if body[:2] == b"\x1f\x8b":
        return 16 + zlib.MAX_WBITS
    if len(body) > 2 and body[0] == 0x78 and (body[0] * 256 + body[1]) % 31 == 0:
        return zlib.MAX_WBITS
    if "deflate" in declared and body[:1] not in (b"{", b"[", b" ", b"\n", b"\xef", b""):
        return -zlib.MAX_WBITS
    return None


def _inflate(body: bytes, window: int) -> bytes:
    parts: list[bytes] = []
    left, rest = MAX_PLAIN_BYTES, body
    while rest and left > 0:
        inflater = zlib.decompressobj(window)
        for start in range(0, len(rest), _STEP):
            before = inflater.copy()
            try:
                part = inflater.decompress(rest[start : start + _STEP], left)
            except zlib.error:
                parts.append(_inflate_to_fault(before, rest[start : start + _STEP], left))
                return b"".join(parts)
            parts.append(part)
            left -= len(part)
            if inflater.eof or left <= 0:
                rest = inflater.unused_data + rest[start + _STEP :]
                break
        else:
            break
        if rest[:2] != b"\x1f\x8b":  # only gzip may have several members
            break
    return b"".join(parts)


def _inflate_to_fault(inflater: Any, damaged: bytes, left: int) -> bytes:
    """Decompress the bytes before a damaged one: a wrong checksum follows all content."""
    parts: list[bytes] = []
    for at in range(len(damaged)):
        try:
            parts.append(inflater.decompress(damaged[at : at + 1]))
        except zlib.error:
            break
    return b"".join(parts)[:left]
