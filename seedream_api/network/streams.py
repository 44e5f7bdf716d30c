"""The connections below httpx: they read while they write, and keep what arrives.

A server may respond before it has read the request and then close (every Go ``net/http`` server
does so with 401, 413 or 429 to a large body); a client that only writes loses that response. No
byte is sent on a connection that the server closed before the first byte.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

import anyio
import anyio.abc
import anyio.streams.tls
import httpcore
import httpx

from ..messages import Text, text_of
from .exchanges import Exchange, await_unlogged, current_exchange
from .sockets import SocketStream, connect

_PIECE = 64 * 1024
_STALE_WAIT_S = 0.001


class Stream(httpcore.AsyncNetworkStream):
    """A connection that reads ahead while it writes a request."""

    def __init__(self, inner: anyio.abc.ByteStream, raw: SocketStream) -> None:
        self._inner = inner
        self._raw = raw
        self._ahead: asyncio.Task[bytes] | None = None
        self._sending: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._early: deque[bytes] = deque()
        self._is_given_up = False
        self._is_spoiled = False

    @property
    def sent(self) -> int:
        """Bytes that the operating system has accepted for sending, including those of TLS."""
        return self._raw.sent

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's name, here and below
    ) -> bytes:
        if self._early:
            return self._early.popleft()
        reading = self._start_reading()
        done, _ = await asyncio.wait({reading}, timeout=timeout)
        if not done:
            raise httpcore.ReadTimeout("no byte arrived in time")
        return self._finish_reading()

    async def receive(self, timeout_s: float) -> bool:
        """Read once for the current exchange only; ``False`` at the end or after ``timeout_s``."""
        self._early.clear()
        try:
            return bool(await self.read(_PIECE, timeout_s))
        except (httpcore.ReadTimeout, httpcore.ReadError, ssl.SSLError):
            return False

    async def is_readable(self) -> bool:
        """Tell whether bytes arrived or the connection ended."""
        if not self._early:
            await asyncio.wait({self._start_reading()}, timeout=_STALE_WAIT_S)
        return bool(self._early) or self._start_reading().done()

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> None:
        exchange = current_exchange.get()
        if exchange is not None:
            await exchange.attach(self)
        if exchange is None or not exchange.is_using(self):
            exchange = None
        view = memoryview(buffer)
        for start in range(0, len(view), _PIECE):
            piece = bytes(view[start : start + _PIECE])
            await self._write(piece, timeout, exchange)

    async def _write(
        self, piece: bytes, timeout_s: float | None, exchange: Exchange | None
    ) -> None:
        """Write a piece within ``timeout_s`` while reading what the server sends meanwhile."""
        sending = self._sending = asyncio.ensure_future(self._send(piece))
        try:
            while not sending.done():
                waiting: set[asyncio.Task[Any]] = {sending}
                if exchange is not None:
                    waiting.add(self._start_reading())
                done, _ = await asyncio.wait(
                    waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
                )
                if not done:
                    raise httpcore.WriteTimeout(Text("send_timed_out"))
                if exchange is not None and self._start_reading().done():
                    self._read_early(exchange)
            sending.result()
        finally:
            sending.cancel()
            await asyncio.wait({sending})
            if not sending.cancelled():
                sending.exception()

    def _read_early(self, exchange: Exchange) -> None:
        try:
            data = self._finish_reading()
        except (httpcore.ReadError, ssl.SSLError) as error:
            raise httpcore.WriteError(str(error)) from None
        if data:
            self._early.append(data)
        if not data or exchange.response.is_whole:
            raise httpcore.WriteError(Text("ended_before_request"))

    async def _send(self, piece: bytes) -> None:
        try:
            await self._inner.send(piece)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise httpcore.WriteError(str(error)) from None

    def _start_reading(self) -> asyncio.Task[bytes]:
        if self._ahead is None:
            self._ahead = asyncio.ensure_future(self._receive())
        return self._ahead

    async def _receive(self) -> bytes:
        try:
            return await self._inner.receive(_PIECE)
        except anyio.EndOfStream:
            return b""
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise httpcore.ReadError(str(error)) from None

    def _finish_reading(self) -> bytes:
        """Return what was read ahead. An end or a failure is returned again by later calls."""
        reading = self._start_reading()
        exchange = current_exchange.get()
        mine = exchange if exchange is not None and exchange.is_using(self) else None
        data = reading.result()
        if data:
            self._ahead = None
        if mine is not None:
            mine.response.feed(data)
        return data

    async def aclose(self) -> None:
        exchange = current_exchange.get()
        if exchange is not None and exchange.is_using(self):
            self._is_given_up = True  # more of the response may arrive; see Exchange.read_rest
        else:
            await self._close()

    async def release(self, *, spoiled: bool) -> None:
        """End an exchange on this connection."""
        self._is_spoiled = spoiled
        if self._is_given_up:
            await self._close()

    async def _close(self) -> None:
        """Close, even if the caller is cancelled meanwhile."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close_now())
        await asyncio.shield(self._closing)

    async def _close_now(self) -> None:
        # Stop the tasks first: the loop must not watch a socket that is closed.
        running = {task for task in (self._ahead, self._sending) if task is not None}
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
        for task in running:
            if not task.cancelled():
                task.exception()
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> Stream:
        try:
            with anyio.fail_after(timeout):
                inner = await anyio.streams.tls.TLSStream.wrap(
                    self._inner,
                    ssl_context=ssl_context,
                    hostname=server_hostname,
                    standard_compatible=False,
                    server_side=False,
                )
        except (OSError, anyio.BrokenResourceError, anyio.EndOfStream) as error:
            await self._close()
            raise _connect_error(error) from None
        except BaseException:
            await self._close()
            raise
        return Stream(inner, self._raw)

    def get_extra_info(self, info: str) -> Any:
        if info == "ssl_object":
            return self._inner.extra(  # noqa: S610 - not Django's
                anyio.streams.tls.TLSAttribute.ssl_object, None
            )
        if info == "is_readable":
            ahead_done = self._ahead is not None and self._ahead.done()
            return self._is_spoiled or ahead_done or self._raw.is_readable()
        return None


def _connect_error(error: Exception) -> Exception:
    kind = httpcore.ConnectTimeout if isinstance(error, TimeoutError) else httpcore.ConnectError
    return kind(text_of(error))


class Backend(httpcore.AsyncNetworkBackend):
    """Opens the connections of httpx's pools."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Stream:
        try:
            with anyio.fail_after(timeout):
                raw = SocketStream(await connect(host, port))
        except OSError as error:
            raise _connect_error(error) from None
        stream = Stream(raw, raw)
        made = _opened.get()
        if made is not None:
            made.append(stream)
        return stream


_opened: ContextVar[list[Stream] | None] = ContextVar(
    "connections opened for a request", default=None
)


async def send_request(pool: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
    """Send a request through a pool; if that fails, close the connections opened for it.

    httpcore leaves a connection open if its SOCKS proxy rejects the request.
    """
    made: list[Stream] = []
    token = _opened.set(made)
    try:
        return await await_unlogged(pool.handle_async_request(request))
    except BaseException:
        for stream in made:
            await stream.aclose()
        raise
    finally:
        _opened.reset(token)


def use_own_connections(transport: httpx.AsyncHTTPTransport) -> None:
    """Make a transport of httpx connect through ``Backend``; it has no argument for that."""
    pool: Any = transport._pool  # pyright: ignore[reportPrivateUsage]
    if not hasattr(pool, "_network_backend"):
        raise RuntimeError("this version of httpcore is not supported")
    pool._network_backend = Backend()
