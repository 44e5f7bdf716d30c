"""One image on its way over all its attempts: judging each answer, keeping the bytes."""

from __future__ import annotations

import re
import time
import zlib
from dataclasses import dataclass

from ..errors import ResultUnavailable
from ..images.media_types import HEAD_BYTES, describe_head, media_type_of
from ..messages import Text
from ..network.retry import DOWNLOADING, RetryPolicy as RetryPolicy, retry_after_s
from ..network.transport import StreamedResponse
from ..network.url_guard import FetchPolicy
from ..redaction import redact, strip_url_secrets
from .decompression import SNIFFED_BYTES, Unpacker, choose_unpacker, is_sealed
from .partial_file import PartialFile

_BUSY = frozenset({202, 408, 425, 429})
_EMPTY = frozenset({204, 205})
_CONTENT_RANGE = re.compile(r"bytes (?:\*|([0-9]{1,18})-[0-9]{1,18})/([0-9]{1,18}|\*)")
_LENGTH = re.compile(r"[0-9]{1,18}")
_STRONG_TAG = re.compile(r'"[!-~]{0,200}"')
_MOST_TIMES_TAKEN = 3
"""Attempts that start over again and again may bring this many times the limit, all together."""


class LinkExpired(ResultUnavailable):
    """What the server has for this link is not the image: a refusal, or something else.

    A fresh link of the same task may work, and so may this one while it is young.
    """


