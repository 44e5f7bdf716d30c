"""Servers that respond before they have read a request, and connections that end before it."""

from __future__ import annotations

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

from support.early_responses import Talk, post

SAID = b'{"error":{"message":"not now"}}'


LIMIT = 256 * 1024


class EarlyServer:
    """Responds as Go's ``net/http`` does when a handler returns before it has read the body.

    It responds at once, reads at most 256 KB more, closes its half of the connection, and closes
    the whole 500 ms later while the client still writes.

    Args:
        resets: end the connection with a reset right after the response.
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
