"""HTTP: the only module that sends requests, and the one that decides whether the server saw one.

No httpx type appears in a signature or an error here. A request is sent with one of three methods:

* :meth:`Transport.post_once` for requests that may be charged: it uses a new connection (an idle
  one may be dead without either side knowing) and awaits ``before_first_byte`` immediately before
  the first byte of the request is sent. If no byte was sent, a failure is :class:`NotSent`; if no
  status line arrived, it is :class:`OutcomeUnknown`; otherwise it returns what arrived.
* :meth:`Transport.ask` for free requests with a small response.
* :meth:`Transport.open` for a streamed body, optionally from an address that was checked before.

``pools`` has the connections, ``streams`` and ``sockets`` what is below httpx, and ``framing``
parses the responses.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Coroutine,
    Mapping,
)
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx

from ..errors import OutcomeUnknown
from ..messages import Text
from .attempts import attempt_exchange, build_response, make_trace
from .exchanges import Exchange, current_exchange
from .http_failures import (
    BROKEN,
    NOT_CONNECTED,
    Repeated,
    TooLarge,
    describe_failure,
    not_sent_error,
    read_failed_error,
)
from .http_requests import build_headers, build_timeouts, encode_json, replace_host
from .http_responses import MAX_RESPONSE_BYTES, HttpResponse, StreamedResponse
from .pools import ConnectionPools
from .streams import send_request
from .tasks import cancel_and_wait


class Transport:
    """Sends requests; use it on one event loop and close it there.

    Args:
        proxy: the value of ``SEEDREAM_PROXY``; empty for the environment's proxy.
    """

    def __init__(self, proxy: str = "") -> None:
        self._pools = ConnectionPools(proxy)

    def find_proxy(self, url: str) -> str | None:
        """Find the proxy for a URL; on Windows that may resolve its host name."""
        return self._pools.find_proxy(url)

    async def close(self) -> None:
        """Close every connection, even if the caller is cancelled meanwhile."""
        await self._pools.close()

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
            NotSent: no byte was sent.
            OutcomeUnknown: a byte may have been sent, and no response head arrived in time.
        """
        has_passed = False

        async def at_first_byte() -> None:
            nonlocal has_passed
            if not has_passed:  # once, even if a fresh connection replaces a dead one
                await before_first_byte()
                has_passed = True

        content = await asyncio.to_thread(encode_json, body)
        pool = await self._pools.get(url, paid=True)
        request = httpx.Request(
            "POST",
            url,
            content=content,
            headers=build_headers({"Content-Type": "application/json", **headers}),
        )
        request.extensions["timeout"] = build_timeouts(read_timeout_s)

        async def attempt(exchange: Exchange) -> None:
            # Not _wait_at_most: a paid response that meets a cancellation must be kept.
            reading = self._read(pool, request, exchange, at_first_byte)
            await asyncio.wait_for(reading, read_timeout_s)

        exchange, failure = await attempt_exchange(attempt, MAX_RESPONSE_BYTES)
        if not isinstance(failure, Repeated):
            response = build_response(exchange, failure)
            if response is not None:
                return response
        if not has_passed or exchange.is_unsent:
            raise not_sent_error(url, failure)
        raise OutcomeUnknown("outcome_unknown", reason=describe_failure(failure))

    async def ask(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 30.0,
        content: bytes | None = None,
    ) -> HttpResponse:
        """Send a request that costs nothing.

        Raises:
            NotSent: the host could not be reached.
            ReadFailed: it was reached, but no response head arrived in time.
        """
        pool = await self._pools.get(url, paid=False)
        request = httpx.Request(method, url, headers=build_headers(headers or {}), content=content)
        request.extensions["timeout"] = build_timeouts(timeout_s)

        async def attempt(exchange: Exchange) -> None:
            await _wait_at_most(self._read(pool, request, exchange), timeout_s)

        exchange, failure = await attempt_exchange(attempt, MAX_RESPONSE_BYTES)
        response = build_response(exchange, failure)
        if response is not None:
            return response
        if isinstance(failure, NOT_CONNECTED) or exchange.is_unsent:
            raise not_sent_error(url, failure)
        raise read_failed_error(failure)

    @asynccontextmanager
    async def open(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        read_timeout_s: float,
        address: str | None = None,
    ) -> AsyncGenerator[StreamedResponse]:
        """Stream a body; redirects are returned, not followed.

        Args:
            address: the IP address to connect to instead of resolving the URL's host again (the
                host stays in the Host header and in TLS).

        Raises:
            NotSent: the host could not be reached.
            ReadFailed: it was reached, but sending or reading failed later.
        """
        target, sent_headers, extensions = url, dict(headers), dict[str, Any]()
        if address is not None:
            target, host, authority = replace_host(url, address)
            sent_headers["Host"] = authority
            extensions["sni_hostname"] = host
        pool = await self._pools.get(url, paid=True, direct=address is not None)
        request = httpx.Request(
            "GET", target, headers=build_headers(sent_headers), extensions=extensions
        )
        request.extensions["timeout"] = build_timeouts(read_timeout_s)
        try:
            async with self._stream(pool, request, read_timeout_s) as response:
                yield response
        except NOT_CONNECTED as error:
            raise not_sent_error(url, error) from None
        except BROKEN as error:
            raise read_failed_error(error) from None

    @asynccontextmanager
    async def _stream(
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
                    response.status_code, _lower_header_names(response), response.aiter_raw()
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
        """Read a response whose head httpx rejects with a second, free request."""
        exchange, failure = Exchange(MAX_RESPONSE_BYTES), None
        try:
            # Limit the whole response: a server that drips could hold the caller for hours.
            await _wait_at_most(self._read(pool, request, exchange), timeout_s)
        except (*BROKEN, asyncio.TimeoutError, TooLarge) as error:
            failure = error
        whole = build_response(exchange, failure)
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
        """Read a response into ``exchange``, which keeps what arrived if reading fails."""
        request.extensions["trace"] = make_trace(exchange, at_first_byte)
        token = current_exchange.set(exchange)
        try:
            await self._drain(pool, request, exchange)
        except (httpx.RemoteProtocolError, httpx.DecodingError):
            # A response that httpx rejects may still be complete.
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
            # The exchange keeps the bytes; httpx finds the end and manages the connection.
            async for _ in cast("httpx.AsyncByteStream", response.stream):
                if exchange.is_too_large:
                    return
            await exchange.read_surplus()
        finally:
            await response.aclose()


async def _wait_at_most(call: Coroutine[Any, Any, None], seconds: float) -> None:
    """Await ``call`` like ``wait_for``, without losing a cancellation.

    Before Python 3.12 ``wait_for`` swallows a cancellation that arrives as the call ends; a
    cancelled caller would then continue.
    """
    task = asyncio.ensure_future(call)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done:
            raise asyncio.TimeoutError
        task.result()
    finally:
        await cancel_and_wait(task)  # its exception was raised above, or a cancellation wins


def _lower_header_names(response: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}
