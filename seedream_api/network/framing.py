"""Parse an HTTP/1.1 response from its bytes, even if its framing is wrong.

A strict parser rejects a paid response for an illegal header line, a wrong length or a missing last
chunk. :class:`ResponseReader` keeps everything after the status line and reports the fault.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from typing import ClassVar

from ..messages import Text

_STATUS_LINE = re.compile(rb"\s*HTTP/\d(?:\.\d+)? +(\d{3})(?!\d)[^\n]*\n", re.IGNORECASE)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_HEADER = re.compile(rb"([^:\s][^:]*?)[ \t]*:(.*)", re.DOTALL)
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[ \t]*(?:;[^\n]*)?\r?\n")
_CHUNK_SIZE_BEGUN = re.compile(rb"[ \t]*[0-9a-fA-F]{0,15}[ \t]*(?:;[^\n]*)?\r?")
_MAX_LINE = 8192
_WITHOUT_BODY = (204, 304)


class Part(enum.Enum):
    """The part of a response that the next byte belongs to."""

    HEAD = enum.auto()
    LENGTH = enum.auto()
    CHUNK_SIZE = enum.auto()
    CHUNK = enum.auto()
    CHUNK_END = enum.auto()
    TRAILERS = enum.auto()
    UNTIL_CLOSE = enum.auto()
    SURPLUS = enum.auto()


class ResponseReader:
    """Collects one response while its bytes arrive.

    Args:
        max_head: bytes after which the headers must have ended.
    """

    def __init__(self, max_head: int = 1024 * 1024) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.body: bytearray = bytearray()
        self.fault: str | None = None
        """What is wrong with the framing."""
        self._part = Part.HEAD
        self._pending = bytearray()
        self._scanned = 0
        self._left = 0
        self._max_head = max_head
        self._is_closed = False
        self._surplus = bytearray()

    @property
    def is_whole(self) -> bool:
        """Whether the announced end of the response was reached."""
        closes_it = self._part is Part.UNTIL_CLOSE and self.fault is None and self._is_closed
        return self._part is Part.SURPLUS or closes_it

    @property
    def is_too_short(self) -> bool:
        """Whether a JSON body reached its announced length before its last bracket."""
        start, end = bytes(self.body[:1]), bytes(self.body[-_MAX_LINE:]).rstrip()[-1:]
        return self._part is Part.SURPLUS and start in (b"{", b"[") and end not in (b"}", b"]")

    def feed(self, data: bytes) -> None:
        """Parse the next bytes; empty ones mean that the connection was closed."""
        if not data:
            self._is_closed = True
        self._pending += data
        while self._pending and self._STEPS[self._part](self):
            pass

    def end(self) -> None:
        """Parse an incomplete head, because no more bytes will arrive."""
        if self._part is Part.HEAD and self._pending:
            self._parse_head(bytes(self._pending))
            self._pending.clear()
            self._part = Part.UNTIL_CLOSE
            self.fault = Text("endless_headers")

    def _feed_head(self) -> bool:
        if self._scanned == 0:
            self._pending = self._pending.lstrip(b"\r\n")
        end = _HEAD_END.search(self._pending, max(0, self._scanned - 3))
        self._scanned = len(self._pending)
        if end is None:
            if self._scanned > self._max_head:
                self.end()
            return False
        self._scanned = 0
        head = bytes(self._pending[: end.end()])
        del self._pending[: end.end()]
        self._parse_head(head)
        if self.status is not None:
            self._part = self._choose_framing(self.status)
        elif self.fault is not None:
            self._part = Part.UNTIL_CLOSE
        return True

    def _parse_head(self, head: bytes) -> None:
        line = _STATUS_LINE.match(head)
        if line is None:
            self.fault = Text("no_status_line")
            return
        status = int(line.group(1))
        if 100 <= status < 200 and status != 101:
            return  # the response itself is still to come
        self.status = status
        lines = re.sub(rb"\r?\n[ \t]+", b" ", head[line.end() :]).split(b"\n")
        for one in lines:
            found = _HEADER.match(one)
            if found:
                name = found.group(1).decode("latin-1").lower()
                value = found.group(2).decode("latin-1").strip()
                known = self.headers.get(name)
                self.headers[name] = value if known is None else f"{known}, {value}"

    def _choose_framing(self, status: int) -> Part:
        if status in _WITHOUT_BODY:
            return Part.SURPLUS
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            return Part.CHUNK_SIZE
        lengths = {text.strip() for text in self.headers.get("content-length", "").split(",")}
        length = lengths.pop()
        if lengths or not (length.isascii() and length.isdigit()):
            return Part.UNTIL_CLOSE
        self._left = int(length)
        return Part.LENGTH if self._left else Part.SURPLUS

    def _feed_body(self, then: Part) -> bool:
        taken = self._pending[: self._left]
        self.body += taken
        del self._pending[: self._left]
        self._left -= len(taken)
        if self._left == 0:
            self._part = then
        return True

    def _feed_length(self) -> bool:
        return self._feed_body(Part.SURPLUS)

    def _feed_chunk(self) -> bool:
        return self._feed_body(Part.CHUNK_END)

    def _feed_chunk_size(self) -> bool:
        line = _CHUNK_SIZE.match(self._pending)
        if line is None:
            if len(self._pending) > _MAX_LINE or not _CHUNK_SIZE_BEGUN.fullmatch(self._pending):
                return self._mark_broken(Text("chunk_without_size"))
            return False
        self._left = int(line.group(1), 16)
        del self._pending[: line.end()]
        self._part = Part.CHUNK if self._left else Part.TRAILERS
        return True

    def _feed_chunk_end(self) -> bool:
        if bytes(self._pending[:2]) == b"\r":
            return False
        for end in (b"\r\n", b"\n"):
            if self._pending.startswith(end):
                del self._pending[: len(end)]
                self._part = Part.CHUNK_SIZE
                return True
        return self._mark_broken(Text("chunk_too_long"))

    def _feed_trailers(self) -> bool:
        line, end, _ = self._pending.partition(b"\n")
        if not end:
            return False
        del self._pending[: len(line) + 1]
        if not line.strip():
            self._part = Part.SURPLUS
        return True

    def _mark_broken(self, fault: str) -> bool:
        self.fault = fault
        self._part = Part.UNTIL_CLOSE
        return True

    def _feed_until_close(self) -> bool:
        if self.status is not None:
            self.body += self._pending
        self._pending.clear()
        return False

    def _feed_surplus(self) -> bool:
        # Some servers send a blank line after a body.
        more = self._pending if self._surplus else self._pending.lstrip(b"\r\n")
        if more and self.status not in _WITHOUT_BODY:
            self._surplus += more
            self.body += more
            self.fault = Text("longer_than_announced")
        self._pending.clear()
        return False

    _STEPS: ClassVar[dict[Part, Callable[[ResponseReader], bool]]] = {
        Part.HEAD: _feed_head,
        Part.LENGTH: _feed_length,
        Part.CHUNK_SIZE: _feed_chunk_size,
        Part.CHUNK: _feed_chunk,
        Part.CHUNK_END: _feed_chunk_end,
        Part.TRAILERS: _feed_trailers,
        Part.UNTIL_CLOSE: _feed_until_close,
        Part.SURPLUS: _feed_surplus,
    }
