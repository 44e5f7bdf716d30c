"""Read images from ``data:`` URIs, in every spelling that browsers accept."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from urllib.parse import unquote, unquote_to_bytes

from ..errors import ResultUnavailable
from ..images.media_types import HEAD_BYTES, describe_head, media_type_of
from ..messages import Text

_HEAD = re.compile(r"data:([^,]{0,500}),", re.IGNORECASE)
_BASE64 = re.compile(r";\s*base64\s*\Z", re.IGNORECASE)
_PIECE_CHARACTERS = 1024 * 1024
_SPELLINGS = str.maketrans("-_", "+/", " \t\r\n\f")


def is_data_uri(url: str) -> bool:
    return url[:5].lower() == "data:"


def read_data_uri(text: str, max_bytes: int) -> bytes:
    """Decode a ``data:`` URI that holds an image, whatever type it declares.

    Megabytes take milliseconds: call it in a thread.

    Raises:
        ResultUnavailable: it is damaged, is not an image, or has more than ``max_bytes``.
    """
    declared = _HEAD.match(text[:600])
    if declared is None:
        raise ResultUnavailable("download_failed", given="data:…", reason=Text("no_base64_image"))
    pieces = _pieces(text.partition("#")[0], declared.end())
    decoded = (
        _decode_base64(pieces) if _BASE64.search(declared[1]) else map(unquote_to_bytes, pieces)
    )
    data = bytearray()
    try:
        for piece in decoded:
            data += piece
            if len(data) > max_bytes:
                raise ResultUnavailable("download_too_large", given="data:…", allowed=max_bytes)
    except ValueError:
        reason = Text("base64_damaged")
        raise ResultUnavailable("download_failed", given="data:…", reason=reason) from None
    if media_type_of(head := bytes(data[:HEAD_BYTES])) is None:
        kind = describe_head(head)
        raise ResultUnavailable("download_no_image", given="data:…", kind=kind)
    return bytes(data)


def _pieces(text: str, start: int) -> Iterator[str]:
    """Split the text from ``start`` into pieces of a megabyte, without cutting a percent escape.

    The Base64 decoder holds the interpreter's lock for one piece at a time.
    """
    while start < len(text):
        end = start + _PIECE_CHARACTERS
        escape = text.find("%", end - 2, end)
        if escape >= 0 and end < len(text):
            end = escape
        yield text[start:end]
        start = end


def _decode_base64(pieces: Iterator[str]) -> Iterator[bytes]:
    """Decode Base64 with or without padding, blanks, escapes, and ``-_`` for ``+/``.

    Raises:
        ValueError: it is damaged.
    """
    rest, padding = "", ""
    for piece in pieces:
        plain = unquote(piece, errors="strict") if "%" in piece else piece
        body, mark, after = plain.translate(_SPELLINGS).partition("=")
        if (padding and body) or after.strip("="):
            raise ValueError("characters follow its end")
        padding += mark + after
        rest += body
        whole = len(rest) // 4 * 4
        yield base64.b64decode(rest[:whole], validate=True)
        rest = rest[whole:]
    if len(padding) > 2:
        raise ValueError("it ends with too many marks")
    yield base64.b64decode(rest + "=" * (-len(rest) % 4), validate=True)
