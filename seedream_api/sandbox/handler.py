"""One HTTP/1.1 connection: reads requests whole, asks the desk, and sends what it says."""

from __future__ import annotations

import logging
import os
import socket
import struct
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from .desk import Desk
from .faults import DropBeforeReceipt, Fault
from .journal import TakenRequest, parsed
from .replies import Reply
from .service import route_of

LOG = logging.getLogger("seedream.sandbox")

IDLE_SECONDS = 120
"""How long a kept-alive connection may be silent."""
DRAINED_BYTES = 128 * 1024 * 1024
"""How much of a refused body is read, so that the client reads the refusal and not a reset."""

_PIECE = 256 * 1024


class BrokenRequest(Exception):
    """The request's body cannot be read to its end."""


class Handler(BaseHTTPRequestHandler):
    """Carries requests to the desk and answers back."""

    protocol_version = "HTTP/1.1"
    server_version = "seedream-sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS

    def __init__(self, desk: Desk, *args: Any) -> None:
        self.desk = desk
        super().__init__(*args)

    @property
    def target(self) -> str:
        """Path and query, also where the request line held a whole URL (as to a proxy)."""
        parts = urlsplit(self.path)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def handle(self) -> None:
        """Serve the connection; a client that leaves is no event."""
        try:
            super().handle()
        except (ConnectionError, BrokenRequest, TimeoutError) as error:
            LOG.debug("connection ended: %s", type(error).__name__)

    def log_message(self, format: str, *args: Any) -> None:
        """Into the log at debug level, never to stderr."""
        LOG.debug(format, *args)

    def start(self, reply: Reply, length: int | None) -> None:
        """Send status line and headers (see `faults.Wire`)."""
        self.send_response(reply.status)
        own = {"Content-Type": reply.content_type}
        if length is not None:
            own["Content-Length"] = str(length)
        for name, value in {**own, **reply.headers}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def write(self, data: bytes) -> None:
        """Send body bytes (see `faults.Wire`)."""
        if self.command != "HEAD":
            self.wfile.write(data)

    def pause(self, seconds: float) -> bool:
        """Wait; False as soon as the sandbox stops (see `faults.Wire`)."""
        return self.desk.pause(seconds)

    def _serve(self) -> None:
        route = route_of(self.command, self.target)
        fault = self.desk.next_fault(route)
        if isinstance(fault, DropBeforeReceipt):
            self._reset()
            return
        body = self._body(self.desk.body_limit(route))
        too_long = body is None
        if too_long:
            self.close_connection = True  # There may be more of it than was read.
        request = self._request(body or b"", fault)
        self.desk.take(request, fault)
        reply = self.desk.answer(route, request, too_long=too_long, fault=fault)
        if reply is None or not (fault or Fault()).send(self, reply):
            self.close_connection = True

    def _request(self, body: bytes, fault: Fault | None) -> TakenRequest:
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            known = headers.get(name.lower())
            headers[name.lower()] = f"{known}, {value}" if known else value
        return TakenRequest(
            method=self.command,
            path=self.target,
            headers=headers,
            body=body,
            json=parsed(body),
            at=self.desk.now(),
            fault=fault.name if fault else None,
        )

    do_GET = do_POST = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def _reset(self) -> None:
        """Close with a reset: what the client still sends is refused."""
        self.close_connection = True
        linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        socket.close(self.connection.detach())

    def _body(self, limit: int) -> bytes | None:
        """The whole body, or None if it is longer than ``limit`` bytes.

        Raises:
            BrokenRequest: it ends early, or its length makes no sense.
        """
        chunks: list[bytes] = []
        size = 0
        for piece in self._pieces():
            size += len(piece)
            if size > DRAINED_BYTES:
                return None
            if size <= limit:
                chunks.append(piece)
            else:
                chunks.clear()
        return b"".join(chunks) if size <= limit else None

    def _pieces(self) -> Iterator[bytes]:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            while length := _number(self.rfile.readline(1024).partition(b";")[0], 16):
                yield from self._exactly(length)
                self.rfile.readline(1024)
            while self.rfile.readline(65536).strip():
                pass  # Trailers.
        else:
            yield from self._exactly(_number(self.headers.get("Content-Length", "0"), 10))

    def _exactly(self, length: int) -> Iterator[bytes]:
        while length:
            piece = self.rfile.read(min(length, _PIECE))
            if not piece:
                raise BrokenRequest
            length -= len(piece)
            yield piece


def _number(text: str | bytes, base: int) -> int:
    try:
        number = int(text, base)
    except ValueError:
        raise BrokenRequest from None
    if number < 0:
        raise BrokenRequest
    return number
