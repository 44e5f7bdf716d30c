"""Download images from untrusted URLs, streamed and within limits.

What a server announces counts only where it ends a download earlier. The first bytes decide what a
file is, never its Content-Type. An interrupted download resumes where it stopped.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urljoin

from ..errors import InvalidRequest, NotSent, ReadFailed, UnsafeURL
from ..messages import Text, rewrite, text_of
from ..network.clock import REAL, Clock
from ..network.retry import CONNECTING
from ..network.tasks import cancel_and_wait
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
from .retries import DownloadRetries
from .transfer import LinkExpired as LinkExpired, RetryDownload, Transfer

log: logging.Logger = logging.getLogger("seedream")

MAX_BYTES = 200 * 1024 * 1024
"""Limit of one image: 36 megapixels of RGBA noise as PNG stay below it."""
MAX_REDIRECTS = 5
READ_TIMEOUT_S = 30.0
STALL_WINDOW_S = 60.0
STALL_BYTES = 64 * 1024
"""A server that sends less than this in ``STALL_WINDOW_S`` has stalled."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class Download:
    """A whole image file on disk."""

    path: Path
    bytes: int
    sha256: str
    media_type: str
    seconds: float
    """Spent in attempts, without the waits before and between them."""
    final_url: str = field(repr=False)


class Downloader:
    """Fetches images; one per process, so that its limits hold for all of them.

    Args:
        throttle: limits how many downloads run at once; a 429 pauses all of them.
        clock: of the pauses between attempts.
        attempt_clock: of the attempts themselves, which take real time even where pauses do not.
        resolver: resolves host names; runs in a thread.
        service_host: the service's public host. If it resolves into 198.18.0.0/15, a TUN proxy is
            active, and such addresses lead to the public internet.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        throttle: Throttle,
        clock: Clock = REAL,
        attempt_clock: Clock = REAL,
        resolver: Resolver = getaddrinfo,
        service_host: str | None = None,
    ) -> None:
        self._transport = transport
        self._throttle = throttle
        self._clock = clock
        self._attempt_clock = attempt_clock
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
        """Fetch one image into ``target``, which is removed unless it is whole.

        Args:
            deadline_s: seconds for all attempts together, without the waits before and between
                them.
            settle_s: seconds during which a refusal, or a body that is not an image, is not final:
                a new link may not be served everywhere yet.

        Raises:
            InvalidRequest: not an http or https URL.
            UnsafeURL: the policy forbids it or a URL to which it redirects.
            LinkExpired: the server refuses it or sends something other than an image.
            ResultUnavailable: no whole image arrived in time and within ``max_bytes``.
            LedgerFailed: the file cannot be written.
        """
        part = PartialFile(target)
        transfer = Transfer(check_url(encode_blanks(url), field="url"), policy, max_bytes, part)
        try:
            seconds = await self._retry(
                transfer, deadline_s, DownloadRetries(self._clock, settle_s)
            )
            digest = await part.finish()
        except BaseException:
            await part.discard()
            raise
        return Download(target, part.size, digest, transfer.media_type, seconds, transfer.final_url)

    async def _retry(
        self, transfer: Transfer, deadline_s: float, retries: DownloadRetries
    ) -> float:
        """Attempt until the image is whole; return the seconds that the attempts took."""
        spent = 0.0
        while True:
            try:
                async with self._throttle.slot():
                    began = self._attempt_clock.monotonic()
                    try:
                        await self._with_stall_check(transfer, deadline_s, spent)
                    finally:
                        spent += self._attempt_clock.monotonic() - began
                    return spent
            except (RetryDownload, LinkExpired) as error:
                failure = error
            await transfer.part.flush()
            if await transfer.is_whole():
                return spent
            delay = retries.next_delay(transfer, failure)
            if isinstance(failure, LinkExpired):
                if delay is None:
                    raise failure
            elif delay is None or spent >= deadline_s:
                raise transfer.failure(failure.reason)
            elif failure.pause_others:
                self._throttle.pause_for(delay)
            transfer.attempts += 1
            log.info("an image was not fetched whole; trying again in %.1f s", delay)
            await self._clock.sleep(delay)

    async def _with_stall_check(
        self, transfer: Transfer, deadline_s: float, spent_s: float
    ) -> None:
        """Run one attempt until it ends, stalls or reaches the deadline.

        Without ``wait_for``, which may swallow a cancellation before Python 3.12.
        """
        clock = self._attempt_clock
        task = asyncio.ensure_future(self._attempt(transfer))
        ends = clock.monotonic() + deadline_s - spent_s
        try:
            while not task.done():
                taken, left = transfer.taken, ends - clock.monotonic()
                if left <= 0:
                    raise transfer.failure(Text("deadline_passed", seconds=f"{deadline_s:g}"))
                window_s = min(STALL_WINDOW_S, left)
                window = asyncio.ensure_future(clock.sleep(window_s))
                try:
                    await asyncio.wait({task, window}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    window.cancel()
                if not task.done() and left > window_s and transfer.taken - taken < STALL_BYTES:
                    raise RetryDownload(
                        Text("stalled", bytes=STALL_BYTES, seconds=f"{STALL_WINDOW_S:g}")
                    )
            task.result()
        finally:
            await cancel_and_wait(task)  # its exception was raised above, or a cancellation wins

    async def _attempt(self, transfer: Transfer) -> None:
        try:
            await self._follow_redirects(transfer)
        except NotSent as error:
            raise RetryDownload(error.reason, policy=CONNECTING) from None
        except ReadFailed as error:
            raise RetryDownload(error.reason, is_body=error.is_malformed) from None
        except OSError as error:  # a broken TLS record is not wrapped by the transport
            raise RetryDownload(rewrite(text_of(error), redact)) from None

    async def _follow_redirects(self, transfer: Transfer) -> None:
        url = transfer.url
        for _ in range(MAX_REDIRECTS + 1):
            address = await self._resolve(url, transfer)
            async with self._transport.open(
                url, headers=transfer.headers(), read_timeout_s=READ_TIMEOUT_S, address=address
            ) as response:
                if response.status not in _REDIRECTS:
                    transfer.final_url = url
                    await self._receive(transfer, response)
                    return
                location = response.headers.get("location", "")
                if not location:
                    raise transfer.expired(Text("no_location", status=response.status))
                url = _redirect_target(url, location)
        raise transfer.expired(Text("too_many_redirects", count=MAX_REDIRECTS))

    async def _receive(self, transfer: Transfer, response: StreamedResponse) -> None:
        transfer.check_response(response)
        if await transfer.begin(response):
            async for chunk in response.chunks:
                await transfer.write_chunk(chunk)
        await transfer.end()

    async def _resolve(self, url: str, transfer: Transfer) -> str | None:
        # In a thread: on Windows it may resolve names.
        proxied = await asyncio.to_thread(self._transport.find_proxy, url) is not None
        try:
            return await resolve_checked(
                url,
                transfer.policy,
                resolver=self._resolver,
                proxied=proxied,
                fake_range_ok=self._is_behind_tun,
                attempt=transfer.attempts,
            )
        except OSError as error:
            reason = Text("host_unresolved", reason=text_of(error))
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
    """Remove line breaks and tabs and encode other blanks, as browsers do."""
    text = url.strip().translate({9: None, 10: None, 13: None})
    return "".join(quote(one) if one.isspace() else one for one in text)
