"""A small server on loopback that runs a function of the test for each connection; a ledger."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seedream_api.ledger.ledger import SyncLedger

Conversation = Callable[["Caller"], None]
PATIENCE_S = 10.0


class Caller:
    """One connection, seen from the server."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.read = b""
        """Every byte of the client so far (inside TLS: the plain ones)."""

    def request(self) -> bytes:
        """Read one request, headers and body; empty when the client has gone."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (more := self._more()):
                return b""
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        wanted = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                wanted = int(value)
        while len(body) < wanted:
            body += self._more()
        return head + b"\r\n\r\n" + body

    def _more(self) -> bytes:
        with contextlib.suppress(OSError):
            data = self.socket.recv(65536)
            self.read += data
            return data
        return b""

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self, body: bytes = b"{}", *, status: str = "200 OK", more: str = "") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
        self.say(head.encode() + body)

    def wait_for_end(self) -> None:
        """Until the client closes the connection."""
        while self._more():
            pass

    def start_tls(self, context: ssl.SSLContext) -> None:
        self.socket = context.wrap_socket(self.socket, server_side=True)


class Server:
    """Listens until it is closed."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.errors: list[BaseException] = []
        self._callers: list[Caller] = []
        self._own: dict[tuple[str, int], threading.Event] = {}
        self._threads = [threading.Thread(target=self._listen, daemon=True)]
        self._threads[0].start()

    def url(self, path: str = "/v1/images/generations", scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    @property
    def callers(self) -> list[Caller]:
        """All connections so far, also those not accepted yet."""
        if self._listener.fileno() >= 0:
            self._accept_all()
        return self._callers

    def _accept_all(self) -> None:
        """Connections are accepted in the order in which they were made: once ours is, all are."""
        with socket.socket() as own:
            own.bind(("127.0.0.1", 0))
            accepted = self._own[own.getsockname()] = threading.Event()
            own.connect(("127.0.0.1", self.port))
            assert accepted.wait(PATIENCE_S)

    @property
    def read(self) -> bytes:
        return b"".join(caller.read for caller in self.callers)

    def _listen(self) -> None:
        while True:
            try:
                connection, peer = self._listener.accept()
            except OSError:
                return
            if peer in self._own:
                connection.close()
                self._own[peer].set()
                continue
            connection.settimeout(PATIENCE_S)
            caller = Caller(connection)
            self._callers.append(caller)
            thread = threading.Thread(target=self._talk, args=(caller,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _talk(self, caller: Caller) -> None:
        try:
            self._conversation(caller)
        except (OSError, ValueError) as error:
            self.errors.append(error)
        finally:
            caller.socket.close()

    def close(self) -> None:
        callers = self.callers
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for caller in callers:
            with contextlib.suppress(OSError):
                caller.socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE_S)


@pytest.fixture
def ledger(home: Path) -> Iterator[SyncLedger]:
    """An open ledger in the test's data folder."""
    opened = SyncLedger(home)
    yield opened
    opened.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Conversation], Server]]:
    servers: list[Server] = []

    def start(conversation: Conversation) -> Server:
        servers.append(Server(conversation))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
