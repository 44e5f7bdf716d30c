"""Follow the download of one image over all attempts: check responses and keep the bytes."""

from __future__ import annotations

import re
import time
import zlib
from dataclasses import dataclass, field

from ..errors import ResultUnavailable
from ..images.media_types import HEAD_BYTES, describe_head, media_type_of
from ..messages import Text
from ..network.compression import Decompressor
from ..network.retry import DOWNLOADING, RetryPolicy as RetryPolicy, parse_retry_after
from ..network.transport import StreamedResponse
from ..network.url_guard import FetchPolicy
from ..redaction import redact, strip_url_secrets
from .decompression import SNIFFED_BYTES, choose_decompressor, is_unsupported
from .partial_file import PartialFile

_BUSY = frozenset({202, 408, 425, 429})
_EMPTY = frozenset({204, 205})
_CONTENT_RANGE = re.compile(r"bytes (?:\*|([0-9]{1,18})-[0-9]{1,18})/([0-9]{1,18}|\*)")
_LENGTH = re.compile(r"[0-9]{1,18}")
_STRONG_TAG = re.compile(r'"[!-~]{0,200}"')
_MAX_RESTARTS = 3
"""All attempts together may receive this many times the limit of one image."""


class LinkExpired(ResultUnavailable):
    """The server's response for this link is not the image: a refusal, or something else.

    A fresh link of the same task may work, and so may this one while it is new.
    """