class RetryDownload(Exception):
    """A failure after which another attempt may succeed.

    Args:
        is_body: whether what was sent is at fault: it is the server's last word when it comes the
            same three times.
    """

    def __init__(
        self,
        reason: str,
        *,
        policy: RetryPolicy = DOWNLOADING,
        wait_s: float | None = None,
        hold_back: bool = False,
        is_body: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.policy = policy
        self.wait_s = wait_s
        self.pause_others = hold_back
        self.is_body = is_body


@dataclass
class Transfer:
    """One image on its way, over all its attempts."""

    url: str
    policy: FetchPolicy
    max_bytes: int
    part: PartialFile
    final_url: str = ""
    media_type: str = ""
    validator: str = ""
    """What makes sure that a resumed body is of the same file: a strong ETag, or a date."""
    total: int | None = None
    """Bytes of the whole file, where the server announced them."""
    endless: int | None = None
    """Bytes of a body that came as long as announced, and without the image's end."""
    taken: int = 0
    """Bytes that came in all attempts together."""
    attempts: int = 0

    may_resume: bool = True
    """Whether the server has not given wrong bytes when it was asked for the rest."""
    coding: str = ""
    unpacker: Unpacker | None = None
    packed: int = 0
    """Bytes of a compressed body, before they are unpacked."""
    _first: bytes | None = None
    """The first bytes of a body, until there are enough to tell what it is."""
    _known: bytes = b""
    """Bytes that a resumed body repeats."""

    def failure(self, reason: str) -> ResultUnavailable:
        return ResultUnavailable(
            "download_failed", given=strip_url_secrets(self.url), reason=reason
        )

    def expired(self, reason: str) -> LinkExpired:
        return LinkExpired("download_failed", given=strip_url_secrets(self.url), reason=reason)

    def headers(self) -> dict[str, str]:
        headers = {"Accept": "image/*", "Accept-Encoding": "identity"}
        if self._resumes:
            start = self.part.size - len(self.part.tail)
            headers |= {"Range": f"bytes={start}-", "If-Range": self.validator}
        return headers

    @property
    def _resumes(self) -> bool:
        return bool(self.media_type and self.part.size and self.validator and self.may_resume)

    def check_response(self, response: StreamedResponse) -> None:
        """Let pass only an answer whose body may be the image."""
        status = response.status
        if status in _BUSY or status >= 500:
            wait_s = retry_after_s(response.headers, time.time())
            raise RetryDownload(f"HTTP {status}", wait_s=wait_s, hold_back=status == 429)
        if self._resumes and status in (206, 416):
            return
        reason = f"HTTP {status}"
        if 400 <= status < 500:
            raise LinkExpired(
                "link_dead", given=strip_url_secrets(self.url), http=status, reason=reason
            )
        is_part = status == 206 and _place(response)[0] not in (None, "0")
        if not 200 <= status < 300 or status in _EMPTY or is_part:
            raise self.expired(reason)

    async def begin(self, response: StreamedResponse) -> bool:
        """Whether the body is to be read: from its start, or on from where the last one stopped."""
        if self._resumes and response.status in (206, 416):
            return await self._resume(response)
        if self.part.received:
            await self._start_over()
        self._first, self.unpacker, self.packed = b"", None, 0
        headers = response.headers
        self.coding = headers.get("content-encoding", "")
        tag, date = headers.get("etag", ""), headers.get("last-modified", "")
        self.validator = tag if _STRONG_TAG.fullmatch(tag) else date if date.isascii() else ""
        length = headers.get("content-length", "")
        self.total = int(length) if _LENGTH.fullmatch(length) else None
        whole = _place(response)[1] if response.status == 206 else None
        if whole not in (None, "*"):
            self.total = int(whole)
        if (self.total or 0) > self.max_bytes:
            raise self._too_large()
        return True

    async def _resume(self, response: StreamedResponse) -> bool:
        start, total = _place(response)
        tag = response.headers.get("etag", self.validator)
        same_file = tag == self.validator or not self.validator.startswith('"')
        if total not in (None, "*"):
            same_file = same_file and self.total in (None, int(total))
            self.total = int(total)
        known = self.part.tail
        if response.status == 206 and same_file and start == str(self.part.size - len(known)):
            self._known = known
            return True
        if response.status == 416 and same_file and self.total == self.part.size:
            return False  # nothing is missing: only the end of the last answer was
        raise await self._misled()

    async def write_chunk(self, chunk: bytes) -> None:
        self.taken += len(chunk)
        if self.taken > _MOST_TIMES_TAKEN * self.max_bytes:
            raise self.failure(Text("restarts"))
        if self._known:
            known, self._known = self._known[: len(chunk)], self._known[len(chunk) :]
            if not chunk.startswith(known):
                raise await self._misled()
            chunk = chunk[len(known) :]
        if self._first is not None:
            self._first += chunk
            if len(self._first) >= SNIFFED_BYTES:
                await self._write_first()
        else:
            await self._unpack(chunk)

    async def _write_first(self) -> None:
        first, self._first = self._first or b"", None
        if is_sealed(first, self.coding):
            raise self.failure(Text("compressed", coding=redact(self.coding)[:40]))
        self.unpacker = choose_unpacker(first, self.coding)
        if self.unpacker is not None:
            self.validator = ""  # a place in the packed bytes is none in the file
        await self._unpack(first)

    async def _unpack(self, chunk: bytes) -> None:
        if self.unpacker is None:
            await self._keep(chunk)
            return
        self.packed += len(chunk)
        try:
            for piece in self.unpacker.feed(chunk):
                await self._keep(piece)
        except zlib.error:
            raise RetryDownload(Text("compression_damaged"), is_body=True) from None

    async def _keep(self, piece: bytes) -> None:
        if self.part.received + len(piece) > self.max_bytes:
            raise self._too_large()
        await self.part.write_chunk(piece)
        head = self.part.head
        if not self.media_type and (len(head) >= HEAD_BYTES or media_type_of(head)):
            self._recognise()

    async def end(self) -> None:
        """Refuse a body that ended before the image did."""
        if self._first is not None:
            await self._write_first()
        if not self.part.received:
            raise RetryDownload(Text("response_empty"), is_body=True)
        if not self.media_type:
            self._recognise()
        came = self.packed if self.unpacker else self.part.received
        if self.total not in (None, came) or (self.unpacker and not self.unpacker.is_done):
            if self.total is not None and came > self.total:
                raise await self._misled()
            raise RetryDownload(Text("image_cut"), is_body=True)
        # A server that says the same twice means it: some programs write no end mark.
        came_twice = self.endless == self.part.received
        if await self.part.is_cut(self.media_type, length_known=came_twice):
            self.endless = None if self.total is None else self.part.received
            self.total = None  # it was announced too small
            raise RetryDownload(Text("image_without_end"), is_body=True)

    async def is_whole(self) -> bool:
        """Whether the image's own end has come, whatever became of the response around it."""
        if not self.part.received:
            return False
        self.media_type = self.media_type or media_type_of(self.part.head) or ""
        return await self.part.has_end(self.media_type)

    def _recognise(self) -> None:
        head = self.part.head
        self.media_type = media_type_of(head) or ""
        if not self.media_type:
            given = strip_url_secrets(self.url)
            raise LinkExpired("download_no_image", given=given, kind=describe_head(head))

    async def _start_over(self) -> None:
        self.media_type, self.validator, self.total, self._known = "", "", None, b""
        await self.part.empty()

    async def _misled(self) -> RetryDownload:
        self.may_resume = False
        await self._start_over()
        return RetryDownload(Text("wrong_range"))

    def _too_large(self) -> ResultUnavailable:
        given = strip_url_secrets(self.url)
        return ResultUnavailable("download_too_large", given=given, allowed=self.max_bytes)


def _place(response: StreamedResponse) -> tuple[str | None, str | None]:
    """First byte and whole length by ``Content-Range``, where it gives them."""
    place = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", "").strip())
    return (place[1], place[2]) if place else (None, None)
