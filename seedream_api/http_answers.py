"""What the transport gives back: a response with its raw bytes, and one that is still arriving."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_ANSWER_BYTES = 256 * 1024 * 1024
"""Base64 answers carry whole images: fifteen of them at 16.8 MP stay below this."""


@dataclass(frozen=True)
class HttpAnswer:
    """A response whose head arrived.

    Args:
        headers: with lower-case names.
        body: the bytes as they were sent; compression is not undone.
        cut: why reading ended before the response did; ``None`` for a whole response.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: str | None = None

    def json(self) -> Any:
        """Parse the body as JSON, compressed or not.

        Raises:
            ValueError: it is not JSON, or JSON nested beyond what Python reads.
        """
        try:
            return json.loads(_unpacked(self.body))
        except RecursionError:
            raise ValueError("JSON is nested too deeply") from None

    @property
    def request_id(self) -> str | None:
        """The relay's id of this call (new-api: ``X-Oneapi-Request-Id``)."""
        return self.headers.get("x-request-id") or self.headers.get("x-oneapi-request-id")


@dataclass(frozen=True)
class StreamedAnswer:
    """An answer whose body is still on its way; ``chunks`` are its bytes as they were sent."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]


def _unpacked(body: bytes) -> bytes:
    """Undo gzip where the first bytes say so, up to the size that a response may have."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        return zlib.decompressobj(31).decompress(body, MAX_ANSWER_BYTES)
    except zlib.error as error:
        raise ValueError(f"the body is not gzip ({error})") from None
