"""Could the server have seen it? Paid requests against servers that fail at every moment."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest

from seedream_api.errors import Charge, NotSent
from seedream_api.network import http_requests
from seedream_api.network.transport import Transport
from support.transport_calls import Serve
from support.transport_kit import BODY, KEY, Moment, post


def not_sent(url: str, moment: Moment) -> NotSent:
    with pytest.raises(NotSent) as caught:
        post(url, moment)
    assert caught.value.charge is Charge.NONE and moment.count == 0
    return caught.value


# ---- what is sent ----


def test_request_is_what_the_service_documents(serve: Serve) -> None:
    heard: list[bytes] = []

    def talk(caller: Any) -> None:
        heard.append(caller.request())
        caller.answer(b'{"id": "task-1"}', more="X-Oneapi-Request-Id: req-1\r\n")

    server = serve(talk)
    answer = post(server.url())
    head, _, body = heard[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/images/generations HTTP/1.1\r\n")
    assert json.loads(body) == BODY
    lines = head.decode().lower().split("\r\n")
    assert "authorization: bearer sk-secret-1234567890" in lines
    assert "content-type: application/json" in lines and f"content-length: {len(body)}" in lines
    assert any(line.startswith("user-agent: seedream-deepspace/") for line in lines)
    assert not any(line.startswith(("cookie", "transfer-encoding")) for line in lines)
    assert answer.json() == {"id": "task-1"} and answer.request_id == "req-1"


def test_moment_comes_once_and_before_every_byte(serve: Serve) -> None:
    def talk(caller: Any) -> None:
        caller.request()
        caller.answer()

    server = serve(talk)
    moment = Moment()
    moment.seen = lambda: server.read
    assert post(server.url(), moment).status == 200
    assert moment.count == 1 and moment.before == b"" and server.read != b""


def test_moment_that_raises_lets_no_byte_out(serve: Serve) -> None:
    server = serve(lambda caller: caller.wait_for_end())
    with pytest.raises(LookupError, match="not written down"):
        post(server.url(), Moment(LookupError("not written down")))
    server.close()
    assert len(server.callers) == 1 and server.read == b""


def test_cancelled_moment_lets_no_byte_out(serve: Serve) -> None:
    server = serve(lambda caller: caller.wait_for_end())

    async def run() -> None:
        client = Transport()
        reached = asyncio.Event()

        async def moment() -> None:
            reached.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(
            client.post_once(
                server.url(), body=BODY, headers=KEY, read_timeout_s=10, before_first_byte=moment
            )
        )
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.close()

    asyncio.run(run())
    server.close()
    assert len(server.callers) == 1 and server.read == b""


def test_slow_before_first_byte_means_not_sent(serve: Serve) -> None:
    server = serve(lambda caller: caller.wait_for_end())

    async def run() -> None:
        client = Transport()

        async def moment() -> None:
            await asyncio.Event().wait()

        with pytest.raises(NotSent):
            await client.post_once(
                server.url(), body=BODY, headers=KEY, read_timeout_s=0.2, before_first_byte=moment
            )
        await client.close()

    asyncio.run(run())
    server.close()
    assert len(server.callers) == 1 and server.read == b""


# ---- definitely not sent ----


def test_refused_port_is_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = not_sent(f"http://127.0.0.1:{port}/v1", Moment())
    assert error.values["host"] == f"127.0.0.1:{port}" and "sk-secret" not in str(error)


def test_name_that_cannot_be_resolved_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    assert "api.deepspaceai.net" in str(not_sent("https://api.deepspaceai.net/v1", Moment()))


def test_tls_to_a_server_that_speaks_none_is_not_sent(serve: Serve) -> None:
    def talk(caller: Any) -> None:
        caller.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        caller.wait_for_end()

    server = serve(talk)
    not_sent(server.url(scheme="https"), Moment())
    assert b"POST" not in server.read


def test_handshake_that_never_ends_is_not_sent(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_requests, "CONNECT_TIMEOUT_S", 0.1)
    server = serve(lambda caller: caller.wait_for_end())
    error = not_sent(server.url(scheme="https"), Moment())
    assert error.values["reason"] == "connecting timed out"
