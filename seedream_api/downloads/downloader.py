"""Bounded, streamed, guarded fetch of images from URLs that nobody vouches for.

What a server announces is believed only where it makes us stop earlier. The first bytes decide what
a file is, never its Content-Type. An interrupted download goes on where it stopped.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urljoin

from ..errors import InvalidRequest, NotSent, ReadFailed, UnsafeURL
from ..messages import Text
from ..network.retry import CONNECTING, NEW_LINK, RetryBudget
from ..network.throttle import Throttle
from ..network.transport import StreamedResponse, Transport
from ..network.url_guard import (
    FetchPolicy,
    Resolver,
    check_url,
    getaddrinfo,
    is_fake,
    resolve,
    resolve_checked,
)
from ..redaction import redact, strip_url_secrets
from .partial_file import PartialFile
from .transfer import LinkExpired as LinkExpired, RetryDownload, Transfer

MAX_BYTES = 200 * 1024 * 1024
"""Of one image: 36 megapixels of RGBA noise as PNG stay below this."""
MAX_REDIRECTS = 5
READ_TIMEOUT_S = 30.0
STALL_WINDOW_S = 60.0
STALL_BYTES = 64 * 1024
"""A server that sends less than this in ``STALL_WINDOW_S`` is taken for dead."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_GONE_FOR_GOOD = frozenset({410, 451})
_MOST_EQUAL = 3
"""A body that is at fault is taken for meant when it comes the same so many times."""


@dataclass(frozen=True)
class Download:
    """A whole image file, on the disk."""

    path: Path
    bytes: int
    sha256: str
    media_type: str
    seconds: float
    """Spent in attempts; waiting for a place, and between attempts, is not in it."""
    final_url: str = field(repr=False)


