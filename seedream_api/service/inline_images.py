"""Decode images that a response contains as base64 or as a data URI."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from ..images.media_types import HEAD_BYTES, kind_of, media_type_of

_PIECE = 1 << 20
"""Characters decoded at a time, so that the GIL is held for a few milliseconds at most."""
SMALLEST_IMAGE = 16
"""Bytes; a placeholder word in place of an image decodes to fewer."""
_DATA_URI = re.compile(rb"\s*data:([^,]{0,200}),", re.IGNORECASE)
_PREFIX = re.compile(rb"\s*(?:base64|b64)[:,]", re.IGNORECASE)
_ESCAPES = {
    rb"\/": b"/", rb"\n": b"", rb"\r": b"", rb"\t": b"", rb"\u002f": b"/", rb"\u002F": b"/",
    rb"\u002b": b"+", rb"\u002B": b"+", rb"\u003d": b"=", rb"\u003D": b"=",
}  # fmt: skip
_LONGEST_ESCAPE = 6
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_BLANKS = b" \t\r\n\f\v\"'`"
_NOT_IMAGES = frozenset({"TEXT", "HTML", "JSON", "XML"})


def decode_image(text: str | memoryview, *, is_certain: bool) -> bytes | None:
    """Decode base64 in any spelling, or a data URI.

    Args:
        text: a JSON string, or the raw bytes of one, escapes included.
        is_certain: whether its field holds images; otherwise only bytes with the signature of an
            image format count.

    Returns:
        The image's bytes, or ``None`` if ``text`` is something else.
    """
    view = memoryview(text.encode("utf-8", "replace")) if isinstance(text, str) else text
    decoded = _decode(view)
    if not decoded:
        return None
    head = decoded[:HEAD_BYTES]
    if media_type_of(head) is not None:
        return decoded
    is_likely = is_certain and len(decoded) >= SMALLEST_IMAGE and kind_of(head) not in _NOT_IMAGES
    return decoded if is_likely else None


def _decode(view: memoryview) -> bytes | None:
    head = bytes(view[:256])
    header = _DATA_URI.match(head)
    if header:
        rest = view[header.end() :]
        if b"base64" not in header[1].lower():
            return unquote_to_bytes(bytes(rest))
        return _decode_base64(rest)
    named = _PREFIX.match(head)
    return _decode_base64(view[named.end() :] if named else view)


def _decode_base64(view: memoryview) -> bytes | None:
    """Decode base64 with or without padding, in either alphabet; else return ``None``."""
    decoded, carry = list[bytes](), b""
    for piece in _iter_pieces(view):
        carry += piece
        if b"=" in carry.rstrip(b"="):
            return None
        length = len(carry) - len(carry) % 4
        try:
            decoded.append(base64.b64decode(carry[:length], validate=True))
            carry = carry[length:]
        except binascii.Error:
            return None
    carry = carry.rstrip(b"=")
    if len(carry) == 1:
        return None
    try:
        decoded.append(base64.b64decode(carry + b"=" * (-len(carry) % 4), validate=True))
    except binascii.Error:
        return None
    return b"".join(decoded)


def _iter_pieces(view: memoryview) -> Iterator[bytes]:
    """Yield base64 in the standard alphabet, without escapes and blanks, a megabyte at a time."""
    at = 0
    while at < len(view):
        end = min(at + _PIECE, len(view))
        escape = bytes(view[max(at, end - _LONGEST_ESCAPE) : end]).rfind(b"\\")
        if escape >= 0 and end < len(view):
            end = max(at, end - _LONGEST_ESCAPE) + escape
        piece = bytes(view[at:end])
        at = end
        if b"\\" in piece:
            for escaped, plain in _ESCAPES.items():
                piece = piece.replace(escaped, plain)
        if b"%" in piece:
            piece = unquote_to_bytes(piece)
        yield piece.translate(_URL_SAFE, _BLANKS)
