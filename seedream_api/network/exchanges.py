"""One request and its response so far, shared by the transport and its connection."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from contextvars import ContextVar
from typing import Protocol, TypeVar

import httpcore

from ..messages import Text
from .framing import ResponseReader

_SURPLUS_WAIT_S = 1.0
T = TypeVar("T")

current_exchange: ContextVar[Exchange | None] = ContextVar("current_exchange", default=None)


class Connection(Protocol):
    """The part of ``streams.Stream`` that an exchange uses."""

    @property
    def sent(self) -> int: ...

    async def is_readable(self) -> bool: ...

    async def receive(self, timeout_s: float) -> bool: ...

    async def release(self, *, spoiled: bool) -> None: ...


class Exchange:
    """One request and its response so far.

    Args:
        max_body: bytes that a body may have.
    """

    def __init__(self, max_body: int) -> None:
        self.response: ResponseReader = ResponseReader()
        self._max_body = max_body
        self._stream: Connection | None = None
        self._sent_before = 0
        self._has_begun = False
        self._is_finished = False

    def begin(self) -> None:
        """Note that the next byte belongs to the request, not to a proxy's CONNECT."""
        self._has_begun = True

    @property
    def is_unsent(self) -> bool:
        """Whether the connection proves that no byte of the request was sent."""
        return self._stream is not None and self._stream.sent == self._sent_before

    @property
    def is_too_large(self) -> bool:
        return len(self.response.body) > self._max_body

    def is_using(self, stream: Connection) -> bool:
        return self._stream is stream and not self._is_finished

    async def attach(self, stream: Connection) -> None:
        """Use this connection for the request.

        Raises:
            httpcore.ConnectError: its server has closed it.
        """
        if self._has_begun and self._stream is None:
            self._stream, self._sent_before = stream, stream.sent
            if await stream.is_readable():
                raise httpcore.ConnectError(Text("closed_before_request"))

    async def read_rest(self, silence_s: float = _SURPLUS_WAIT_S) -> None:
        """Read what still arrives, until the response ends or nothing arrives for ``silence_s``."""
        stream, response = self._stream, self.response
        while stream is not None and not response.is_whole and not self.is_too_large:
            if not await stream.receive(silence_s):
                return

    async def read_surplus(self) -> None:
        """Continue reading if the announced length cuts off a JSON body."""
        while self._stream is not None and self.response.is_too_short and not self.is_too_large:
            if not await self._stream.receive(_SURPLUS_WAIT_S):
                return

    async def finish(self) -> None:
        """Close the connection if httpx has given it up or its framing was wrong."""
        self._is_finished = True
        if self._stream is not None:
            await self._stream.release(spoiled=self.response.fault is not None)


_is_ours: ContextVar[bool] = ContextVar("is_ours", default=False)


def _is_not_ours(record: logging.LogRecord) -> bool:
    return not _is_ours.get()


async def await_unlogged(call: Awaitable[T]) -> T:
    """Await ``call`` without log lines of httpcore.

    At DEBUG, httpcore logs a proxy's password and signed redirect URLs. The filter works by
    context, so other users of httpcore keep their logs.
    """
    for name in ("connection", "http11", "http2", "proxy", "socks"):
        logging.getLogger(f"httpcore.{name}").addFilter(_is_not_ours)
    token = _is_ours.set(True)
    try:
        return await call
    finally:
        _is_ours.reset(token)
