"""Scripted faults: what goes wrong with one request, and what the client receives.

A fault is pushed for a route and applies to the next request there, first in, first out. A request
that it lets through is charged like any other, whatever happens to the response.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, ClassVar, Literal

from seedream_api.sandbox.connection import Connection
from seedream_api.sandbox.exchange import Reply, json_reply, relay_refusal

_SERVICE = ("generate", "task", "image", "upload", "models", "usage", "granted", "billed")
ROUTES = (*_SERVICE, "reference", "files", "host", "hosted")
"""Where faults can be scripted. ``image``: results; ``reference`` and ``hosted``: uploads."""

_PIECE = 64 * 1024
Pause = Callable[[float], bool]
"""Waits some seconds; returns False as soon as the service stops."""


class Fault:
    """Something that goes wrong with one request. The base class changes nothing."""

    routes: ClassVar[tuple[str, ...]] = ROUTES

    @property
    def name(self) -> str:
        """The name in the request log."""
        return type(self).__name__

    @property
    def takes(self) -> bool:
        """Whether the request reaches the service, and so is charged."""
        return True

    @property
    def wait_s(self) -> float:
        """Seconds to wait with the finished response."""
        return 0.0

    def reply(self, made: Reply | None) -> Reply | None:
        """Return the response to send in place of ``made`` (None if the request was not taken).

        None closes the connection without a response.
        """
        return made

    def send(self, connection: Connection, reply: Reply, pause: Pause) -> bool:
        """Send ``reply``; return False if the connection cannot be used again."""
        connection.send(reply)
        return True


@dataclass(frozen=True)
class Status(Fault):
    """A status in place of the response; ``charged``: after the request was taken and billed.

    ``body``: a dict is sent as JSON, a str as an HTML page, bytes as they are; None gives the
    relay's own error form. A request that the service rejects keeps its rejection.
    """

    code: int
    body: dict[str, Any] | str | bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    charged: bool = False

    @property
    def takes(self) -> bool:
        return self.charged

    def reply(self, made: Reply | None) -> Reply | None:
        if made and made.status >= HTTPStatus.BAD_REQUEST:
            return made
        if self.body is None:
            known = self.code in {status.value for status in HTTPStatus}
            phrase = HTTPStatus(self.code).phrase if known else f"bad response status {self.code}"
            given = relay_refusal(self.code, phrase).reply
            return replace(given, headers={**given.headers, **self.headers})
        if isinstance(self.body, dict):
            return json_reply(self.body, self.code, headers=self.headers)
        if isinstance(self.body, str):
            return Reply(self.code, self.body.encode(), "text/html; charset=utf-8", self.headers)
        return Reply(self.code, self.body, "application/octet-stream", self.headers)


@dataclass(frozen=True)
class DropBeforeReceipt(Fault):
    """The connection is reset before a byte of the body was read. Neither logged nor charged."""

    @property
    def takes(self) -> bool:
        return False


@dataclass(frozen=True)
class DropAfterReceipt(Fault):
    """The request is taken and charged; then the connection closes without a response."""

    def reply(self, made: Reply | None) -> Reply | None:
        return None


@dataclass(frozen=True)
class Delay(Fault):
    """The response is made immediately and sent after ``seconds``."""

    seconds: float

    @property
    def wait_s(self) -> float:
        return self.seconds


@dataclass(frozen=True)
class Truncated(Fault):
    """Content-Length covers the whole response; the connection closes after ``share`` of it."""

    share: float = 0.5

    def send(self, connection: Connection, reply: Reply, pause: Pause) -> bool:
        connection.start(reply, max(len(reply.body), 1))
        connection.write(reply.body[: int(len(reply.body) * self.share)])
        return False


@dataclass(frozen=True)
class Oversized(Fault):
    """The true response, then blanks, up to ``bytes`` in all.

    ``framing``: ``chunked`` has no length, ``length`` the true one, ``lying`` claims 1000 and
    sends more, ``gzip`` sends few bytes that unpack to all of it.
    """

    bytes: int
    framing: Literal["chunked", "length", "lying", "gzip"] = "chunked"

    def send(self, connection: Connection, reply: Reply, pause: Pause) -> bool:
        if self.framing in ("length", "lying"):
            connection.start(reply, self.bytes if self.framing == "length" else 1000)
            for piece in self._pieces(reply.body):
                connection.write(piece)
            return False
        coding = {"Content-Encoding": "gzip"} if self.framing == "gzip" else {}
        chunked = {**reply.headers, **coding, "Transfer-Encoding": "chunked"}
        connection.start(replace(reply, headers=chunked), None)
        pieces = self._pieces(reply.body)
        for piece in _gzipped(pieces) if self.framing == "gzip" else pieces:
            connection.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        connection.write(b"0\r\n\r\n")
        return True

    def _pieces(self, body: bytes) -> Iterator[bytes]:
        left = self.bytes
        for start in range(0, len(body), _PIECE):
            piece = body[start : min(start + _PIECE, start + left)]
            left -= len(piece)
            if piece:
                yield piece
        while left > 0:
            yield b" " * min(_PIECE, left)
            left -= _PIECE


@dataclass(frozen=True)
class WrongType(Fault):
    """Status 200 with a body that is not the API's JSON, such as a proxy's login page."""

    content_type: str = "text/html; charset=utf-8"
    body: bytes = b"<!doctype html><title>Sign in</title><p>Please sign in to this network."
    charged: bool = False

    @property
    def takes(self) -> bool:
        return self.charged

    def reply(self, made: Reply | None) -> Reply | None:
        return Reply(200, self.body, self.content_type)


@dataclass(frozen=True)
class Json(Fault):
    """Status 200 with exactly this JSON body, after the request was taken and charged."""

    body: Any

    def reply(self, made: Reply | None) -> Reply | None:
        if made and made.status >= HTTPStatus.BAD_REQUEST:
            return made
        return json_reply(self.body)


@dataclass(frozen=True)
class PartialGroup(Fault):
    """The images at these indices of the group fail: ``{"error": ...}`` without ``url``.

    Ark's shape of a group. On ``task`` it marks the polled task for good, whatever its state.
    """

    failed: tuple[int, ...]
    routes: ClassVar[tuple[str, ...]] = ("generate", "task")


@dataclass(frozen=True)
class EmptyCompleted(Fault):
    """The task completes without results (documented by Evolink). Marks as `PartialGroup` does."""

    routes: ClassVar[tuple[str, ...]] = ("generate", "task")


@dataclass(frozen=True)
class ExpiredLink(Fault):
    """A link is refused as expired: 403, or 404 by choice."""

    code: int = 403
    routes: ClassVar[tuple[str, ...]] = ("image", "reference", "hosted")

    @property
    def takes(self) -> bool:
        return False

    def reply(self, made: Reply | None) -> Reply | None:
        return relay_refusal(self.code, "Request has expired", kind="access_denied").reply


@dataclass(frozen=True)
class RedirectTo(Fault):
    """A redirect to ``url``; the request itself is not taken."""

    url: str
    code: int = 302

    @property
    def takes(self) -> bool:
        return False

    def reply(self, made: Reply | None) -> Reply | None:
        return Reply(self.code, b"", headers={"Location": self.url})


@dataclass(frozen=True)
class SlowDrip(Fault):
    """The response in pieces, ``seconds`` apart; after ``limit_s`` the connection closes."""

    bytes_per_chunk: int
    seconds: float
    limit_s: float = 60.0

    def send(self, connection: Connection, reply: Reply, pause: Pause) -> bool:
        connection.start(reply, len(reply.body))
        step = max(self.bytes_per_chunk, 1)
        for number, start in enumerate(range(0, len(reply.body), step), 1):
            connection.write(reply.body[start : start + step])
            if number * self.seconds > self.limit_s or not pause(self.seconds):
                return False
        return True


def rate_limited(retry_after: float | str | None = None) -> Status:
    """429 in stock new-api's words; ``retry_after`` (seconds or a date) adds the header."""
    message = "您已达到请求数限制：1分钟内最多请求10次"
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Status(429, _error(message, "new_api_error", ""), headers)


def no_channel(model: str = "Seedream-4.0") -> Status:
    """503 ``model_not_found``: the relay has no channel for this model now."""
    message = f"No available channel for model {model} under group default (distributor)"
    return Status(503, _error(message, "new_api_error", "model_not_found"))


def _error(message: str, kind: str, code: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": "", "code": code}}


def _gzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=31)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()
