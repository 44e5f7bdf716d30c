"""What is open in a session: its resources and its running jobs, on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable
from types import TracebackType

import anyio
from typing_extensions import Self

from ..callbacks import call_back
from ..config.settings import Settings
from ..errors import InvalidRequest
from ..ledger.ledger import Ledger
from ..network.clock import Clock
from ..service.client import SeedreamClient
from .cancellation import add_interruption, cancellation_error
from .job import Job
from .profiles import Profiles
from .resources import Resources, open_resources
from .sources import JobSource

log: logging.Logger = logging.getLogger("seedream")

CANCEL_RETRY_S = 5.0
"""How long a cancelled job may take to write down where it stands."""


class SessionBase:
    """Open resources and running jobs; see :class:`seedream_api.Session`.

    The functions of the engine take this class. ``Session`` adds the methods that call them, and so
    imports them; one class for both would be a circle of imports.

    Args:
        settings: fixed for the session's lifetime.
    """

    resources: Resources
    """Those of the session's own profile; set when the session is opened."""
    profiles: Profiles
    """The resources of each profile; set when the session is opened."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self._clock = clock
        self.run: str = uuid.uuid4().hex
        """Names the run of every request that does not name another one."""
        self.running_jobs: dict[str, Job] = {}
        """The running jobs by key: a fingerprint, or a task or row with its prefix."""
        self.on_change: Callable[[Job], None] | None = None
        """Called whenever the row of a job has changed or made progress."""
        self.is_closing: bool = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: asyncio.Future[None] | None = None
        self._responses: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        if self._loop is not None:
            raise InvalidRequest("session_used")
        self._loop = asyncio.get_running_loop()
        self.resources = await open_resources(self.settings, self._clock)
        self.profiles = Profiles(self.resources)
        return self

    @property
    def client(self) -> SeedreamClient:
        return self.resources.client

    @property
    def ledger(self) -> Ledger:
        return self.resources.ledger

    def check_usable(self) -> None:
        """Check that the session can start jobs on the running event loop.

        Raises:
            InvalidRequest: the session is not open, was closed, or belongs to another event loop.
        """
        if self._loop is None:
            raise InvalidRequest("session_not_open")
        if self._loop is not asyncio.get_running_loop():
            raise InvalidRequest("session_other_loop")
        if self.is_closing:
            raise InvalidRequest("session_used")

    def create_job(self, source: JobSource, timeout_s: float, resources: Resources) -> Job:
        """Create a job of this session; :func:`runner.start` starts it."""
        return Job(
            resources,
            source,
            timeout_s=timeout_s,
            on_change=self._report_change,
            is_closing=lambda: self.is_closing,
        )

    def _report_change(self, job: Job) -> None:
        if self.on_change is not None:
            call_back(self.on_change, job)

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self, *, patience_s: float | None = None) -> None:
        """End all jobs and release the resources; closing twice is allowed.

        Requests that were not sent are withdrawn. The responses of those that were sent are waited
        for and recorded; a cancellation ends this wait, and a note on the ``CancelledError`` says
        that their outcome is unknown.

        Args:
            patience_s: seconds to wait for responses; by default as long as each request waits.
        """
        self.is_closing = True
        if self._loop is not None and self._loop.is_closed():
            # Tasks and connections ended with the loop; only the ledger is still owned.
            await asyncio.to_thread(self.ledger.close)
            return
        if self._closing is None:
            self._responses = asyncio.ensure_future(self._wait_for_responses(patience_s))
            self._closing = asyncio.ensure_future(self._close(self._responses))
        sending = self._unanswered_jobs()
        # A cancelled scope of anyio cancels repeatedly, which must not count as a second Ctrl-C.
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
                    add_interruption(error, cancellation_error(unanswered[0]))
                raise

    def _unanswered_jobs(self) -> list[Job]:
        return [job for job in self.running_jobs.values() if job.is_sending]

    async def _wait_for_responses(self, patience_s: float | None) -> None:
        """Wait for responses; of a task only the id, as the service completes it regardless."""
        await asyncio.gather(
            *(job.wait_for_response(patience_s) for job in self._unanswered_jobs())
        )

    async def _close(self, responses: asyncio.Future[None]) -> None:
        for job in self.running_jobs.values():
            if not job.is_sending:
                job.task.cancel()
        # A loop that shuts down cancels all its tasks, including this one and the wait.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({responses})
        for job in self._unanswered_jobs():
            log.warning("request %s was cut before its response came", job.row and job.row.id)
        tasks = {job.task for job in self.running_jobs.values()}
        try:
            while tasks:
                for task in tasks:
                    task.cancel()
                # A response that arrives at the same moment swallows the cancellation: retry it.
                _, tasks = await asyncio.wait(tasks, timeout=CANCEL_RETRY_S)
            await self.profiles.disconnect()
        finally:
            await self.resources.close()
