"""Byte ranges of files (RFC 9110)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace

from seedream_api.sandbox.exchange import Reply

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def select_range(reply: Reply, asked: Mapping[str, str]) -> Reply:
    """Return the one byte range of a whole file that the lower-case headers ``asked`` for.

    Several ranges, or a range of another version (``If-Range``), give the whole file.
    """
    data = reply.body
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {**reply.headers, "ETag": tag, "Accept-Ranges": "bytes"}
    found = _RANGE.fullmatch(asked.get("range", "").replace(" ", ""))
    if not found or found.group(0) == "bytes=-" or asked.get("if-range", tag) != tag:
        return replace(reply, headers=headers)
    first, last = _bounds(found.group(1), found.group(2), len(data))
    if first > last:
        unmet = {**headers, "Content-Range": f"bytes */{len(data)}"}
        return replace(reply, status=416, body=b"", headers=unmet)
    headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
    return replace(reply, status=206, body=data[first : last + 1], headers=headers)


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """Return the first and last byte of a range; first > last if no byte of it exists."""
    if not first:
        return max(size - int(last), 0), (size - 1 if int(last) else -1)
    if last and int(last) < int(first):
        return 0, size - 1  # Not a valid range: ignored, as RFC 9110 says.
    return int(first), min(int(last), size - 1) if last else size - 1
