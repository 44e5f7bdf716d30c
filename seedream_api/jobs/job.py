"""One paid request on its way, in this process, and who waits for it.

A :class:`Work` is a task of its own, so that nobody's cancellation tears it apart: waiters come and
go. It is withdrawn when the last waiter leaves before anything was sent; once the first byte has
left it goes on, so that what was paid for is written down and fetched.

Longer than most modules: waiters, road and record act on the same few fields, and in which order
they do is what keeps a request from being paid for twice. That is to be read in one place.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..callbacks import call_back, call_first
from ..errors import (
    Charge,
    Interrupted,
    InvalidRequest,
    LedgerFailed,
    OutcomeUnknown,
    SeedreamError,
    WaitTimedOut,
)
from ..kept_response import KeptResponse
from ..ledger.records import JobRecord
from ..ledger.states import RELEASED_STATES, STORED_STATES, State
from ..service.polling import PollSignal
from .fetch import mark_missing_files
from .results import Origin, Phase, Progress
from .steps import STEPS
from .unclear_responses import confirm, read_again

if TYPE_CHECKING:
    from ..network.throttle import Slot
    from ..service.models import Request
    from ..uploads import UploadTarget
    from .session import Session

log = logging.getLogger("seedream")

OTHER_OWNER_PAUSE_S = 0.25
"""Between two looks at a row that another live process works on."""
WRITE_DOWN_S = 120.0
"""How long an answer that was paid for is kept trying to be written down, e.g. on a full disk."""


@dataclass(frozen=True)
class SubmitPlan:
    """What sending needs; a collected task has none.

    Args:
        way: how pictures travel, ``None`` where every reference is a URL.
    """

    request: Request
    target: UploadTarget | None


class Job:
    """Walks one row of the ledger to its end.

    Args:
        claim: finds or makes the row; called again while another process owns it.
        timeout_s: how long to wait for the service.
        sending: what to send; a collected task has nothing.
        looks_once: look at the task once and raise :class:`WaitTimedOut` if it still runs.
        is_typed: the task's id is only what a person gave; it was never seen to exist.
    """

    def __init__(
        self,
        session: Session,
        claim: Callable[[], Awaitable[JobRecord]],
        *,
        timeout_s: float,
        sending: SubmitPlan | None = None,
        looks_once: bool = False,
        is_typed: bool = False,
    ) -> None:
        self.session = session
        self._claim = claim
        self.timeout_s = timeout_s
        self.plan = sending
        self.polls_once = looks_once
        self.is_typed = is_typed
        self.begun = session.clock()
        self.row: JobRecord | None = None
        self.foreign_row: JobRecord | None = None
        """The row as it stood at the latest look while another process works on it."""
        self.origin = Origin.NEW
        self.is_sending = False
        """From just before the first byte until the answer is written down."""
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
        self._place: Slot | None = None
        self.signal = PollSignal(session.sleep)
        self.task = asyncio.create_task(self._run())

    # --- waiters --------------------------------------------------------------------------------

    def add_waiter(self, listener: Callable[[Progress], None] | None) -> None:
        """A waiter comes.

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
        """A waiter goes. The last one before anything was sent takes the request back."""
        self._waiters -= 1
        if listener is not None:
            self.listeners.remove(listener)
        if self._waiters == 0 and not self.was_sent and not self.task.done():
            self.task.cancel()
        elif self._waiters == 0 and self._place is not None:
            self._place.release()

    def hold_slot(self, place: Slot) -> None:
        """Keep the place that the request takes: it is given up when the last waiter leaves."""
        self._place = place

    @property
    def is_unwanted(self) -> bool:
        """Whether nobody waits for it, or will."""
        return self._waiters == 0 or self.session.is_closing

    def mark_not_sent(self) -> None:
        """The service surely did not accept the request; nobody may be waiting for it any more."""
        self.is_sending = self.was_sent = False
        if self.is_unwanted:
            self.task.cancel()

    async def wait_for_response(self, patience_s: float | None) -> None:
        """Wait until a task id is written down, images are fetched, or patience has ended."""
        ends: set[asyncio.Future[object]] = {self.task, self.accepted}  # type: ignore[arg-type]
        await asyncio.wait(ends, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)

    @property
    def current_row(self) -> JobRecord | None:
        """The row, whether it is worked on here or in another process."""
        return self.row or self.foreign_row

    @property
    def is_sent_elsewhere(self) -> bool:
        """Whether another process has sent the request that is waited for here."""
        row = None if self.row else self.foreign_row
        return row is not None and row.state is not State.INTENDED

    def cancellation_error(self) -> SeedreamError:
        """What to tell a waiter that is cancelled now; an end that it just met is told as such."""
        if self.end is not None:
            return self.end
        row = self.current_row
        if row is not None and row.task_id and row.state is State.ACCEPTED:
            return Interrupted("interrupted_task", task_id=row.task_id, charge=Charge.RUNNING)
        if self.is_sending and row is not None and self.task.done():
            # The session was closed before the response came.
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
        self.latest = Progress(phase, self.session.clock() - self.begun, **details)  # type: ignore[arg-type]
        for listener in tuple(self.listeners):
            call_back(listener, self.latest)
        self._report_change()

    def _report_change(self) -> None:
        if self.session.on_change is not None:
            call_back(self.session.on_change, self)

    # --- the road -------------------------------------------------------------------------------

    async def _run(self) -> JobRecord:
        """Claim the row, then take the next step until it is stored.

        Raises:
            SeedreamError: why there are no images.
        """
        row = await self._acquire_row()
        try:
            row = await self._start_from(row)
            while row.state in STEPS and not self.download_failures:
                self._follow_state(row)
                row = self.row = await STEPS[row.state](self, row)
        except LedgerFailed as failed:
            self.end = self._unrecorded_error(failed, row.task_id)
            raise self.end from None
        except SeedreamError as error:
            self.end = error
            raise
        finally:
            await self._release(row)
        return row

    async def _acquire_row(self) -> JobRecord:
        """My row, or one that is stored; a live owner elsewhere is waited for."""
        while True:
            row = await self._claim_row()
            other = self._find_other_job(row)
            if other is not None and not self.polls_once:
                self.signal.polled_elsewhere()
                self.report(Phase.WAITING, task_id=row.task_id)
                await asyncio.wait({other.task})
            elif other is None and (
                row.owner == self.session.ledger.owner or row.state in STORED_STATES
            ):
                self.row = row
                return row
            elif self.polls_once:
                self.row = row
                raise WaitTimedOut(
                    "wait_timed_out", task_id=row.task_id, word=row.state.value, waited=0
                )
            else:
                self.origin, self.foreign_row = Origin.JOINED, row
                self.signal.polled_elsewhere()
                self.report(Phase.WAITING, task_id=row.task_id)
                await self.session.sleep(OTHER_OWNER_PAUSE_S)

    async def _claim_row(self) -> JobRecord:
        """What ``claim`` finds. Who is cancelled meanwhile lets go of it again: a row of a live
        owner is waited for, and nobody would be working on it."""
        claiming = asyncio.ensure_future(self._claim())
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            await asyncio.wait({claiming})
            if not claiming.cancelled() and claiming.exception() is None:
                row = claiming.result()
                if row.owner == self.session.ledger.owner and self._find_other_job(row) is None:
                    if row.state is State.INTENDED:
                        await self.withdraw(row)
                    await self._release(row)
            raise

    def _find_other_job(self, row: JobRecord) -> Job | None:
        """The work of this process that has this row already: one row, one work."""
        jobs = self.session.running_jobs.values()
        return next((w for w in jobs if w.row and w.row.id == row.id and w is not self), None)

    async def _start_from(self, row: JobRecord) -> JobRecord:
        """What a row that was found means for the same inputs."""
        self._follow_state(row)
        if row.state is State.INTENDED:
            self.origin = Origin.NEW  # also where somebody else, who died, was waited for
            return row
        if self.origin is Origin.NEW:
            self.origin = Origin.STORED if row.state in STORED_STATES else Origin.RESUMED
        if row.state is State.SENDING:
            # Nobody of this process sends it any more, or this work would not have begun.
            crash = OutcomeUnknown("outcome_unknown_crash", entry=row.id)
            return await self.finish(row, State.UNKNOWN, crash)
        if row.state is State.UNKNOWN:
            return await confirm(self, row)
        if row.state in RELEASED_STATES:  # a task that is collected again
            raise row.error or SeedreamError("stored_error", reason=row.state.value)
        if row.state is State.EMPTY:
            return await read_again(self, row)
        if row.state in STORED_STATES:
            return await mark_missing_files(self.session, row)
        return row

    # --- writing down ---------------------------------------------------------------------------

    def _follow_state(self, row: JobRecord) -> None:
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
        ledger = self.session.ledger
        moved = await ledger.run(
            ledger.move,
            row.id,
            state,
            task_id=task_id,
            request_id=error.request_id if error else request_id,
            error=error,
            response=response,
        )
        self._report_change()
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
        ledger = self.session.ledger
        if (await ledger.run(ledger.row, row.id)).state is State.SENDING:
            await self.record_state(row, State.INTENDED)

    async def keep_writing(
        self, write: Callable[[], Awaitable[JobRecord]], task_id: str | None
    ) -> JobRecord:
        """Try to write for a while: what is to be written was paid for and stands nowhere else.

        Raises:
            LedgerFailed: it could not be written; it carries the task id.
        """
        begun = self.session.clock()
        while True:
            try:
                return await write()
            except LedgerFailed as failed:
                reason = failed.summary("en")
                log.error("what the service answered is not written down yet: %s", reason)  # noqa: TRY400
                is_hopeless = self.session.ledger.is_unusable
                if is_hopeless or self.session.clock() - begun > WRITE_DOWN_S:
                    raise self._unrecorded_error(failed, task_id) from None
                await self.session.sleep(1.0)

    def _unrecorded_error(self, failed: LedgerFailed, task_id: str | None) -> LedgerFailed:
        """A record that failed, in words for somebody who may have paid by then."""
        is_told = failed.may_have_been_charged or self.origin is Origin.STORED
        if is_told or not self.was_sent:
            return failed
        return LedgerFailed(
            "task_unrecorded" if task_id else "answer_unrecorded",
            charge=Charge.POSSIBLE,
            task_id=task_id,
            reason=failed.summary_text,
        )

    async def _release(self, row: JobRecord) -> None:
        """Nobody works on the row any more. If that cannot be written, this process goes on
        owning it, and takes it up again all the same."""
        try:
            await self.session.ledger.run(self.session.ledger.release, row.id)
        except LedgerFailed as failed:
            log.warning("request %s was not let go of: %s", row.id, failed.summary("en"))
        self._report_change()
