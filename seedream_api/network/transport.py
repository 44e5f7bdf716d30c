"""HTTP: the only module that sends requests, and the judge of whether the server saw one.

No httpx type appears in a signature or an error here. Three ways to ask:

* :meth:`Transport.post_once` for what may be charged: a connection of its own (an idle one may be
  dead without either side knowing), ``before_first_byte`` awaited at the very moment before the
  first byte of the request leaves. Without any byte sent, a failure is :class:`NotSent`; without a
  status line it is :class:`OutcomeUnknown`; with one, what arrived is returned.
* :meth:`Transport.ask` for what costs nothing and has a small answer.
* :meth:`Transport.open` for a body that is streamed, optionally from an address checked before.

``streams`` and ``sockets`` are the connections below httpx, ``framing`` reads what they bring.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import re
import ssl
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Coroutine,
    Mapping,
)
from contextlib import asynccontextmanager
from typing import Any, cast

import anyio  # comes with httpx
import httpx

from ..errors import ConfigurationError, OutcomeUnknown
from ..messages import Text
from ..redaction import redact
from .attempts import read_response, trace_of, with_fresh_connections
from .exchanges import Exchange, current_exchange
from .http_failures import (
    BROKEN,
    NOT_CONNECTED,
    Repeated,
    TooLarge,
    not_sent,
    read_failed,
    reason_of,
)
from .http_requests import at_address, encode_json, request_headers, timeouts
from .http_responses import MAX_RESPONSE_BYTES, HttpResponse, StreamedResponse
from .proxies import proxy_for, trusted_certificates
from .streams import send_request, use_own_connections


class Transport:
    """Connections by proxy, made when first needed; use it on one event loop and close it there.

    Args:
        proxy: what ``SEEDREAM_PROXY`` says; empty for the environment's.
    """

    def __init__(self, proxy: str = "") -> None:
        self._proxy = proxy
        # Below httpx's client, which logs every URL, signed ones too, and keeps cookies.
        self._pools: dict[tuple[str | None, bool], httpx.AsyncHTTPTransport] = {}
        self._preparing: asyncio.Future[ssl.SSLContext] | None = None

    def proxy_for(self, url: str) -> str | None:
        """The proxy that a request to this URL goes through. On Windows that may look names up."""
        return proxy_for(url, self._proxy)

    async def close(self) -> None:
        """Close every connection, even where the caller is cancelled meanwhile."""
        pools = list(self._pools.values())
        self._pools.clear()
        await asyncio.shield(asyncio.gather(*(pool.aclose() for pool in pools)))

    async def post_once(
        self,
        url: str,
        *,
        body: Any,
        headers: Mapping[str, str],
        read_timeout_s: float,
        before_first_byte: Callable[[], Awaitable[None]],
    ) -> HttpResponse:
        """Send a request that may be charged, once.

        Raises:
            NotSent: no byte left this machine.
            OutcomeUnknown: a byte may have left, and no response head came within the time.
        """
        has_passed = False

        async def at_first_byte() -> None:
            nonlocal has_passed
            if not has_passed:  # once also where a dead connection is replaced by a fresh one
                await before_first_byte()
                has_passed = True

        content = await asyncio.to_thread(encode_json, body)
        pool = await self._pool(url, paid=True)
        request = httpx.Request(
            "POST",
            url,
            content=content,
            headers=request_headers({"Content-Type": "application/json", **headers}),
        )
        request.extensions["timeout"] = timeouts(read_timeout_s)

        async def attempt(exchange: Exchange) -> None:
            # Not _in_time: a paid answer that meets a cancellation is kept and written down.
            reading = self._read(pool, request, exchange, at_first_byte)
            await asyncio.wait_for(reading, read_timeout_s)

        exchange, failure = await with_fresh_connections(attempt, MAX_RESPONSE_BYTES)
        if not isinstance(failure, Repeated):
            response = read_response(exchange, failure)
            if response is not None:
                return response
        if not has_passed or exchange.is_unsent:
            raise not_sent(url, failure)
        raise OutcomeUnknown("outcome_unknown", reason=reason_of(failure))

    async def ask(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 30.0,
        content: bytes | None = None,
    ) -> HttpResponse:
        """A request that costs nothing.

        Raises:
            NotSent: the host could not be reached.
            ReadFailed: it was reached, and no response head came in time.
        """
        pool = await self._pool(url, paid=False)
        request = httpx.Request(
            method, url, headers=request_headers(headers or {}), content=content
        )
        request.extensions["timeout"] = timeouts(timeout_s)

        async def attempt(exchange: Exchange) -> None:
            await _in_time(self._read(pool, request, exchange), timeout_s)

        exchange, failure = await with_fresh_connections(attempt, MAX_RESPONSE_BYTES)
        response = read_response(exchange, failure)
        if response is not None:
            return response
        if isinstance(failure, NOT_CONNECTED) or exchange.is_unsent:
            raise not_sent(url, failure)
        raise read_failed(failure)

    @asynccontextmanager
    async def open(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        read_timeout_s: float,
        address: str | None = None,
    ) -> AsyncGenerator[StreamedResponse]:
        """Stream a body; redirects are given back, not followed.

        Args:
            address: the IP address to connect to in place of a second look-up of the URL's host
                (which stays in the Host header and in TLS).

        Raises:
            NotSent: the host could not be reached.
            ReadFailed: it was reached, and sending or reading failed at any later moment.
        """
        target, sent_headers, extensions = url, dict(headers), dict[str, Any]()
        if address is not None:
            target, host, authority = at_address(url, address)
            sent_headers["Host"] = authority
            extensions["sni_hostname"] = host
        pool = await self._pool(url, paid=True, direct=address is not None)
        request = httpx.Request(
            "GET", target, headers=request_headers(sent_headers), extensions=extensions
        )
        request.extensions["timeout"] = timeouts(read_timeout_s)
        try:
            async with self._streamed(pool, request, read_timeout_s) as answer:
                yield answer
        except NOT_CONNECTED as error:
            raise not_sent(url, error) from None
        except BROKEN as error:
            raise read_failed(error) from None

    @asynccontextmanager
    async def _streamed(
        self, pool: httpx.AsyncHTTPTransport, request: httpx.Request, read_timeout_s: float
    ) -> AsyncGenerator[StreamedResponse]:
        try:
            response = await send_request(pool, request)
        except httpx.RemoteProtocolError as error:
            if not re.search(r"header|content-length", str(error), re.IGNORECASE):
                raise
            refused = error
        else:
            try:
                yield StreamedResponse(
                    response.status_code, _headers(response), response.aiter_raw()
                )
            finally:
                await response.aclose()
            return
        yield await self._read_leniently(pool, request, refused, read_timeout_s)

    async def _read_leniently(
        self,
        pool: httpx.AsyncHTTPTransport,
        request: httpx.Request,
        refused: Exception,
        timeout_s: float,
    ) -> StreamedResponse:
        """Ask again for a body whose head httpx refuses to read, and take what comes in time."""
        exchange, failure = Exchange(MAX_RESPONSE_BYTES), None
        try:
            # All of it, not each read: a server that drips could hold the caller for hours.
            await _in_time(self._read(pool, request, exchange), timeout_s)
        except (*BROKEN, asyncio.TimeoutError, TooLarge) as error:
            failure = error
        whole = read_response(exchange, failure)
        if whole is None:
            raise refused
        body = whole.body

        async def chunks() -> AsyncGenerator[bytes]:
            yield body

        return StreamedResponse(whole.status, whole.headers, chunks())

    async def _read(
        self,
        pool: httpx.AsyncHTTPTransport,
        request: httpx.Request,
        exchange: Exchange,
        at_first_byte: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Read a response into ``exchange``, which keeps what had come when reading fails."""
        request.extensions["trace"] = trace_of(exchange, at_first_byte)
        token = current_exchange.set(exchange)
        try:
            await self._drain(pool, request, exchange)
        except (httpx.RemoteProtocolError, httpx.DecodingError):
            # What httpx refuses to read may still be whole.
            await exchange.read_rest()
            if not exchange.response.is_whole:
                raise
        finally:
            await exchange.finish()
            current_exchange.reset(token)
        if exchange.is_too_large:
            raise TooLarge(Text("response_too_large", count=MAX_RESPONSE_BYTES))

    async def _drain(
        self, pool: httpx.AsyncHTTPTransport, request: httpx.Request, exchange: Exchange
    ) -> None:
        response = await send_request(pool, request)
        try:
            # The exchange has the bytes; httpx finds the end and keeps the connection.
            async for _ in cast("httpx.AsyncByteStream", response.stream):
                if exchange.is_too_large:
                    return
            await exchange.read_surplus()
        finally:
            await response.aclose()

    async def _pool(
        self, url: str, *, paid: bool, direct: bool = False
    ) -> httpx.AsyncHTTPTransport:
        certificates = await self._certificates()
        # No waiting from here on: of two pools made at once, one would never be closed.
        proxy = None if direct else self.proxy_for(url)
        pool = self._pools.get((proxy, paid))
        if pool is None:
            try:
                pool = httpx.AsyncHTTPTransport(
                    verify=certificates,
                    proxy=proxy,
                    trust_env=False,
                    limits=httpx.Limits(
                        max_connections=None, max_keepalive_connections=0 if paid else 8
                    ),
                )
            except (ValueError, ImportError, httpx.InvalidURL) as error:
                raise ConfigurationError("bad_proxy", reason=redact(str(error))) from None
            use_own_connections(pool)
            self._pools[proxy, paid] = pool
        return pool

    async def _certificates(self) -> ssl.SSLContext:
        """Read in a thread, once for all who ask at the same time.

        Raises:
            ConfigurationError: they cannot be loaded; the next to ask tries again.
        """
        known = self._preparing
        if known is None or (known.done() and (known.cancelled() or known.exception())):
            known = self._preparing = asyncio.ensure_future(asyncio.to_thread(_prepared))
        return await asyncio.shield(known)


def _prepared() -> ssl.SSLContext:
    """The certificates; and what the first connection would import, a tenth of a second's work, is
    imported here, in a thread."""
    certificates = trusted_certificates(os.environ)
    httpx.AsyncHTTPTransport(verify=certificates)
    # Loads what anyio has for asyncio. The caller's context says "inside anyio" under anyio.run.
    contextvars.Context().run(anyio.run, anyio.sleep, 0)
    return certificates


async def _in_time(call: Coroutine[Any, Any, None], seconds: float) -> None:
    """As ``wait_for``, which before Python 3.12 swallows a cancellation that meets the call's end:
    who is told to stop then would go on asking."""
    task = asyncio.ensure_future(call)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done:
            raise asyncio.TimeoutError
        task.result()
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # told already, or of no interest after a cancellation


def _headers(response: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}
