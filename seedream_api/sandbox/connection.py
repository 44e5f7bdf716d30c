"""One HTTP/1.1 connection: reads whole requests and sends replies."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar
from urllib.parse import urlsplit

from .exchange import HttpRequest, Reply, parse_json

LOG = logging.getLogger("seedream.sandbox")

IDLE_SECONDS = 120
"""How long a kept-alive connection may be silent."""
DRAINED_BYTES = 128 * 1024 * 1024
"""How much of a body over the limit is read, so that the client reads the error, not a reset."""
_CHUNK = 256 * 1024


class BrokenRequest(Exception):
    """The request's body cannot be read to its end."""


class Connection(BaseHTTPRequestHandler):
    """Passes itself to ``serve`` for each request."""

    protocol_version = "HTTP/1.1"
    server_version = "seedream-sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout: ClassVar[float | None] = IDLE_SECONDS

    def __init__(self, serve: Callable[[Connection], None], *args: Any) -> None:
        self._serve_request = serve
        super().__init__(*args)

    @property
    def target(self) -> str:
        """Path and query, also if the request line has a whole URL (as for a proxy)."""
        parts = urlsplit(self.path)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def handle(self) -> None:
        """Serve the connection until the client closes it."""
        try:
            super().handle()
        except (ConnectionError, BrokenRequest, TimeoutError) as error:
            LOG.debug("connection ended: %s", type(error).__name__)

    def log_message(self, format: str, *args: Any) -> None:
        """Log at debug level, never to stderr."""
        LOG.debug(format, *args)

    def read_request(self, limit: int) -> HttpRequest:
        """Read the body; over ``limit`` bytes the request is marked ``too_long``.

        Raises:
            BrokenRequest: the body ends early, or its length is not valid.
        """
        chunks: list[bytes] = []
        size = 0
        for chunk in self._read_chunks():
            size += len(chunk)
            if size <= limit:
                chunks.append(chunk)
            elif size > DRAINED_BYTES:
                break
        is_too_long = size > limit
        if is_too_long:
            self.close_connection = True  # Part of the body may be unread.
        body = b"" if is_too_long else b"".join(chunks)
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            known = headers.get(name.lower())
            headers[name.lower()] = f"{known}, {value}" if known else value
        return HttpRequest(self.command, self.target, headers, body, parse_json(body), is_too_long)

    def send(self, reply: Reply) -> None:
        """Send a whole reply."""
        self.start(reply, len(reply.body))
        self.write(reply.body)

    def start(self, reply: Reply, length: int | None) -> None:
        """Send status line and headers; ``length`` None leaves Content-Length out."""
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
        """Send body bytes; none for HEAD."""
        if self.command != "HEAD":
            self.wfile.write(data)

    def _serve(self) -> None:
        self._serve_request(self)

    do_GET = do_POST = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def _read_chunks(self) -> Iterator[bytes]:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            while length := _parse_length(self.rfile.readline(1024).partition(b";")[0], 16):
                yield from self._read_exactly(length)
                self.rfile.readline(1024)
            while self.rfile.readline(65536).strip():
                pass  # Trailers.
        else:
            yield from self._read_exactly(
                _parse_length(self.headers.get("Content-Length", "0"), 10)
            )

    def _read_exactly(self, length: int) -> Iterator[bytes]:
        while length:
            chunk = self.rfile.read(min(length, _CHUNK))
            if not chunk:
                raise BrokenRequest
            length -= len(chunk)
            yield chunk


def _parse_length(text: str | bytes, base: int) -> int:
    try:
        number = int(text, base)
    except ValueError:
        raise BrokenRequest from None
    if number < 0:
        raise BrokenRequest
    return number
