"""Attempt one exchange on fresh connections, and build its response."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx

from ..messages import Text
from .exchanges import Exchange
from .http_failures import BROKEN, Repeated, TooLarge, describe_failure
from .http_responses import HttpResponse

_MAX_CONNECTIONS = 4
"""How many connections to try while they end before the first byte of a request."""


def make_trace(
    exchange: Exchange, at_first_byte: Callable[[], Awaitable[None]] | None
) -> Callable[[str, Mapping[str, Any]], Awaitable[None]]:
    """Make httpx's trace callback, which calls ``at_first_byte`` before the first byte is sent."""
    has_begun = False

    async def trace(event: str, info: Mapping[str, Any]) -> None:
        nonlocal has_begun
        # A tunnel through a proxy starts with a CONNECT, which is not the request yet.
        if not event.endswith("send_request_headers.started"):
            return
        if getattr(info.get("request"), "method", b"") == b"CONNECT":
            return
        if has_begun and at_first_byte is not None:
            # another pack has patched httpx to retry failed requests
            raise Repeated(Text("sent_by_others"))
        if at_first_byte is not None:
            await at_first_byte()
        has_begun = True
        exchange.begin()

    return trace


async def attempt_exchange(
    attempt: Callable[[Exchange], Awaitable[None]], max_body: int
) -> tuple[Exchange, BaseException | None]:
    """Attempt an exchange; use another connection if one ends before a byte was sent on it."""
    exchange = Exchange(max_body)
    for left in reversed(range(_MAX_CONNECTIONS)):
        try:
            await attempt(exchange)
        except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
            if not left or not exchange.is_unsent:
                return exchange, error
        except (*BROKEN, asyncio.TimeoutError, TooLarge, Repeated) as error:
            return exchange, error
        else:
            return exchange, None
        exchange = Exchange(max_body)
    raise AssertionError("the last attempt returns")


def build_response(exchange: Exchange, failure: BaseException | None) -> HttpResponse | None:
    """Build the response from what arrived; ``None`` without a status line."""
    response = exchange.response
    response.end()
    if response.status is None:
        return None
    cut = response.fault
    if failure is not None and not (response.is_whole and not exchange.is_too_large):
        cut = describe_failure(failure)
    return HttpResponse(response.status, response.headers, bytes(response.body), cut)
