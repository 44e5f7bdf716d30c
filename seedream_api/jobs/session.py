"""A session: everything that paid work shares in one process, on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio

from ..config.settings import Settings
from ..downloads.downloader import Downloader
from ..errors import InvalidRequest
from ..ledger.image_store import ImageStore
from ..ledger.ledger import Ledger
from ..ledger.pruning import prune
from ..messages import Text
from ..network.throttle import Throttle
from ..network.url_guard import FetchPolicy, is_local_host, is_public, literal_address, resolve
from ..service.client import SeedreamClient
from ..service.polling import PollThrottle
from ..uploads.uploader import Uploader
from .cancellation import add_interruption

if TYPE_CHECKING:
    from .job import Job

log = logging.getLogger("seedream")

CANCEL_RETRY_S = 5.0
"""How long work that was told to stop may take to write down where it stands."""

CHECK_SHARE = 0.01
"""By this share of its bound the store may outgrow it before anybody looks."""


class Session:
    """Client, ledger, image store, downloads and the work under way; an async context manager.

    Args:
        settings: fixed for the session's life.
        clock: monotonic seconds.
        now: wall-clock seconds, for what people read.

    Raises:
        LedgerFailed: the home folder cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.sleep = sleep
        self.now = now
        self.client = SeedreamClient(settings, clock=clock, sleep=sleep)
        self.look = PollThrottle(self.client.get_task, clock=clock, sleep=sleep)
        """One look at a task by its id; everybody of this process looks by it."""
        self.ledger: Ledger
        self.store: ImageStore
        self.downloader: Downloader
        self.uploader = Uploader(self)
        self.running_jobs: dict[str, Job] = {}
        """By fingerprint or task id: what is being worked on in this process."""
        self.on_change: Callable[[Job], None] | None = None
        """Told whenever a work of this session has moved its row or made progress."""
        self.is_closing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: asyncio.Future[None] | None = None
        self._responses: asyncio.Future[None] | None = None
        self._service_is_private: bool | None = None
        self._bytes_since_check = float("inf")
        """Bytes that may have come into the store since it was weighed."""

    async def __aenter__(self) -> Session:
        if self._loop is not None:
            raise InvalidRequest("session_used")
        self._loop = asyncio.get_running_loop()
        self.ledger = await asyncio.to_thread(Ledger, self.settings.home, now=self.now)
        try:
            await self._open()
        except BaseException:
            # Nobody will close it: an owner that nobody is would count as alive.
            await asyncio.shield(asyncio.to_thread(self.ledger.close))
            raise
        return self

    def check_usable(self) -> None:
        """Refuse work that could not end: its response would find no loop to read it.

        Raises:
            InvalidRequest: the session is not open, was closed, or belongs to another event loop.
        """
        if self._loop is None:
            raise InvalidRequest("session_not_open")
        if self._loop is not asyncio.get_running_loop():
            raise InvalidRequest("session_other_loop")
        if self.is_closing:
            raise InvalidRequest("session_used")

    async def _open(self) -> None:
        self.store = ImageStore(self.settings.home, self.ledger.owner)
        await asyncio.to_thread(self.store.sweep, self.ledger.is_owner_alive)
        await self.client.__aenter__()
        host = urlsplit(self.client.base_url).hostname
        self.downloader = Downloader(
            self.client.transport,
            throttle=Throttle(
                int(self.settings.number("SEEDREAM_MAX_DOWNLOADS")),
                clock=self.clock,
                sleep=self.sleep,
            ),
            clock=self.clock,
            sleep=self.sleep,
            service_host=host,
        )

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self, *, patience_s: float | None = None) -> None:
        """End the work under way and release everything; closing twice is allowed.

        What was sent is kept: its response is waited for and written down, and what was not sent
        yet is withdrawn. A cancellation ends that wait; then the outcome of what is unanswered is
        unknown, which the ``CancelledError`` says.

        Args:
            patience_s: how long to wait for responses; by default for as long as each request does.
        """
        self.is_closing = True
        if self._loop is not None and self._loop.is_closed():
            # Its tasks and connections ended with it; the ledger must not stay owned.
            await asyncio.to_thread(self.ledger.close)
            return
        if self._closing is None:
            self._responses = asyncio.ensure_future(self._wait_for_responses(patience_s))
            self._closing = asyncio.ensure_future(self._close(self._responses))
        sending = self._unanswered_jobs()
        # A cancelled scope of anyio cancels again and again, which is not a person's second wish.
        with anyio.CancelScope(shield=True):
            try:
                await asyncio.shield(self._closing)
            except asyncio.CancelledError as error:
                if self._responses is not None:
                    self._responses.cancel()
                while not self._closing.done():
                    with contextlib.suppress(asyncio.CancelledError):
                        await asyncio.wait({self._closing})
                unanswered = [job for job in sending if job.is_sending]
                if unanswered:
                    add_interruption(error, unanswered[0].cancellation_error())
                raise

    def _unanswered_jobs(self) -> list[Job]:
        return [work for work in self.running_jobs.values() if work.is_sending]

    async def _wait_for_responses(self, patience_s: float | None) -> None:
        """Of a task only its id is waited for: it runs at the service without us."""
        await asyncio.gather(
            *(work.wait_for_response(patience_s) for work in self._unanswered_jobs())
        )

    async def _close(self, responses: asyncio.Future[None]) -> None:
        for work in self.running_jobs.values():
            if not work.is_sending:
                work.task.cancel()
        # A loop that ends cancels every task on it, this one and the wait included.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({responses})
        for work in self._unanswered_jobs():
            log.warning("request %s was cut before its response came", work.row and work.row.id)
        tasks = {job.task for job in self.running_jobs.values()}
        try:
            while tasks:
                for task in tasks:
                    task.cancel()
                # Told again if need be: an answer that comes at the same moment is taken first.
                _, tasks = await asyncio.wait(tasks, timeout=CANCEL_RETRY_S)
            await self.client.__aexit__(None, None, None)
        finally:
            await asyncio.to_thread(self.ledger.close)

    async def prune_if_needed(self, more_bytes: int) -> str | None:
        """Remove the oldest delivered images where the store is over its bound; says so.

        Args:
            more_bytes: what was just stored. Weighing a store of many images takes milliseconds:
                it is done at first, and then once in a hundredth of the bound.
        """
        limit = int(self.settings.number("SEEDREAM_STORE_GB") * 1e9)
        self._bytes_since_check += more_bytes
        if self._bytes_since_check <= limit * CHECK_SHARE:
            return None
        stored = await self.ledger.run(self.ledger.stored_bytes)
        self._bytes_since_check = 0
        if stored <= limit:
            return None
        pruned = await self.ledger.run(prune, self.ledger, self.store, keep_bytes=limit)
        if not pruned.images:
            return None
        return Text("pruned", count=pruned.images, size=f"{pruned.bytes / 1e6:.0f}")

    def workflow_policy(self) -> FetchPolicy:
        """What URLs from workflows and the command line may reach."""
        allowed = self.settings.allowed_hosts
        if self.settings.is_built_in_sandbox:
            # Its own pictures: the sandbox is the service here, at an address of this process.
            allowed |= {urlsplit(self.client.base_url).netloc}
        return FetchPolicy(allowed_hosts=allowed, may_be_private=False)

    async def result_policy(self) -> FetchPolicy:
        """What result URLs of the service may reach: private hosts only if its own host is one."""
        is_private = self._service_is_private
        if is_private is None:
            # A failed look-up says nothing for the next time.
            is_private = self._service_is_private = await self._is_service_private()
        return FetchPolicy(
            allowed_hosts=self.settings.allowed_hosts, may_be_private=bool(is_private)
        )

    async def _is_service_private(self) -> bool | None:
        """Whether the service's own host is a private one; ``None`` where it is not known now."""
        base = urlsplit(self.client.base_url)
        host = base.hostname or ""
        address = literal_address(host)
        if is_local_host(host) or address is not None:
            return address is None or not is_public(address)
        if self.client.transport.proxy_for(self.client.base_url) is not None:
            return False
        try:
            found = await resolve(host, base.port or 443)
        except OSError as error:
            log.debug("the service's host was not resolved: %s", error)
            return None
        return not all(is_public(one) for one in found)
