"""Whole responses, connections and redirects: what is returned, and over which connection."""

from __future__ import annotations

import asyncio
import gzip
import socket
from typing import Any

import pytest

from seedream_api.errors import NotSent, ReadFailed
from seedream_api.network.transport import HttpResponse, Transport
from support.transport_calls import Serve, post, run, talkative


@pytest.mark.parametrize("status", [200, 400, 429, 500, 502, 503, 504, 524])
def test_whole_response_is_returned_whatever_its_status(serve: Serve, status: int) -> None:
    def talk(caller: Any) -> None:
        caller.request()
        caller.answer(b"<html>", status=f"{status} Whatever", more="Retry-After: 7\r\n")

    server = serve(talk)
    answer = run(lambda client: post(client, server.url()))
    assert (answer.status, answer.body) == (status, b"<html>")
    assert answer.headers["retry-after"] == "7"
    with pytest.raises(ValueError, match="Expecting value"):
        answer.json()


def test_transport_reads_a_compressed_response(serve: Serve) -> None:
    def talk(caller: Any) -> None:
        caller.request()
        caller.answer(gzip.compress(b'{"id": "task-1"}'), more="Content-Encoding: gzip\r\n")

    server = serve(talk)
    assert run(lambda client: post(client, server.url())).json() == {"id": "task-1"}


def test_json_nested_too_deeply_is_not_read() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        HttpResponse(200, {}, b"[" * 200_000 + b"]" * 200_000).json()


def test_request_id_is_read_from_either_header() -> None:
    assert (
        HttpResponse(200, {"x-request-id": "a", "x-oneapi-request-id": "b"}, b"").request_id == "a"
    )
    assert HttpResponse(200, {"x-oneapi-request-id": "b"}, b"").request_id == "b"
    assert HttpResponse(200, {}, b"").request_id is None


def test_free_request_tells_unreached_from_unanswered(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NotSent):
        run(lambda client: client.ask(f"http://127.0.0.1:{port}/"))
    dropping = serve(lambda caller: caller.request())
    with pytest.raises(ReadFailed, match="the connection was cut"):
        run(lambda client: client.ask(dropping.url()))
    silent = serve(lambda caller: (caller.request(), caller.wait_for_end()))
    with pytest.raises(ReadFailed, match="no response in time"):
        run(lambda client: client.ask(silent.url(), timeout_s=0.2))


# ---- connections ----


def test_paid_request_never_takes_an_idle_connection(serve: Serve) -> None:
    server = serve(talkative)

    async def steps(client: Transport) -> None:
        await client.ask(server.url("/v1/images/Seedream/task-1"))
        for _ in range(3):
            await post(client, server.url())

    run(steps)
    paid = [caller for caller in server.callers if caller.read.startswith(b"POST")]
    assert len(server.callers) == 4 and len(paid) == 3
    assert all(caller.read.count(b"HTTP/1.1\r\n") == 1 for caller in paid)


def test_free_requests_share_a_connection(serve: Serve) -> None:
    server = serve(talkative)

    async def steps(client: Transport) -> None:
        for _ in range(3):
            await client.ask(server.url("/v1/images/Seedream/task-1"))

    run(steps)
    assert len(server.callers) == 1 and server.callers[0].read.count(b"GET ") == 3


def test_requests_that_begin_together_leave_no_connection_open(serve: Serve) -> None:
    server = serve(talkative)

    async def steps(client: Transport) -> None:
        await asyncio.gather(*(client.ask(server.url("/")) for _ in range(5)))

    run(steps)
    ended = [thread for thread in server._threads[1:] if not thread.join(2.0)]
    assert ended and not any(thread.is_alive() for thread in ended)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_given_back_and_not_followed(serve: Serve, status: int) -> None:
    elsewhere = serve(talkative)

    def talk(caller: Any) -> None:
        caller.request()
        caller.answer(b"", status=f"{status} Moved", more=f"Location: {elsewhere.url()}\r\n")

    server = serve(talk)

    async def steps(client: Transport) -> None:
        for answer in (await post(client, server.url()), await client.ask(server.url("/"))):
            assert answer.status == status and answer.headers["location"] == elsewhere.url()

    run(steps)
    assert elsewhere.callers == []


def test_no_cookie_is_kept(serve: Serve) -> None:
    def talk(caller: Any) -> None:
        while caller.request():
            caller.answer(more="Set-Cookie: a=b\r\n")

    server = serve(talk)

    async def steps(client: Transport) -> None:
        for _ in range(2):
            await client.ask(server.url("/"))

    run(steps)
    assert server.read.count(b"GET ") == 2 and b"cookie" not in server.read.lower()


def test_body_is_streamed_raw_from_the_checked_address(serve: Serve) -> None:
    server = serve(lambda caller: (caller.request(), caller.answer(b"x" * 300_000)))

    async def steps(client: Transport) -> bytes:
        url = f"http://cdn.example.com:{server.port}/a.png"
        opened = client.open(url, headers={}, read_timeout_s=5.0, address="127.0.0.1")
        async with opened as answer:
            assert answer.status == 200
            return b"".join([chunk async for chunk in answer.chunks])

    assert run(steps) == b"x" * 300_000
    assert f"Host: cdn.example.com:{server.port}".encode() in server.read


def test_body_cut_while_streaming_is_an_error(serve: Serve) -> None:
    def talk(caller: Any) -> None:
        caller.request()
        caller.say(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nxx")

    server = serve(talk)

    async def steps(client: Transport) -> None:
        async with client.open(server.url("/"), headers={}, read_timeout_s=5.0) as answer:
            _ = [chunk async for chunk in answer.chunks]

    with pytest.raises(ReadFailed, match="the connection was cut"):
        run(steps)
