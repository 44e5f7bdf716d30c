"""Requests as a server reads them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from seedream_api.network import transport
from seedream_api.network.exchanges import current_exchange
from seedream_api.network.pools import ConnectionPools
from seedream_api.network.transport import Transport

URL = "https://api.example.com/v1/images"


class Body(httpx.AsyncByteStream):
    """Bytes in pieces of one, which notes that it was closed."""

    def __init__(self, data: bytes) -> None:
        self._data, self.is_closed = data, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(len(self._data)):
            yield self._data[start : start + 1]

    async def aclose(self) -> None:
        self.is_closed = True


class Pools:
    """Replaces the connections of httpx."""

    def __init__(self, answer: bytes = b"{}", error: Exception | None = None) -> None:
        self.options: list[dict[str, Any]] = []
        self.requests: list[httpx.Request] = []
        self.bodies: list[Body] = []
        self.closed = 0
        self._answer, self._error = answer, error
        self._pool = SimpleNamespace(_network_backend=None)

    def __call__(self, **options: Any) -> Pools:
        self.options.append(options)
        return self

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self._error is not None:
            raise self._error
        if "trace" in request.extensions:
            await request.extensions["trace"]("http11.send_request_headers.started", {})
        if (exchange := current_exchange.get()) is not None:
            exchange.response.feed(b"HTTP/1.1 200 OK\r\nX-Answer: yes\r\n\r\n" + self._answer)
            exchange.response.feed(b"")
        self.bodies.append(Body(self._answer))
        return httpx.Response(200, headers={"X-Answer": "yes"}, stream=self.bodies[-1])

    async def aclose(self) -> None:
        self.closed += 1


def stand_in(monkeypatch: pytest.MonkeyPatch, pools: Pools) -> Pools:
    async def certificates(self: ConnectionPools) -> str:
        return "certificates"

    monkeypatch.setattr(transport.httpx, "AsyncHTTPTransport", pools)
    monkeypatch.setattr(ConnectionPools, "get_certificates", certificates)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return pools


def run(work: Callable[[Transport], Coroutine[Any, Any, Any]]) -> Any:
    async def whole() -> Any:
        client = Transport()
        try:
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(whole())


async def nothing() -> None:
    pass


def post(client: Transport, read_timeout_s: float = 1_800.0) -> Any:
    return client.post_once(
        URL, body={"a": "一"}, headers={"Authorization": "Bearer x"},
        read_timeout_s=read_timeout_s, before_first_byte=nothing,
    )  # fmt: skip


async def streamed(client: Transport, url: str = URL, address: str | None = None) -> bytes:
    async with client.open(url, headers={"A": "b"}, read_timeout_s=20.0, address=address) as answer:
        assert (answer.status, answer.headers["x-answer"]) == (200, "yes")
        return b"".join([chunk async for chunk in answer.chunks])
