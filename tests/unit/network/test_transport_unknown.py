"""Requests that were sent and whose outcome is unknown."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from typing import Any

import pytest

from seedream_api.errors import Charge, OutcomeUnknown
from seedream_api.network import compression, transport
from seedream_api.network.transport import HttpResponse, Transport
from support.transport_calls import Serve
from support.transport_kit import Moment, post


def unknown(url: str, **options: Any) -> OutcomeUnknown:
    moment = Moment()
    with pytest.raises(OutcomeUnknown) as caught:
        post(url, moment, **options)
    assert caught.value.charge is Charge.POSSIBLE and caught.value.exit_code == 4
    assert moment.count == 1
    return caught.value


def torn(after: bytes) -> Callable[[Any], None]:
    def talk(caller: Any) -> None:
        caller.request()
        if after:
            caller.say(after)

    return talk


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"


@pytest.mark.parametrize(
    "after",
    [
        b"",
        b"HTTP/1.1 20",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"garbage that is no HTTP\r\n\r\n",
    ],
    ids=["dropped", "in the status line", "interim", "garbage"],
)
def test_no_whole_response_head_leaves_the_outcome_unknown(serve: Serve, after: bytes) -> None:
    error = unknown(serve(torn(after)).url())
    assert error.possible_task_id is None and error.values["reason"]
    assert "sk-secret" not in str(error)


@pytest.mark.parametrize(
    ("after", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Le", b""),
        (HEAD, b""),
        (HEAD + b'{"id": "task-77"', b'{"id": "task-77"'),
        (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":', b'{"a":'),
    ],
    ids=["in headers", "no body", "cut", "cut chunk"],
)
def test_torn_paid_response_keeps_what_arrived(serve: Serve, after: bytes, body: bytes) -> None:
    answer = post(serve(torn(after)).url())
    assert (answer.status, answer.body) == (200, body)
    assert "cut" in str(answer.cut)


def test_body_that_its_gzip_header_lies_about_is_kept(serve: Serve) -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"
    answer = post(serve(torn(said)).url())
    assert (answer.body, answer.cut, answer.json()) == (b"{}", None, {})


def test_connection_lost_while_sending_is_unknown(serve: Serve) -> None:
    def talk(caller: Any) -> None:
        caller.socket.recv(10)

    unknown(serve(talk).url(), body={"image": ["x" * 30_000_000]})


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK"])
def test_no_response_head_in_time_is_unknown(serve: Serve, begun: bytes) -> None:
    def talk(caller: Any) -> None:
        caller.request()
        caller.say(begun)
        caller.wait_for_end()

    error = unknown(serve(talk).url(), read_timeout_s=0.3)
    assert error.values["reason"] == "no response in time"


def drip(caller: Any, head: bytes = HEAD) -> None:
    caller.request()
    caller.say(head)
    while True:
        caller.say(b" ")
        caller.socket.settimeout(0.02)
        try:
            if not caller.socket.recv(1):
                return
        except TimeoutError:
            continue


def test_paid_response_that_drips_forever_is_cut_in_time(serve: Serve) -> None:
    answer = post(serve(drip).url(), read_timeout_s=0.4)
    assert answer.status == 200 and answer.cut == "no response in time"
    assert answer.body and set(answer.body) == {0x20}


def test_free_response_that_drips_forever_is_cut_in_time(serve: Serve) -> None:
    async def run() -> HttpResponse:
        client = Transport()
        try:
            return await asyncio.wait_for(client.ask(serve(drip).url(), timeout_s=0.4), 10.0)
        finally:
            await client.close()

    assert asyncio.run(run()).cut == "no response in time"


def test_download_behind_an_illegal_header_is_cut_in_time(serve: Serve) -> None:
    head = HEAD.replace(b"\r\n\r\n", b"\r\nBad Header: x\r\n\r\n")
    server = serve(lambda caller: drip(caller, head))

    async def run() -> bytes:
        client = Transport()
        try:
            async with client.open(server.url(), headers={}, read_timeout_s=0.4) as answer:
                return b"".join([chunk async for chunk in answer.chunks])
        finally:
            await client.close()

    assert set(asyncio.run(asyncio.wait_for(run(), 10.0))) == {0x20}


def test_response_without_end_is_bounded(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MAX_RESPONSE_BYTES", 10_000)
    answer = post(serve(torn(HEAD.replace(b"500", b"10001") + b" " * 10_001)).url())
    assert "10000 bytes" in str(answer.cut)


def test_packed_response_is_bounded_when_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "MAX_PLAIN_BYTES", 10_000)
    packed = gzip.compress(b'"' + b" " * 20_000 + b'"')
    with pytest.raises(ValueError, match="Unterminated"):
        HttpResponse(200, {}, packed).json()


def test_cancellation_at_end_of_read_is_not_swallowed() -> None:
    async def read() -> None:
        arrived: asyncio.Future[HttpResponse] = asyncio.get_running_loop().create_future()

        async def answer() -> None:
            await arrived

        reading = asyncio.ensure_future(transport._wait_at_most(answer(), 30.0))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        arrived.set_result(HttpResponse(200, {}, b""))
        await asyncio.sleep(0)  # the response is whole, and its waiter does not know yet
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    asyncio.run(read())
