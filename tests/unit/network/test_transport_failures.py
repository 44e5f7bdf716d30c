"""Failures, connections and certificates."""

from __future__ import annotations

import ssl
from typing import Any

import httpx
import pytest

from seedream_api.errors import ConfigurationError, NotSent, OutcomeUnknown, ReadFailed
from seedream_api.network import proxies, transport
from seedream_api.network.transport import MAX_RESPONSE_BYTES, Transport
from support.request_kit import URL, Pools, post, run, stand_in, streamed

# ---- failures ----


@pytest.mark.parametrize(
    ("error", "expected"),
    [(httpx.ConnectError("refused"), NotSent), (httpx.ReadError("cut"), ReadFailed)],
)
def test_stream_that_does_not_open(
    monkeypatch: pytest.MonkeyPatch, error: Exception, expected: type[Exception]
) -> None:
    stand_in(monkeypatch, Pools(error=error))
    with pytest.raises(expected):
        run(streamed)


def test_host_is_named_without_the_user_in_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, Pools(error=httpx.ConnectError("refused")))
    with pytest.raises(NotSent) as caught:
        run(lambda client: client.ask("https://me:hush@a.example:8443/p"))
    assert caught.value.values["host"] == "a.example:8443" and "hush" not in str(caught.value)


def test_outcome_that_is_unknown_says_how_to_forget_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Cut(Pools):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await request.extensions["trace"]("http11.send_request_headers.started", {})
            raise httpx.ReadError("cut")

    stand_in(monkeypatch, Cut())
    with pytest.raises(OutcomeUnknown) as caught:
        run(post)
    assert "tasks --forget ID" in str(caught.value)


def test_response_may_have_exactly_the_allowed_size(
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


def test_closed_transport_makes_new_connections(pools: Pools) -> None:
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
