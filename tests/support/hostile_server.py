"""A server that sends given bytes exactly, and records what was requested."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

HELD = object()
"""In a script: send nothing more until the client goes away."""
RESET = object()
"""In a script: end the connection with a TCP reset."""


class Server:
    """Serve the n-th connection with the n-th script, then repeat the last one.

    A script is an iterable of raw bytes, :data:`HELD` and :data:`RESET`, or makes one of a request.
    """

    def __init__(
        self, scripts: Sequence[Any], *, address: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.scripts = list(scripts)
        self.requests: list[str] = []
        self._listener = socket.create_server((address, port))
        self.address = address
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://{address}:{self.port}/a.png"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Server:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone does not wake an accept() on Linux.
        socket.create_connection((self.address, self.port)).close()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            received = self._request(connection)
            if not received:
                connection.close()
                return
            self.requests.append(received.decode("latin-1"))
            script = self.scripts[min(len(self.requests), len(self.scripts)) - 1]
            if callable(script):
                script = script(self.requests[-1])
            thread = threading.Thread(target=self._answer, args=(connection, script), daemon=True)
            self._threads.append(thread)
            thread.start()

    @staticmethod
    def _request(connection: socket.socket) -> bytes:
        received = b""
        while b"\r\n\r\n" not in received and not received.startswith(b"\x16\x03"):
            piece = connection.recv(65536)
            if not piece:
                break
            received += piece
        return received

    @staticmethod
    def _answer(connection: socket.socket, script: Iterable[Any]) -> None:
        with connection:
            try:
                for step in script:
                    if step is HELD:
                        connection.recv(1)
                    elif step is RESET:
                        linger = struct.pack("ii", 1, 0)
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    else:
                        connection.sendall(step)
            except OSError:
                pass  # the client has seen enough

    def header(self, number: int, name: str) -> str | None:
        lines = self.requests[number].split("\r\n")[1:]
        found = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
        return found.get(name)


def answer(
    body: bytes = b"", *headers: str, status: str = "200 OK", length: int | None = -1
) -> bytes:
    """``length``: -1 for the true one, ``None`` for none."""
    lines = [f"HTTP/1.1 {status}", "Connection: close", *headers]
    if length is not None:
        lines.append(f"Content-Length: {len(body) if length < 0 else length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def cut_after(data: bytes, size: int, *headers: str) -> bytes:
    return answer(data[:size], *headers, length=len(data))


def chunked(*pieces: bytes, end: bool = True, headers: Sequence[str] = ()) -> bytes:
    head = answer(b"", "Transfer-Encoding: chunked", *headers, length=None)
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return head + body + (b"0\r\n\r\n" if end else b"")


def redirect(location: str, status: str = "302 Found") -> bytes:
    return answer(b"elsewhere", f"Location: {location}", status=status)


def part(data: bytes, start: int, *headers: str, total: int | None = None) -> bytes:
    total = len(data) if total is None else total
    place = f"Content-Range: bytes {start}-{len(data) - 1}/{total}"
    return answer(data[start:], place, *headers, status="206 Partial Content")


def rest(data: bytes, *headers: str) -> Callable[[str], list[bytes]]:
    """A script that honours the Range of the request."""

    def script(request: str) -> list[bytes]:
        start = int(request.lower().partition("range: bytes=")[2].partition("-")[0])
        return [part(data, start, *headers)]

    return script
