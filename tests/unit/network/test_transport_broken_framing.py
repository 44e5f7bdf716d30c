"""Connections that end early, and framing that a strict reader refuses."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from seedream_api.errors import NotSent
from seedream_api.network.transport import HttpResponse, Transport
from support.early_responses import Moment, Talk, post

# ---- connections that end before the first byte ----


def test_connection_closed_before_first_byte_is_replaced(serve: Callable[[Talk], Any]) -> None:
    """As when a commit takes longer than the server waits for a request."""
    first = threading.Event()

    def talk(caller: Any) -> None:
        if not first.is_set():
            caller.socket.close()
            first.set()
            return
        caller.request()
        caller.answer(b"{}")

    server = serve(talk)
    moment = Moment(wait=lambda: first.wait(10) and None)
    assert post(server.url(), moment=moment).status == 200
    assert moment.count == 1 and server.read.count(b"POST") == 1


def test_response_that_precedes_its_request_is_not_taken(serve: Callable[[Talk], Any]) -> None:
    """HAProxy says 408 to a connection on which nothing arrived."""
    first = threading.Event()

    def talk(caller: Any) -> None:
        if not first.is_set():
            caller.answer(b"", status="408 Request Timeout")
            first.set()
            caller.wait_for_end()
            return
        caller.request()
        caller.answer(b"{}")

    server = serve(talk)
    assert post(server.url(), moment=Moment(wait=lambda: first.wait(10) and None)).status == 200
    assert server.read.count(b"POST") == 1


def test_server_that_closes_every_connection_is_not_sent(
    serve: Callable[[Talk], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seedream_api.network.streams._STALE_WAIT_S", 10.0)

    def talk(caller: Any) -> None:
        caller.socket.shutdown(socket.SHUT_WR)
        caller.wait_for_end()

    server = serve(talk)
    moment = Moment()
    with pytest.raises(NotSent):
        post(server.url(), moment=moment)
    assert moment.count == 1 and server.read == b""


def test_stale_kept_connection_of_a_free_request_is_replaced(
    serve: Callable[[Talk], Any],
) -> None:
    server = serve(lambda caller: (caller.request(), caller.answer(b"{}")))

    async def run() -> list[int]:
        client = Transport()
        try:
            return [(await client.ask(server.url())).status for _ in range(5)]
        finally:
            await client.close()

    assert asyncio.run(run()) == [200] * 5


def test_paid_connection_is_kept_alive(
    serve: Callable[[Talk], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []
    dialled = socket.socket.setsockopt

    def watched(self: socket.socket, level: int, option: int, value: Any) -> None:
        seen.append((level, option))
        dialled(self, level, option, value)

    monkeypatch.setattr(socket.socket, "setsockopt", watched)
    server = serve(lambda caller: (caller.request(), caller.answer(b"{}")))
    assert post(server.url()).status == 200
    assert (socket.SOL_SOCKET, socket.SO_KEEPALIVE) in seen
    if hasattr(socket, "TCP_KEEPIDLE"):
        assert (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) in seen


@pytest.mark.parametrize("megabytes", [0, 20])
def test_cancelled_request_closes_its_connection(
    serve: Callable[[Talk], Any], megabytes: int
) -> None:
    """Also where the caller is cancelled again at every wait, as anyio does."""
    arrived, ended = threading.Event(), threading.Event()

    def talk(caller: Any) -> None:
        caller.socket.recv(1_000)
        arrived.set()
        if megabytes == 0:
            caller.wait_for_end()
            ended.set()

    async def run() -> None:
        client = Transport()
        body = {"image": "x" * megabytes * 1_000_000}
        task = asyncio.ensure_future(
            client.post_once(
                serve(talk).url(), body=body, headers={}, read_timeout_s=20,
                before_first_byte=Moment(),
            )
        )  # fmt: skip
        await asyncio.to_thread(arrived.wait, 10)
        while not task.done():
            task.cancel()
            await asyncio.sleep(0)
        if megabytes == 0:
            assert task.cancelled() and await asyncio.to_thread(ended.wait, 10)
        await client.close()

    asyncio.run(run())


# ---- framing that a strict reader refuses ----


JSON = '{"id": "task-1", "提示": "猫猫猫猫猫"}'.encode()


@pytest.mark.parametrize(
    ("after", "is_whole"),
    [
        (b"X-Odd: a\x00b\r\nContent-Length: %d\r\n\r\n" % len(JSON) + JSON, True),
        (b"no colon here\r\nContent-Length: %d\r\n\r\n" % len(JSON) + JSON, True),
        (b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n" + JSON, True),
        (b"Content-Length: many\r\n\r\n" + JSON, True),
        (b"X-Long: " + b"a" * 200_000 + b"\r\n\r\n" + JSON, True),
        (b"Transfer-Encoding: chunked\r\n\r\n" + JSON, False),
        (b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(JSON) + JSON, False),
        # counted in characters, not in bytes
        (b"Content-Length: %d\r\n\r\n" % len(JSON.decode()) + JSON, False),
    ],
    ids=[
        "control", "no colon", "two lengths", "no number", "long",
        "not chunked", "no last chunk", "characters",
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_late", [False, True])
def test_badly_framed_paid_response_is_returned(
    serve: Callable[[Talk], Any], after: bytes, is_whole: bool, is_late: bool
) -> None:
    def talk(caller: Any) -> None:
        caller.request()
        sent = b"HTTP/1.1 200 OK\r\n" + after
        caller.say(sent[:-9])
        if is_late:
            threading.Event().wait(0.2)
        caller.say(sent[-9:])

    answer = post(serve(talk).url())
    assert (answer.status, answer.body) == (200, JSON)
    assert (answer.cut is None) is is_whole


def test_badly_framed_response_does_not_spoil_the_next(serve: Callable[[Talk], Any]) -> None:
    """A free connection is kept: bytes beyond one response are not the next one's."""

    def talk(caller: Any) -> None:
        while caller.request():
            caller.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}[500]")

    server = serve(talk)

    async def run() -> list[HttpResponse]:
        client = Transport()
        try:
            return [await client.ask(server.url()) for _ in range(3)]
        finally:
            await client.close()

    answers = asyncio.run(run())
    assert [answer.status for answer in answers] == [200] * 3
    assert all(answer.body.startswith(b"{}") and answer.cut for answer in answers)
