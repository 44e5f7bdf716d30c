"""What is handed to httpx: methods, headers, timeouts, connections, and what is closed again."""

from __future__ import annotations

import json

import httpx
import pytest

from seedream_api.errors import OutcomeUnknown
from seedream_api.network.http_requests import USER_AGENT
from seedream_api.network.transport import Transport
from support.request_kit import URL, Pools, post, run, stand_in, streamed

COMMON = {"user-agent": USER_AGENT, "accept": "*/*", "accept-encoding": "gzip"}


def test_free_request(pools: Pools) -> None:
    answer = run(lambda client: client.ask(URL, headers={"Authorization": "Bearer x"}))
    (request,) = pools.requests
    assert (request.method, str(request.url), request.content) == ("GET", URL, b"")
    sent = dict(request.headers)
    assert sent == {"host": "api.example.com", **COMMON, "authorization": "Bearer x"}
    assert request.extensions["timeout"] == {"connect": 15, "pool": 15, "write": 60, "read": 30}
    assert (answer.status, answer.body, answer.headers["x-answer"]) == (200, b"{}", "yes")
    assert pools.bodies[0].is_closed


def test_free_request_with_a_body_and_little_time(pools: Pools) -> None:
    run(lambda client: client.ask(URL, method="POST", timeout_s=5.0, content=b"data"))
    (request,) = pools.requests
    assert (request.method, request.content) == ("POST", b"data")
    assert request.extensions["timeout"] == {"connect": 5, "pool": 5, "write": 60, "read": 5}


def test_paid_request(pools: Pools) -> None:
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


def test_streamed_body(pools: Pools) -> None:
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
def test_body_from_an_address_that_was_checked_before(
    pools: Pools, url: str, address: str, target: str, authority: str
) -> None:
    run(lambda client: streamed(client, url, address))
    (request,) = pools.requests
    assert str(request.url) == target and request.headers["host"] == authority
    assert request.extensions["sni_hostname"] == "a.example"


def test_open_body_is_closed_when_its_reader_fails(pools: Pools) -> None:
    async def reads(client: Transport) -> None:
        async with client.open(URL, headers={}, read_timeout_s=1.0):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(reads)
    assert pools.bodies[0].is_closed
