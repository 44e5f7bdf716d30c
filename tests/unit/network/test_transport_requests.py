"""What is handed to httpx: methods, headers, timeouts, connections, and what is closed again."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from seedream_api.errors import ConfigurationError, NotSent, OutcomeUnknown, ReadFailed
from seedream_api.network import proxies, transport
from seedream_api.network.exchanges import current_exchange
from seedream_api.network.http_requests import USER_AGENT
from seedream_api.network.pools import ConnectionPools
from seedream_api.network.transport import MAX_RESPONSE_BYTES, Transport

URL = "https://api.example.com/v1/images"
COMMON = {"user-agent": USER_AGENT, "accept": "*/*", "accept-encoding": "gzip"}


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
    """Stands in for httpx's connections."""

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


@pytest.fixture
def pools(monkeypatch: pytest.MonkeyPatch) -> Pools:
    return stand_in(monkeypatch, Pools())


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


# ---- requests ----


def test_a_free_request(pools: Pools) -> None:
    answer = run(lambda client: client.ask(URL, headers={"Authorization": "Bearer x"}))
    (request,) = pools.requests
    assert (request.method, str(request.url), request.content) == ("GET", URL, b"")
    sent = dict(request.headers)
    assert sent == {"host": "api.example.com", **COMMON, "authorization": "Bearer x"}
    assert request.extensions["timeout"] == {"connect": 15, "pool": 15, "write": 60, "read": 30}
    assert (answer.status, answer.body, answer.headers["x-answer"]) == (200, b"{}", "yes")
    assert pools.bodies[0].is_closed


def test_a_free_request_with_a_body_and_little_time(pools: Pools) -> None:
    run(lambda client: client.ask(URL, method="POST", timeout_s=5.0, content=b"data"))
    (request,) = pools.requests
    assert (request.method, request.content) == ("POST", b"data")
    assert request.extensions["timeout"] == {"connect": 5, "pool": 5, "write": 60, "read": 5}


def test_a_paid_request(pools: Pools) -> None:
    run(post)
    (request,) = pools.requests
    assert request.method == "POST" and json.loads(request.content) == {"a": "一"}
    assert request.headers["content-type"] == "application/json"
    assert (
        request.headers["authorization"] == "Bearer x"
        and COMMON.items() <= dict(request.headers).items()
    )
    timeouts = {"connect": 15, "pool": 15, "write": 60, "read": 1_800}
    assert request.extensions["timeout"] == timeouts and pools.bodies[0].is_closed


async def streamed(client: Transport, url: str = URL, address: str | None = None) -> bytes:
    async with client.open(url, headers={"A": "b"}, read_timeout_s=20.0, address=address) as answer:
        assert (answer.status, answer.headers["x-answer"]) == (200, "yes")
        return b"".join([chunk async for chunk in answer.chunks])


def test_repeated_paid_request_stops_before_its_first_byte(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As another pack's patch of httpx does, which tries again what fails."""
    passed: list[str] = []

    class Again(Pools):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            for attempt in ("first", "second"):
                answer = await super().handle_async_request(request)
                passed.append(attempt)
            return answer

    stand_in(monkeypatch, Again())
    with pytest.raises(OutcomeUnknown, match="tried to send it again"):
        run(post)
    assert passed == ["first"]


def test_a_streamed_body(pools: Pools) -> None:
    assert run(streamed) == b"{}"
    (request,) = pools.requests
    assert (request.method, str(request.url)) == ("GET", URL)
    assert dict(request.headers) == {"host": "api.example.com", **COMMON, "a": "b"}
    assert "sni_hostname" not in request.extensions and pools.bodies[0].is_closed
    assert request.extensions["timeout"] == {"connect": 15, "pool": 15, "write": 60, "read": 20}


@pytest.mark.parametrize(
    ("url", "address", "target", "authority"),
    [
        ("https://a.example/p?q=1", "203.0.113.7", "https://203.0.113.7/p?q=1", "a.example"),
        ("http://a.example:8080/p", "203.0.113.7", "http://203.0.113.7:8080/p", "a.example:8080"),
        ("https://a.example/p", "2001:db8::1", "https://[2001:db8::1]/p", "a.example"),
        ("https://a.example:8443/p", "2001:db8::1", "https://[2001:db8::1]:8443/p",
         "a.example:8443"),
        ("https://me:pw@a.example/p", "203.0.113.7", "https://203.0.113.7/p", "a.example"),
    ],
)  # fmt: skip
def test_a_body_from_an_address_that_was_checked_before(
    pools: Pools, url: str, address: str, target: str, authority: str
) -> None:
    run(lambda client: streamed(client, url, address))
    (request,) = pools.requests
    assert str(request.url) == target and request.headers["host"] == authority
    assert request.extensions["sni_hostname"] == "a.example"


def test_an_open_body_is_closed_when_its_reader_fails(pools: Pools) -> None:
    async def reads(client: Transport) -> None:
        async with client.open(URL, headers={}, read_timeout_s=1.0):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(reads)
    assert pools.bodies[0].is_closed


# ---- failures ----


@pytest.mark.parametrize(
    ("error", "expected"),
    [(httpx.ConnectError("refused"), NotSent), (httpx.ReadError("cut"), ReadFailed)],
)
def test_a_stream_that_does_not_open(
    monkeypatch: pytest.MonkeyPatch, error: Exception, expected: type[Exception]
) -> None:
    stand_in(monkeypatch, Pools(error=error))
    with pytest.raises(expected):
        run(streamed)


def test_a_host_is_named_without_the_user_in_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, Pools(error=httpx.ConnectError("refused")))
    with pytest.raises(NotSent) as caught:
        run(lambda client: client.ask("https://me:hush@a.example:8443/p"))
    assert caught.value.values["host"] == "a.example:8443" and "hush" not in str(caught.value)


