"""The transport's results: a response with its raw bytes, and one that is still arriving."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from .bodies import read_json

MAX_RESPONSE_BYTES = 256 * 1024 * 1024
"""Enough for fifteen base64 images of 16.8 MP."""


@dataclass(frozen=True)
class HttpResponse:
    """A response whose head arrived.

    Args:
        headers: with lower-case names.
        body: the bytes as they were sent, not decompressed.
        cut: why reading ended before the response did; ``None`` for a complete response.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: str | None = None

    def json(self) -> Any:
        """Parse the body as JSON, compressed or not.

        Raises:
            ValueError: it contains no complete JSON.
        """
        return read_json(self.body, self.headers)

    @property
    def request_id(self) -> str | None:
        """The relay's id of this call (new-api: ``X-Oneapi-Request-Id``)."""
        return self.headers.get("x-request-id") or self.headers.get("x-oneapi-request-id")


@dataclass(frozen=True)
class StreamedResponse:
    """A response whose body is still arriving; ``chunks`` are its bytes as they were sent."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]