@dataclass(frozen=True)
class Timing:
    """How time is kept while bytes are awaited: the network's own, unless a test passes another."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class _Retries:
    """Decides when a download is tried again.

    Args:
        settle_s: see :meth:`Downloader.fetch`.
    """

    def __init__(self, clock: Callable[[], float], settle_s: float) -> None:
        self._clock = clock
        self._settled_at = clock() + settle_s
        self._patience = RetryBudget(clock)
        self._furthest = 0
        self._last: tuple[str, int, int] = ("", 0, 0)
        self._taken = self._equal = 0

    def pause(self, job: Transfer, failure: RetryDownload | LinkExpired) -> float | None:
        """Seconds until the next attempt, ``None`` where there is none."""
        if job.part.size > self._furthest:
            # A line that breaks but moves on is worth more patience than one that is dead.
            self._furthest, self._patience = job.part.size, RetryBudget(self._clock)
        if isinstance(failure, LinkExpired):
            is_final = failure.http_status in _GONE_FOR_GOOD
            return None if is_final else self._while_young()
        fault = (str(failure), job.part.size, job.taken - self._taken)
        self._equal = self._equal + 1 if fault == self._last else 1
        self._last, self._taken = fault, job.taken
        if failure.is_body and self._equal >= _MOST_EQUAL:
            return self._while_young()
        return self._patience.next_delay(failure.policy, failure.wait_s)

    def _while_young(self) -> float | None:
        """Seconds until a link is tried again that gives no image yet."""
        pause = self._patience.next_delay(NEW_LINK)
        is_late = pause is None or self._clock() + pause > self._settled_at
        return None if is_late else pause


class Downloader:
    """Fetches images; one for a process, so that its limits hold for all of them.

    Args:
        gate: how many downloads run at once; a 429 holds all of them back.
        clock: monotonic seconds; with ``sleep`` for the pauses between attempts.
        timing: of the attempts themselves.
        resolver: looks names up; runs in a thread.
        service_host: the service's own public host. Where it resolves into 198.18.0.0/15, a TUN
            proxy is at work, and such addresses stand for the public internet.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        throttle: Throttle,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        timing: Timing = Timing(),
        resolver: Resolver = getaddrinfo,
        service_host: str | None = None,
    ) -> None:
        self._transport = transport
        self._throttle = throttle
        self._clock = clock
        self._sleep = sleep
        self._timing = timing
        self._resolver = resolver
        self._service_host = service_host
        self._fake_range_ok = False

    async def fetch(
        self,
        url: str,
        target: Path,
        *,
        policy: FetchPolicy,
        max_bytes: int = MAX_BYTES,
        deadline_s: float = 300.0,
        settle_s: float = 0.0,
    ) -> Download:
        """Fetch one image into ``target``, which is removed again unless it is whole.

        Args:
            deadline_s: seconds for all attempts together; time spent waiting for a place at the
                gate, or between attempts, is not counted.
            settle_s: for how long the server's refusals, and what it sends in place of the image,
                are not final: a new link may not be served everywhere yet.

        Raises:
            InvalidRequest: it is no http or https URL.
            UnsafeURL: the policy forbids it, or a place to which it redirects.
            LinkDead: the server refuses it, or sends something else than an image.
            ResultUnavailable: it gave no whole image in time and within ``max_bytes``.
            LedgerFailed: the disk did not take it.
        """
        part = PartialFile(target)
        job = Transfer(check_url(encode_blanks(url), field="url"), policy, max_bytes, part)
        try:
            seconds = await self._retry(job, deadline_s, _Retries(self._clock, settle_s))
            digest = await part.finish()
        except BaseException:
            await part.discard()
            raise
        return Download(target, part.size, digest, job.media_type, seconds, job.final_url)

    async def _retry(self, job: Transfer, deadline_s: float, retries: _Retries) -> float:
        """Attempt until the image is whole; gives the seconds that the attempts took."""
        spent = 0.0
        while True:
            try:
                async with self._throttle.slot():
                    began = self._timing.clock()
                    try:
                        await self._with_stall_check(job, deadline_s, spent)
                    finally:
                        spent += self._timing.clock() - began
                    return spent
            except (RetryDownload, LinkExpired) as error:
                failure = error
            await job.part.flush()
            if await job.is_whole():
                return spent
            pause = retries.pause(job, failure)
            if isinstance(failure, LinkExpired):
                if pause is None:
                    raise failure
            elif pause is None or spent >= deadline_s:
                raise job.failure(failure.reason)
            elif failure.pause_others:
                self._throttle.pause_for(pause)
            job.attempts += 1
            await self._sleep(pause)

    async def _with_stall_check(self, job: Transfer, deadline_s: float, spent_s: float) -> None:
        """An attempt, for as long as bytes keep coming and the deadline is not over.

        No ``wait_for``: before Python 3.12 it may swallow a cancellation.
        """
        timing = self._timing
        task = asyncio.ensure_future(self._attempt(job))
        ends = timing.clock() + deadline_s - spent_s
        try:
            while not task.done():
                taken, left = job.taken, ends - timing.clock()
                if left <= 0:
                    raise job.failure(Text("deadline_passed", seconds=f"{deadline_s:g}"))
                window_s = min(STALL_WINDOW_S, left)
                window = asyncio.ensure_future(timing.sleep(window_s))
                try:
                    await asyncio.wait({task, window}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    window.cancel()
                if not task.done() and left > window_s and job.taken - taken < STALL_BYTES:
                    raise RetryDownload(
                        Text("stalled", bytes=STALL_BYTES, seconds=f"{STALL_WINDOW_S:g}")
                    )
            task.result()
        finally:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                task.exception()  # seen already, or of no interest after a cancellation

    async def _attempt(self, job: Transfer) -> None:
        try:
            await self._follow_redirects(job)
        except NotSent as error:
            raise RetryDownload(error.reason, policy=CONNECTING) from None
        except ReadFailed as error:
            raise RetryDownload(error.reason, is_body=error.is_malformed) from None
        except OSError as error:  # a broken TLS record comes through as it is
            raise RetryDownload(redact(str(error))) from None

    async def _follow_redirects(self, job: Transfer) -> None:
        url = job.url
        for _ in range(MAX_REDIRECTS + 1):
            address = await self._address(url, job)
            async with self._transport.open(
                url, headers=job.headers(), read_timeout_s=READ_TIMEOUT_S, address=address
            ) as answer:
                if answer.status not in _REDIRECTS:
                    job.final_url = url
                    await self._receive(job, answer)
                    return
                location = answer.headers.get("location", "")
                if not location:
                    raise job.expired(Text("no_location", status=answer.status))
                url = _redirect_target(url, location)
        raise job.expired(Text("too_many_redirects", count=MAX_REDIRECTS))

    async def _receive(self, job: Transfer, response: StreamedResponse) -> None:
        job.check_response(response)
        if await job.begin(response):
            async for chunk in response.chunks:
                await job.write_chunk(chunk)
        await job.end()

    async def _address(self, url: str, job: Transfer) -> str | None:
        # In a thread: on Windows it may look names up.
        proxied = await asyncio.to_thread(self._transport.proxy_for, url) is not None
        try:
            return await resolve_checked(
                url,
                job.policy,
                resolver=self._resolver,
                proxied=proxied,
                fake_range_ok=self._is_behind_tun,
                turn=job.attempts,
            )
        except OSError as error:
            reason = Text("host_unresolved", reason=error.strerror or error)
            raise RetryDownload(reason, policy=CONNECTING) from None

    async def _is_behind_tun(self) -> bool:
        if not self._fake_range_ok and self._service_host:
            try:
                found = await resolve(self._service_host, 443, resolver=self._resolver)
            except OSError:
                return False
            self._fake_range_ok = all(is_fake(address) for address in found)
        return self._fake_range_ok


def _redirect_target(url: str, location: str) -> str:
    try:
        return check_url(encode_blanks(urljoin(url, location)), field="url")
    except UnsafeURL:
        raise
    except (InvalidRequest, ValueError):
        reason = Text("redirect_not_http")
        raise UnsafeURL("url_malformed", given=strip_url_secrets(url), reason=reason) from None


def encode_blanks(url: str) -> str:
    """As browsers read it: line breaks and tabs are left out, other blanks encoded."""
    text = url.strip().translate({9: None, 10: None, 13: None})
    return "".join(quote(one) if one.isspace() else one for one in text)
