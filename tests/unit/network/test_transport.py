"""Could the server have seen it? Paid requests against servers that fail at every moment."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from seedream_api.errors import Charge, NotSent, OutcomeUnknown
from seedream_api.network import compression, http_requests, transport
from seedream_api.network.transport import HttpResponse, Transport
from support.transport_calls import Serve

BODY = {"model": "Seedream-4.5", "prompt": "一只猫"}
KEY = {"Authorization": "Bearer sk-secret-1234567890"}


class Moment:
    """Counts how often the first byte was about to leave; may refuse it."""

    def __init__(self, refuse: Exception | None = None) -> None:
        self.count = 0
        self.refuse = refuse
        self.seen: Callable[[], bytes] = bytes
        self.before = b""

    async def __call__(self) -> None:
        self.count += 1
        await asyncio.sleep(0)
        self.before = self.seen()
        if self.refuse is not None:
            raise self.refuse


def post(
    url: str, moment: Moment | None = None, *, read_timeout_s: float = 10.0, body: Any = BODY
) -> HttpResponse:
    async def run() -> HttpResponse:
        client = Transport()
        try:
            return await client.post_once(
                url,
                body=body,
                headers=KEY,
                read_timeout_s=read_timeout_s,
                before_first_byte=moment or Moment(),
            )
        finally:
            await client.close()

    return asyncio.run(run())


def not_sent(url: str, moment: Moment) -> NotSent:
    with pytest.raises(NotSent) as caught:
        post(url, moment)
    assert caught.value.charge is Charge.NONE and moment.count == 0
    return caught.value


def unknown(url: str, **options: Any) -> OutcomeUnknown:
    moment = Moment()
    with pytest.raises(OutcomeUnknown) as caught:
        post(url, moment, **options)
    assert caught.value.charge is Charge.POSSIBLE and caught.value.exit_code == 4
    assert moment.count == 1
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


def test_the_moment_comes_once_and_before_every_byte(serve: Serve) -> None:
    def talk(caller: Any) -> None:
        caller.request()
        caller.answer()

    server = serve(talk)
    moment = Moment()
    moment.seen = lambda: server.read
    assert post(server.url(), moment).status == 200
    assert moment.count == 1 and moment.before == b"" and server.read != b""


def test_a_moment_that_raises_lets_no_byte_out(serve: Serve) -> None:
    server = serve(lambda caller: caller.wait_for_end())
    with pytest.raises(LookupError, match="not written down"):
        post(server.url(), Moment(LookupError("not written down")))
    server.close()
    assert len(server.callers) == 1 and server.read == b""


def test_a_cancelled_moment_lets_no_byte_out(serve: Serve) -> None:
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


# ---- surely not sent ----


def test_a_refused_port_is_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = not_sent(f"http://127.0.0.1:{port}/v1", Moment())
    assert error.values["host"] == f"127.0.0.1:{port}" and "sk-secret" not in str(error)


def test_a_name_that_cannot_be_resolved_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_handshake_that_never_ends_is_not_sent(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_requests, "CONNECT_TIMEOUT_S", 0.1)
    server = serve(lambda caller: caller.wait_for_end())
    error = not_sent(server.url(scheme="https"), Moment())
    assert error.values["reason"] == "connecting timed out"


# ---- sent, and unknown ----


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
        await asyncio.sleep(0)  # the answer is whole, and whoever waits for it does not know yet
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    asyncio.run(read())