def test_an_outcome_that_is_unknown_says_how_to_forget_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Cut(Pools):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await request.extensions["trace"]("http11.send_request_headers.started", {})
            raise httpx.ReadError("cut")

    stand_in(monkeypatch, Cut())
    with pytest.raises(OutcomeUnknown) as caught:
        run(post)
    assert "tasks --forget ID" in str(caught.value)


def test_an_answer_may_have_just_as_many_bytes_as_are_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert MAX_RESPONSE_BYTES == 268_435_456  # of base64: fifteen of the largest images
    monkeypatch.setattr(transport, "MAX_RESPONSE_BYTES", 3)
    stand_in(monkeypatch, Pools(b"123"))
    assert run(lambda client: client.ask(URL)).body == b"123"
    pools = stand_in(monkeypatch, Pools(b"1234"))
    assert "exceeds 3 bytes" in run(lambda client: client.ask(URL)).cut
    assert pools.bodies[0].is_closed


# ---- connections ----


def test_paid_requests_never_reuse_a_connection(pools: Pools) -> None:
    async def several(client: Transport) -> None:
        for _ in range(2):
            await client.ask(URL)
            await post(client)
            await streamed(client)

    run(several)
    free, paid = pools.options
    assert free["limits"] == httpx.Limits(max_connections=None, max_keepalive_connections=8)
    assert paid["limits"] == httpx.Limits(max_connections=None, max_keepalive_connections=0)
    for options in (free, paid):
        assert options["trust_env"] is False and options["verify"] == "certificates"
        assert options["proxy"] is None
    assert len(pools.requests) == 6 and pools.closed == 2


def test_only_an_address_that_was_checked_goes_past_the_proxy(
    pools: Pools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")

    async def both(client: Transport) -> None:
        await streamed(client)
        await streamed(client, URL, "203.0.113.7")

    run(both)
    assert [options["proxy"] for options in pools.options] == ["http://127.0.0.1:9", None]


def test_a_closed_transport_makes_its_connections_anew(pools: Pools) -> None:
    async def twice(client: Transport) -> None:
        await client.ask(URL)
        await client.close()
        await client.ask(URL)

    run(twice)
    assert len(pools.options) == 2 and pools.closed == 2


# ---- certificates ----


def test_certificates_that_could_not_be_loaded_are_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    outcomes: list[Any] = [ConfigurationError("bad_certificates", path="x", reason="y"), context]

    def load(environ: Any) -> ssl.SSLContext:
        found = outcomes.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr("seedream_api.network.pools.load_certificates", load)

    async def thrice(client: Transport) -> None:
        with pytest.raises(ConfigurationError):
            await client._pools.get_certificates()
        assert await client._pools.get_certificates() is context
        assert await client._pools.get_certificates() is context

    run(thrice)


def test_certificates_fall_back_to_bundled_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda self: None)
    assert len(proxies.load_certificates({}).get_ca_certs()) > 50
