"""One image on its way over all its attempts: judging each answer, keeping the bytes."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from .addresses import Policy
from .errors import ResultUnavailable
from .media_types import HEAD_BYTES, kind_of, media_type_of
from .partials import PartialFile
from .redaction import bare_url, scrub
from .retries import DOWNLOADING, retry_after_s
from .retries import Policy as RetryPolicy
from .transport import StreamedAnswer

_DEAD = frozenset({401, 403, 404, 410})
_BUSY = frozenset({408, 425, 429})
_CONTENT_RANGE = re.compile(r"bytes (?:\*|([0-9]{1,18})-[0-9]{1,18})/([0-9]{1,18}|\*)")
_LENGTH = re.compile(r"[0-9]{1,18}")
_STRONG_TAG = re.compile(r'"[!-~]{0,200}"')
_MOST_TIMES_TAKEN = 3
"""Attempts that start over again and again may bring this many times the limit, all together."""


class LinkDead(ResultUnavailable):
    """401, 403, 404 or 410: this link will not work again; a fresh one of the same task may."""


class Again(Exception):
    """A failure after which another attempt may succeed."""

    def __init__(
        self,
        reason: object,
        *,
        policy: RetryPolicy = DOWNLOADING,
        wait_s: float | None = None,
        hold_back: bool = False,
    ) -> None:
        super().__init__(str(reason))
        self.policy = policy
        self.wait_s = wait_s
        self.hold_back = hold_back


@dataclass
class Arrival:
    """One image on its way, over all its attempts."""

    url: str
    policy: Policy
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

    def failed(self, reason: object) -> ResultUnavailable:
        return ResultUnavailable("download_failed", given=bare_url(self.url), reason=reason)

    def headers(self) -> dict[str, str]:
        headers = {"Accept": "image/*", "Accept-Encoding": "identity"}
        if self.part.size and self.validator:
            headers |= {"Range": f"bytes={self.part.size}-", "If-Range": self.validator}
        return headers

    def judge(self, answer: StreamedAnswer) -> None:
        """Let pass only an answer whose body may be the image."""
        status = answer.status
        if status in _DEAD:
            reason = f"HTTP {status}"
            raise LinkDead("link_dead", given=bare_url(self.url), http=status, reason=reason)
        if status in _BUSY or status >= 500:
            wait_s = retry_after_s(answer.headers, time.time())
            raise Again(f"HTTP {status}", wait_s=wait_s, hold_back=status == 429)
        resumed = status in (206, 416) and "Range" in self.headers()
        if status not in (200, 203) and not resumed:
            raise self.failed(f"HTTP {status}")
        coding = answer.headers.get("content-encoding", "").strip().lower()
        if coding not in ("", "identity"):
            # Unpacking is where a few bytes become gigabytes, and images are packed already.
            raise self.failed(f"the server compressed it, unasked ({scrub(coding)[:40]})")

    async def begin(self, answer: StreamedAnswer) -> bool:
        """Whether the body is to be read: from its start, or on from where the last one stopped."""
        if answer.status in (206, 416):
            return await self._go_on(answer)
        if self.part.received:
            await self._start_over()
        headers = answer.headers
        tag, date = headers.get("etag", ""), headers.get("last-modified", "")
        self.validator = tag if _STRONG_TAG.fullmatch(tag) else date if date.isascii() else ""
        length = headers.get("content-length", "")
        self.total = int(length) if _LENGTH.fullmatch(length) else None
        if (self.total or 0) > self.max_bytes:
            raise self._too_large()
        return True

    async def _go_on(self, answer: StreamedAnswer) -> bool:
        place = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
        start, total = place.groups() if place else (None, None)
        tag = answer.headers.get("etag", self.validator)
        same_file = tag == self.validator or not self.validator.startswith('"')
        if total not in (None, "*"):
            same_file = same_file and self.total in (None, int(total))
            self.total = int(total)
        if answer.status == 206 and same_file and start == str(self.part.size):
            return True
        if answer.status == 416 and same_file and self.total == self.part.size:
            return False  # nothing is missing: only the end of the last answer was
        await self._start_over()
        raise Again("the server went on at another place")

    async def take(self, chunk: bytes) -> None:
        self.taken += len(chunk)
        if self.part.received + len(chunk) > self.max_bytes:
            raise self._too_large()
        if self.taken > _MOST_TIMES_TAKEN * self.max_bytes:
            raise self.failed("it began again and again and never came whole")
        await self.part.take(chunk)
        if not self.media_type and len(self.part.head) >= HEAD_BYTES:
            self._recognise()

    async def end(self) -> None:
        """Refuse a body that ended before the image did."""
        if not self.part.received:
            raise Again("the answer is empty")
        if not self.media_type:
            self._recognise()
        if self.total not in (None, self.part.received):
            raise Again("the image was cut off")
        # A server that says the same twice means it: some programs write no end mark.
        came_twice = self.endless == self.part.received
        if await self.part.is_cut(self.media_type, length_known=came_twice):
            self.endless = None if self.total is None else self.part.received
            self.total = None  # it was announced too small
            raise Again("the end of the image is missing")

    def _recognise(self) -> None:
        head = self.part.head
        self.media_type = media_type_of(head) or ""
        if not self.media_type:
            given = bare_url(self.url)
            raise ResultUnavailable("download_no_image", given=given, kind=kind_of(head))

    async def _start_over(self) -> None:
        self.media_type, self.validator, self.total = "", "", None
        await self.part.empty()

    def _too_large(self) -> ResultUnavailable:
        given = bare_url(self.url)
        return ResultUnavailable("download_too_large", given=given, allowed=self.max_bytes)