class RetryDownload(Exception):
    """A failure after which another attempt may succeed.

    Args:
        pause_others: whether other downloads have to wait too.
        is_body: whether the body is at fault; it is final when it arrives three times in the same
            form.
    """

    def __init__(
        self,
        reason: str,
        *,
        policy: RetryPolicy = DOWNLOADING,
        wait_s: float | None = None,
        pause_others: bool = False,
        is_body: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.policy = policy
        self.wait_s = wait_s
        self.pause_others = pause_others
        self.is_body = is_body


@dataclass
class Transfer:
    """The download of one image, over all its attempts."""

    url: str = field(repr=False)
    policy: FetchPolicy
    max_bytes: int
    part: PartialFile
    final_url: str = field(default="", repr=False)
    media_type: str = ""
    validator: str = ""
    """A strong ETag or a date, which ensures that a resumed body is of the same file."""
    total: int | None = None
    """Bytes of the whole file, where the server announced them."""
    size_without_end: int | None = None
    """Bytes of a body that was as long as announced and lacked the image's end."""
    taken: int = 0
    """Bytes received in all attempts together."""
    attempts: int = 0

    may_resume: bool = True
    """Whether the server has not yet sent wrong bytes for a range."""
    encoding: str = ""
    decompressor: Decompressor | None = None
    packed: int = 0
    """Bytes of a compressed body, before decompression."""
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
        """Raise unless the body of the response may be the image."""
        status = response.status
        if status in _BUSY or status >= 500:
            wait_s = parse_retry_after(response.headers, time.time())
            raise RetryDownload(f"HTTP {status}", wait_s=wait_s, pause_others=status == 429)
        if self._resumes and status in (206, 416):
            return
        reason = f"HTTP {status}"
        if 400 <= status < 500:
            raise LinkExpired(
                "link_dead", given=strip_url_secrets(self.url), http=status, reason=reason
            )
        is_part = status == 206 and _parse_content_range(response)[0] not in (None, "0")
        if not 200 <= status < 300 or status in _EMPTY or is_part:
            raise self.expired(reason)

    async def begin(self, response: StreamedResponse) -> bool:
        """Prepare for the body, or for the rest of it; return whether it has to be read."""
        if self._resumes and response.status in (206, 416):
            return await self._resume(response)
        if self.part.received:
            await self._start_over()
        self._first, self.decompressor, self.packed = b"", None, 0
        headers = response.headers
        self.encoding = headers.get("content-encoding", "")
        tag, date = headers.get("etag", ""), headers.get("last-modified", "")
        self.validator = tag if _STRONG_TAG.fullmatch(tag) else date if date.isascii() else ""
        length = headers.get("content-length", "")
        self.total = int(length) if _LENGTH.fullmatch(length) else None
        whole = _parse_content_range(response)[1] if response.status == 206 else None
        if whole not in (None, "*"):
            self.total = int(whole)
        if (self.total or 0) > self.max_bytes:
            raise self._too_large()
        return True

    async def _resume(self, response: StreamedResponse) -> bool:
        start, total = _parse_content_range(response)
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
            return False  # the file is complete: only the end of the last response was missing
        raise await self._restart()

    async def write_chunk(self, chunk: bytes) -> None:
        self.taken += len(chunk)
        if self.taken > _MAX_RESTARTS * self.max_bytes:
            raise self.failure(Text("restarts"))
        if self._known:
            known, self._known = self._known[: len(chunk)], self._known[len(chunk) :]
            if not chunk.startswith(known):
                raise await self._restart()
            chunk = chunk[len(known) :]
        if self._first is not None:
            self._first += chunk
            if len(self._first) >= SNIFFED_BYTES:
                await self._write_first()
        else:
            await self._decompress(chunk)

    async def _write_first(self) -> None:
        first, self._first = self._first or b"", None
        if is_unsupported(first, self.encoding):
            raise self.failure(Text("compressed", coding=redact(self.encoding)[:40]))
        self.decompressor = choose_decompressor(first, self.encoding)
        if self.decompressor is not None:
            self.validator = ""  # a position in compressed bytes does not match the file
        await self._decompress(first)

    async def _decompress(self, chunk: bytes) -> None:
        if self.decompressor is None:
            await self._write(chunk)
            return
        self.packed += len(chunk)
        try:
            for piece in self.decompressor.feed(chunk):
                await self._write(piece)
        except zlib.error:
            raise RetryDownload(Text("compression_damaged"), is_body=True) from None

    async def _write(self, piece: bytes) -> None:
        if self.part.received + len(piece) > self.max_bytes:
            raise self._too_large()
        await self.part.write_chunk(piece)
        head = self.part.head
        if not self.media_type and (len(head) >= HEAD_BYTES or media_type_of(head)):
            self._detect_type()

    async def end(self) -> None:
        """Raise unless the body ended with the image."""
        if self._first is not None:
            await self._write_first()
        if not self.part.received:
            raise RetryDownload(Text("response_empty"), is_body=True)
        if not self.media_type:
            self._detect_type()
        received = self.packed if self.decompressor else self.part.received
        if self.total not in (None, received) or (
            self.decompressor and not self.decompressor.is_done
        ):
            if self.total is not None and received > self.total:
                raise await self._restart()
            raise RetryDownload(Text("image_cut"), is_body=True)
        # The same body twice is final: some programs write no end mark.
        is_repeated = self.size_without_end == self.part.received
        if await self.part.is_cut(self.media_type, length_known=is_repeated):
            self.size_without_end = None if self.total is None else self.part.received
            self.total = None  # the announced size was too small
            raise RetryDownload(Text("image_without_end"), is_body=True)

    async def is_whole(self) -> bool:
        """Whether the end of the image has arrived, however its response ended."""
        if not self.part.received:
            return False
        self.media_type = self.media_type or media_type_of(self.part.head) or ""
        return await self.part.has_end(self.media_type)

    def _detect_type(self) -> None:
        head = self.part.head
        self.media_type = media_type_of(head) or ""
        if not self.media_type:
            given = strip_url_secrets(self.url)
            raise LinkExpired("download_no_image", given=given, kind=describe_head(head))

    async def _start_over(self) -> None:
        self.media_type, self.validator, self.total, self._known = "", "", None, b""
        await self.part.empty()

    async def _restart(self) -> RetryDownload:
        self.may_resume = False
        await self._start_over()
        return RetryDownload(Text("wrong_range"))

    def _too_large(self) -> ResultUnavailable:
        given = strip_url_secrets(self.url)
        return ResultUnavailable("download_too_large", given=given, allowed=self.max_bytes)


def _parse_content_range(response: StreamedResponse) -> tuple[str | None, str | None]:
    """Read the first byte and the whole length from ``Content-Range``, where it has them."""
    found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", "").strip())
    return (found[1], found[2]) if found else (None, None)
