"""The service behind an intermediary: raw sockets, one thread per connection, POSTs counted."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType

from PIL import Image

DIE, SILENCE = b"die", b"silence"
"""In place of a response: close at once, or say nothing until the other side closes."""
PATIENCE_S = 20.0


def picture() -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (16, 16), (200, 120, 40)).save(held, "PNG")
    return held.getvalue()


def response(status: int, body: bytes, *headers: str, content_type: str | None = None) -> bytes:
    kind = content_type or "application/json"
    lines = [f"HTTP/1.1 {status} Said", f"Content-Type: {kind}", f"Content-Length: {len(body)}",
             "Connection: close", *headers]  # fmt: skip
    return "\r\n".join([*lines, "", ""]).encode() + body


def made() -> bytes:
    """A response with one image."""
    image = base64.b64encode(picture()).decode()
    return response(200, json.dumps({"created": 1, "data": [{"b64_json": image}]}).encode())


class Origin:
    """Responds to POST ``n`` with ``answer(n)``; anything else with 404."""

    def __init__(
        self,
        answer: Callable[[int], bytes] = lambda number: made(),
        *,
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.answer = answer
        self.posts = 0
        self.heads: list[str] = []
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._is_over = False
        self._listener = socket.create_server((host, 0), backlog=50)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Origin:
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_over = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE_S)

    def _accept(self) -> None:
        while not self._is_over:
            try:
                taken, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(taken,), daemon=True).start()

    def _serve(self, taken: socket.socket) -> None:
        taken.settimeout(PATIENCE_S)
        with contextlib.suppress(OSError), taken:
            self._open.add(taken)
            if self._tls is None:
                self._answer_one(taken)
            else:
                with self._tls.wrap_socket(taken, server_side=True) as wrapped:
                    self._answer_one(wrapped)
        self._open.discard(taken)

    def _answer_one(self, taken: socket.socket) -> None:
        head = read_request(taken)
        if head is None:
            return
        self.heads.append(head)
        if not head.startswith("POST /v1/images/generations "):
            taken.sendall(response(404, b'{"error": {"message": "not found"}}'))
            return
        self.posts += 1
        said = self.answer(self.posts)
        if said == SILENCE:
            taken.recv(1)
        elif said != DIE:
            taken.sendall(said)


def read_request(taken: socket.socket) -> str | None:
    """Read one request whole and return its head; ``None`` if it never came whole."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = taken.recv(65_536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    text = head.decode("latin-1")
    if "transfer-encoding: chunked" in text.lower():
        while not body.endswith(b"0\r\n\r\n"):
            body += _more(taken)
        return text
    left = content_length(text) - len(body)
    while left > 0:
        left -= len(_more(taken))
    return text


def _more(taken: socket.socket) -> bytes:
    piece = taken.recv(65_536)
    if not piece:
        raise ConnectionResetError("the body ended early")
    return piece


def content_length(head: str) -> int:
    for line in head.lower().split("\r\n"):
        if line.startswith("content-length:"):
            return int(line.partition(":")[2])
    return 0
