"""One paid request on its way in this process: its row, who waits for it, what is written down.

A job is an asyncio task of its own, so that no cancellation of a waiter tears it apart. It is
withdrawn when the last waiter leaves before anything was sent; once the first byte has left it
continues, so that what was paid for is written down and fetched. ``runner.py`` runs it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from ..callbacks import call_back, call_first
from ..errors import Charge, Interrupted, InvalidRequest, LedgerFailed, SeedreamError
from ..ledger.records import JobRecord, KeptResponse
from ..ledger.states import State
from ..service.polling import PollSignal
from .resources import Resources
from .results import Origin, Phase, Progress
from .sources import JobSource, KnownTask

if TYPE_CHECKING:
    from ..network.throttle import Slot

log = logging.getLogger("seedream")

WRITE_DOWN_S = 120.0
"""How long writing down a paid response is tried, e.g. on a full disk."""


class Job:
    """A row of the ledger, its waiters, and its progress.

    Args:
        source: where the row comes from; asked again while another process owns it.
        timeout_s: how long to wait for the service.
        on_change: called whenever the row changed its state or made progress.
        is_closing: whether the session is being closed.
    """

    task: asyncio.Task[JobRecord]
    """Set when it is started."""

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
        self.begun = resources.clock()
        self.row: JobRecord | None = None
        self.foreign_row: JobRecord | None = None
        """The row as it was last read while another process works on it."""
        self.origin = Origin.NEW
        self.is_sending = False
        """From just before the first byte until the response is written down."""
        self.was_sent = False
        self.end: SeedreamError | None = None
        """Why there are no images, as soon as that is written down."""
        self.upload_notes: tuple[str, ...] = ()
        self.download_failures: dict[int, SeedreamError] = {}
        self.accepted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done as soon as the task id is written down."""
        self.latest = Progress(Phase.PREPARING, 0.0)
        self.listeners: list[Callable[[Progress], None]] = []
        self._waiters = 0
        self._slot: Slot | None = None
        self.signal = PollSignal(resources.sleep)

    @property
    def polls_once(self) -> bool:
        """Whether the task is polled once instead of being waited for."""
        return isinstance(self.source, KnownTask) and self.source.polls_once

    @property
    def is_typed(self) -> bool:
        """Whether the task's id is only what a person gave."""
        return isinstance(self.source, KnownTask) and self.source.is_typed

    # --- waiters --------------------------------------------------------------------------------

    def add_waiter(self, listener: Callable[[Progress], None] | None) -> None:
        """Count a waiter and report its progress to it.

        Raises:
            InvalidRequest: its listener would have to be awaited; it does not wait then.
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
        """Let a waiter leave. The last one before anything was sent withdraws the request."""
        self._waiters -= 1
        if listener is not None:
            self.listeners.remove(listener)
        if self._waiters == 0 and not self.was_sent and not self.task.done():
            self.task.cancel()
        elif self._waiters == 0 and self._slot is not None:
            self._slot.release()

    def hold_slot(self, slot: Slot) -> None:
        """Keep the slot that the request takes; the last waiter to leave releases it."""
        self._slot = slot

    @property
    def is_unwanted(self) -> bool:
        """Whether no one waits for it, or will."""
        return self._waiters == 0 or self.is_closing()

    def mark_sending(self) -> None:
        """Note that the first byte may leave now: from here on no waiter withdraws the request."""
        self.is_sending = self.was_sent = True

    def mark_not_sent(self) -> None:
        """Note that the service has not accepted the request; it may be withdrawn again."""
        self.is_sending = self.was_sent = False
        if self.is_unwanted:
            self.task.cancel()

    async def wait_for_response(self, patience_s: float | None) -> None:
        """Wait until a task id is written down, images are fetched, or patience has ended."""
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

    def cancellation_error(self) -> SeedreamError:
        """Build the error for a waiter that is cancelled now; an end just met takes precedence."""
        if self.end is not None:
            return self.end
        row = self.current_row
        if row is not None and row.task_id and row.state is State.ACCEPTED:
            return Interrupted("interrupted_task", task_id=row.task_id, charge=Charge.RUNNING)
        if self.is_sending and row is not None and self.task.done():
            # The session was closed before the response arrived.
            unanswered = "interrupted_unanswered"
            return Interrupted(unanswered, charge=Charge.POSSIBLE, entry=row.id)
        if self.is_sending:
            return Interrupted("interrupted_after", charge=Charge.POSSIBLE)
        if self.was_sent:
            return Interrupted("interrupted_stored", charge=Charge.MADE)
        if self.is_sent_elsewhere:
            return Interrupted("interrupted_elsewhere", charge=Charge.POSSIBLE)
        return Interrupted("interrupted_before")

    def report(self, phase: Phase, **details: object) -> None:
        """Report a step to every waiter."""
        seconds = self.resources.clock() - self.begun
        self.latest = Progress(phase, seconds, **details)  # type: ignore[arg-type]
        for listener in tuple(self.listeners):
            call_back(listener, self.latest)
        self._on_change(self)

    # --- writing down ---------------------------------------------------------------------------

    def follow_state(self, row: JobRecord) -> None:
        """Take from a row whether it was sent and whether its task id is known."""
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
        ledger = self.resources.ledger
        moved = await ledger.move(
            row.id,
            state,
            task_id=task_id,
            request_id=error.request_id if error else request_id,
            error=error,
            response=response,
        )
        self._on_change(self)
        return moved

    async def record_end(
        self,
        row: JobRecord,
        state: State,
        error: SeedreamError,
        *,
        task_id: str | None = None,
        response: KeptResponse | None = None,
    ) -> None:
        """Write an end down. One that cannot be written is told all the same."""
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
        """Write an end down and raise it."""
        await self.record_end(row, state, error, response=response)
        self.is_sending = False
        raise error

    async def withdraw(self, row: JobRecord) -> None:
        """Write down that a cancelled request was not sent."""
        await self.record_end(row, State.WITHDRAWN, Interrupted("interrupted_before"))

    async def _return_to_intended(self, row: JobRecord) -> None:
        """A request that was not taken may stand at *sending* all the same: it was stopped while
        that was being written, before the first byte, or its return could not be written."""
        ledger = self.resources.ledger
        if (await ledger.get_record(row.id)).state is State.SENDING:
            await self.record_state(row, State.INTENDED)

    async def keep_writing(
        self, write: Callable[[], Awaitable[JobRecord]], task_id: str | None
    ) -> JobRecord:
        """Try to write for a while: what is to be written was paid for and stands nowhere else.

        Raises:
            LedgerFailed: it could not be written; it carries the task id.
        """
        begun = self.resources.clock()
        while True:
            try:
                return await write()
            except LedgerFailed as failed:
                reason = failed.summary("en")
                log.error("what the service answered is not written down yet: %s", reason)  # noqa: TRY400
                is_hopeless = self.resources.ledger.is_unusable
                if is_hopeless or self.resources.clock() - begun > WRITE_DOWN_S:
                    raise self.unrecorded_error(failed, task_id) from None
                await self.resources.sleep(1.0)

    def unrecorded_error(self, failed: LedgerFailed, task_id: str | None) -> LedgerFailed:
        """A record that failed, in words for somebody who may have paid by then."""
        is_told = failed.may_have_been_charged or self.origin is Origin.STORED
        if is_told or not self.was_sent:
            return failed
        return LedgerFailed(
            "task_unrecorded" if task_id else "answer_unrecorded",
            charge=Charge.POSSIBLE,
            task_id=task_id,
            reason=failed.summary("en"),
            reason_zh=failed.summary("zh"),
        )

    async def release(self, row: JobRecord) -> None:
        """Nobody works on the row any more. If that cannot be written, this process goes on
        owning it, and takes it up again all the same."""
        try:
            await self.resources.ledger.release(row.id)
        except LedgerFailed as failed:
            log.warning("request %s was not let go of: %s", row.id, failed.summary("en"))
        self._on_change(self)
