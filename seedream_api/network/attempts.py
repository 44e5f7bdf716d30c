"""Attempts at one exchange, and the response that came of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx

from .exchanges import Exchange
from .http_failures import BROKEN, Repeated, TooLarge, reason_of
from .http_responses import HttpResponse

_CONNECTIONS = 4
"""How many fresh connections are tried where one ends before the first byte of a request."""


def trace_of(
    exchange: Exchange, at_first_byte: Callable[[], Awaitable[None]] | None
) -> Callable[[str, Mapping[str, Any]], Awaitable[None]]:
    """What httpx calls at every step of a request: here the first byte is about to leave."""
    has_begun = False

    async def trace(event: str, info: Mapping[str, Any]) -> None:
        nonlocal has_begun
        # A tunnel through a proxy first sends a CONNECT of its own: that is not ours yet.
        if not event.endswith("send_request_headers.started"):
            return
        if getattr(info.get("request"), "method", b"") == b"CONNECT":
            return
        if has_begun and at_first_byte is not None:
            # another pack's patch of httpx tries again what fails
            raise Repeated("something beside this pack tried to send it again")
        if at_first_byte is not None:
            await at_first_byte()
        has_begun = True
        exchange.begin()

    return trace


async def with_fresh_connections(
    attempt: Callable[[Exchange], Awaitable[None]], max_body: int
) -> tuple[Exchange, BaseException | None]:
    """Attempt an exchange, on another connection where one ends before a byte was sent on it."""
    exchange = Exchange(max_body)
    for left in reversed(range(_CONNECTIONS)):
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


def read_response(exchange: Exchange, failure: BaseException | None) -> HttpResponse | None:
    """What arrived, or ``None`` where no status line did."""
    response = exchange.response
    response.end()
    if response.status is None:
        return None
    cut = response.fault
    if failure is not None and not (response.is_whole and not exchange.is_too_large):
        cut = reason_of(failure)
    return HttpResponse(response.status, response.headers, bytes(response.body), cut)
