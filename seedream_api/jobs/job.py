"""One paid request in progress: its row, its waiters, and what it records.

A job runs in a separate asyncio task, which survives the cancellation of its waiters. If the last
waiter leaves before anything was sent, the request is withdrawn; afterwards the job continues, so
that what was paid for is recorded and downloaded. ``runner.py`` runs it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from ..callbacks import call_back, call_first
from ..errors import Charge, Interrupted, InvalidRequest, LedgerFailed, SeedreamError
from ..kept_response import KeptResponse
from ..ledger.records import JobRecord
from ..ledger.states import State
from ..service.polling import PollSignal
from .resources import Resources
from .results import Origin, Phase, Progress
from .sources import JobSource, KnownRow, KnownTask

if TYPE_CHECKING:
    from ..ledger.limits import Reservation
    from ..network.throttle import Slot

log: logging.Logger = logging.getLogger("seedream")

WRITE_DOWN_S = 120.0
"""For how many seconds recording a paid response is retried, e.g. while the disk is full."""


class Job:
    """A row of the ledger, its waiters, and its progress.

    Args:
        source: claims the row; again and again while another process owns it.
        timeout_s: seconds to wait for the service.
        on_change: called whenever the row has changed or made progress.
        is_closing: returns whether the session is being closed.
    """

    task: asyncio.Task[JobRecord]
    """Set when the job is started."""

    def __init__(
        self,
        resources: Resources,
        source: JobSource,
        *,
        timeout_s: float,
        on_change: Callable[[Job], None],
        is_closing: Callable[[], bool],
    ) -> None:
        self.resources = resources
        self.source = source
        self.timeout_s = timeout_s
        self.is_closing = is_closing
        self._on_change = on_change
        self.begun: float = resources.clock.monotonic()
        self.row: JobRecord | None = None
        self.foreign_row: JobRecord | None = None
        """The row as last read while another process works on it."""
        self.origin = Origin.NEW
        self.is_sending: bool = False
        """True from just before the first byte is sent until the response is recorded."""
        self.was_sent: bool = False
        self.end: SeedreamError | None = None
        """Why there are no images, as soon as that is recorded."""
        self.notes: tuple[str, ...] = ()
        """What this run did that the row does not note."""
        self.download_failures: dict[int, SeedreamError] = {}
        self.accepted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done as soon as the task id is recorded."""
        self.latest: Progress = Progress(Phase.PREPARING, 0.0)
        self.listeners: list[Callable[[Progress], None]] = []
        self._waiters = 0
        self._slot: Slot | None = None
        self.signal: PollSignal = PollSignal(resources.clock)

    @property
    def polls_once(self) -> bool:
        """Whether the task is polled once instead of being waited for."""
        return isinstance(self.source, (KnownTask, KnownRow)) and self.source.polls_once

    @property
    def is_typed(self) -> bool:
        """Whether only the user has stated the task's id."""
        return isinstance(self.source, KnownTask) and self.source.is_typed

    # --- waiters --------------------------------------------------------------------------------

    def add_waiter(self, listener: Callable[[Progress], None] | None) -> None:
        """Add a waiter, and report the latest progress to its listener.

        Raises:
            InvalidRequest: the listener is a coroutine function; the waiter is not added.
        """
        self._waiters += 1
        if listener is None:
            return
        self.listeners.append(listener)
        try:
            call_first(listener, self.latest)
        except InvalidRequest:
            self.remove_waiter(listener)
            raise

    def remove_waiter(self, listener: Callable[[Progress], None] | None) -> None:
        """Remove a waiter; if it is the last one and nothing was sent, withdraw the request."""
        self._waiters -= 1
        if listener is not None:
            self.listeners.remove(listener)
        if self._waiters == 0 and not self.was_sent and not self.task.done():
            self.task.cancel()
        elif self._waiters == 0 and self._slot is not None:
            self._slot.release()

    def hold_slot(self, slot: Slot) -> None:
        """Keep the request's slot, which is released when the last waiter leaves."""
        self._slot = slot

    @property
    def is_unwanted(self) -> bool:
        """Whether the job has no waiters, or its session is closing."""
        return self._waiters == 0 or self.is_closing()

    def mark_sending(self) -> None:
        """Note that the first byte may be sent now, so that the request is no longer withdrawn."""
        self.is_sending = self.was_sent = True

    def unmark_sending(self) -> None:
        """Note that no byte left after all: the request may be withdrawn again."""
        self.is_sending = self.was_sent = False

    def mark_not_sent(self) -> None:
        """Note that the service has not accepted the request; it may be withdrawn again."""
        self.unmark_sending()
        if self.is_unwanted:
            self.task.cancel()

    async def wait_for_response(self, patience_s: float | None) -> None:
        """Wait until the task id is recorded or the job ends, at most ``patience_s`` seconds."""
        ends: set[asyncio.Future[object]] = {self.task, self.accepted}  # type: ignore[arg-type]
        await asyncio.wait(ends, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)

    @property
    def current_row(self) -> JobRecord | None:
        """The row, whether this process or another one works on it."""
        return self.row or self.foreign_row

    @property
    def is_sent_elsewhere(self) -> bool:
        """Whether another process has sent the request that is waited for here."""
        row = None if self.row else self.foreign_row
        return row is not None and row.state is not State.INTENDED

    def report(self, phase: Phase, **details: object) -> None:
        """Report a step to every waiter."""
        seconds = self.resources.clock.monotonic() - self.begun
        self.latest = Progress(phase, seconds, **details)  # type: ignore[arg-type]
        row = self.current_row
        log.debug("job %s: %s after %.1f s", row.id if row else "-", phase.value, seconds)
        for listener in tuple(self.listeners):
            call_back(listener, self.latest)
        self._on_change(self)

    # --- records --------------------------------------------------------------------------------

    def follow_state(self, row: JobRecord) -> None:
        """Update from a row whether it was sent and whether its task id is known."""
        self.was_sent = row.state is not State.INTENDED
        if row.state is State.ACCEPTED and not self.accepted.done():
            self.accepted.set_result(None)

    async def record_state(
        self,
        row: JobRecord,
        state: State,
        error: SeedreamError | None = None,
        *,
        task_id: str | None = None,
        request_id: str | None = None,
        response: KeptResponse | None = None,
    ) -> JobRecord:
        """Record a change of state, and report it to the session."""
        ledger = self.resources.ledger
        updated = await ledger.move(
            row.id,
            state,
            task_id=task_id,
            request_id=error.request_id if error else request_id,
            error=error,
            response=response,
        )
        log.debug("job %s: recorded as %s", row.id, state.value)
        self._on_change(self)
        return updated

    async def reserve(self, row: JobRecord, reservation: Reservation) -> None:
        """Record that the request is being sent, and what it may spend.

        Raises:
            LimitReached: a limit does not allow it; the row stays as it is.
        """
        await self.resources.ledger.reserve(row.id, reservation)
        log.debug("job %s: recorded as sending", row.id)
        self._on_change(self)

    async def record_end(
        self,
        row: JobRecord,
        state: State,
        error: SeedreamError,
        *,
        task_id: str | None = None,
        response: KeptResponse | None = None,
    ) -> None:
        """Record an end; log a failure to do so, because the end itself matters more."""
        try:
            if state is State.WITHDRAWN:
                await self._return_to_intended(row)
            self.row = await self.record_state(
                row, state, error, task_id=task_id, response=response
            )
        except LedgerFailed as failed:
            reason = failed.summary("en")
            log.error("the end of request %s was not written down: %s", row.id, reason)  # noqa: TRY400

    async def finish(
        self,
        row: JobRecord,
        state: State,
        error: SeedreamError,
        *,
        response: KeptResponse | None = None,
    ) -> JobRecord:
        """Record an end and raise its error."""
        await self.record_end(row, state, error, response=response)
        self.is_sending = False
        raise error

    async def withdraw(self, row: JobRecord) -> None:
        """Record that a cancelled request was not sent."""
        await self.record_end(row, State.WITHDRAWN, Interrupted("interrupted_before"))

    async def _return_to_intended(self, row: JobRecord) -> None:
        """Return a request that was not accepted from *sending* to *intended*.

        It is still *sending* if it was cancelled before the first byte while that was being
        recorded, or if an earlier attempt to return it failed.
        """
        ledger = self.resources.ledger
        if (await ledger.get_record(row.id)).state is State.SENDING:
            await self.record_state(row, State.INTENDED)

    async def keep_writing(
        self, write: Callable[[], Awaitable[JobRecord]], task_id: str | None
    ) -> JobRecord:
        """Retry a write for ``WRITE_DOWN_S``, as what it records was paid for and exists only here.

        Raises:
            LedgerFailed: the write failed; the error carries the task id.
        """
        begun = self.resources.clock.monotonic()
        while True:
            try:
                return await write()
            except LedgerFailed as failed:
                reason = failed.summary("en")
                log.error("what the service answered is not written down yet: %s", reason)  # noqa: TRY400
                is_hopeless = self.resources.ledger.is_unusable
                if is_hopeless or self.resources.clock.monotonic() - begun > WRITE_DOWN_S:
                    raise self.unrecorded_error(failed, task_id) from None
                await self.resources.clock.sleep(1.0)

    def unrecorded_error(self, failed: LedgerFailed, task_id: str | None) -> LedgerFailed:
        """Convert a ledger error to one that says that the request may have been charged."""
        if failed.may_have_been_charged or self.origin is Origin.STORED or not self.was_sent:
            return failed
        return LedgerFailed(
            "task_unrecorded" if task_id else "answer_unrecorded",
            charge=Charge.POSSIBLE,
            task_id=task_id,
            reason=failed.summary_text,
        )

    async def release(self, row: JobRecord) -> None:
        """Release the row; if that fails, this process still owns it and can claim it again."""
        try:
            await self.resources.ledger.release(row.id)
        except LedgerFailed as failed:
            log.warning("request %s was not let go of: %s", row.id, failed.summary("en"))
        self._on_change(self)
