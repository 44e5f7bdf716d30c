"""Servers that answer before they have read a request, and connections that end before it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from seedream_api.errors import NotSent
from seedream_api.network.transport import HttpResponse, Transport

SAID = b'{"error":{"message":"not now"}}'
LIMIT = 256 * 1024
Talk = Callable[[Any], None]


class EarlyServer:
    """Answers as Go's ``net/http`` does when a handler returns before it has read the body.

    It answers at once, reads at most 256 KB more, closes its half of the connection, and closes the
    whole 500 ms later while the client still writes.

    Args:
        resets: end the connection with a reset right after the answer.
    """

    def __init__(self, status: int, *, tls: ssl.SSLContext | None = None, resets: bool = False):
        self._head = (
            f"HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {len(SAID)}\r\n\r\n"
        )
        self._tls, self._resets = tls, resets
        self.connections = 0
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._listen, daemon=True)]
        self._threads[0].start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.settimeout(10)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(4096)
            connection.sendall(self._head.encode() + SAID)
            if self._resets:
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            else:
                read = 0
                while read < LIMIT and (data := connection.recv(LIMIT - read)):
                    read += len(data)
                socket.socket.shutdown(connection, socket.SHUT_WR)
                threading.Event().wait(0.5)
        connection.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)


@pytest.fixture
def early() -> Iterator[Callable[..., EarlyServer]]:
    servers: list[EarlyServer] = []

    def start(*args: Any, **options: Any) -> EarlyServer:
        servers.append(EarlyServer(*args, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


class Moment:
    def __init__(self, wait: Callable[[], None] = lambda: None) -> None:
        self.count = 0
        self._wait = wait

    async def __call__(self) -> None:
        self.count += 1
        await asyncio.to_thread(self._wait)


def post(
    url: str, megabytes: float = 0, moment: Moment | None = None, *, proxy: str = ""
) -> HttpResponse:
    async def run() -> HttpResponse:
        client = Transport(proxy)
        try:
            return await client.post_once(
                url,
                body={"image": "x" * int(megabytes * 1_000_000)},
                headers={},
                read_timeout_s=20.0,
                before_first_byte=moment or Moment(),
            )
        finally:
            await client.close()

    return asyncio.run(run())


@pytest.mark.parametrize("status", [429, 401, 413])
@pytest.mark.parametrize("megabytes", [1, 9, 20])
def test_early_response_to_large_body_is_read(
    early: Callable[..., EarlyServer], status: int, megabytes: int
) -> None:
    server = early(status)
    for _ in range(3):
        answer = post(f"http://127.0.0.1:{server.port}/v1/images/generations", megabytes)
        assert (answer.status, answer.body, answer.cut) == (status, SAID, None)
    assert server.connections == 3


@pytest.mark.parametrize("megabytes", [0.001, 1, 9])
def test_response_before_a_reset_is_used(
    early: Callable[..., EarlyServer], megabytes: float
) -> None:
    server = early(429, resets=True)
    for _ in range(5):
        answer = post(f"http://127.0.0.1:{server.port}/v1/images/generations", megabytes)
        assert (answer.status, answer.body) == (429, SAID)


@pytest.fixture
def tls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ssl.SSLContext:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("service.example.com", "127.0.0.1").configure_cert(context)
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    return context


def test_early_response_is_read_over_tls(
    early: Callable[..., EarlyServer], tls: ssl.SSLContext
) -> None:
    server = early(429, tls=tls)
    for _ in range(3):
        answer = post(f"https://127.0.0.1:{server.port}/v1/images/generations", 9)
        assert (answer.status, answer.body, answer.cut) == (429, SAID, None)


def joined(client: socket.socket, port: int) -> None:
    """Carry bytes both ways until both ends have closed."""
    server = socket.create_connection(("127.0.0.1", port))

    def carry(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    back = threading.Thread(target=carry, args=(server, client), daemon=True)
    back.start()
    carry(client, server)
    back.join(10)
    server.close()


def through_socks(port: int) -> Talk:
    def talk(caller: Any) -> None:
        caller.socket.recv(64)
        caller.say(b"\x05\x00")
        caller.socket.recv(256)
        caller.say(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        joined(caller.socket, port)

    return talk


def through_tunnel(port: int) -> Talk:
    def talk(caller: Any) -> None:
        caller.request()
        caller.say(b"HTTP/1.1 200 Connection established\r\n\r\n")
        joined(caller.socket, port)

    return talk


@pytest.mark.parametrize(
    ("scheme", "through"), [("socks5", through_socks), ("http", through_tunnel)]
)
def test_early_response_is_read_through_a_proxy(
    early: Callable[..., EarlyServer],
    serve: Callable[[Talk], Any],
    tls: ssl.SSLContext,
    scheme: str,
    through: Callable[[int], Talk],
) -> None:
    server = early(413, tls=tls)
    proxy = f"{scheme}://127.0.0.1:{serve(through(server.port)).port}"
    answer = post("https://service.example.com/v1/images/generations", 9, proxy=proxy)
    assert (answer.status, answer.body, answer.cut) == (413, SAID, None)


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
