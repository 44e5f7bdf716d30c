"""Run a job: claim its row, then run the next step until its images are stored."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from ..errors import LedgerFailed, OutcomeUnknown, SeedreamError, WaitTimedOut
from ..ledger.records import JobRecord
from ..ledger.states import RELEASED_STATES, STORED_STATES, State
from ..service.references import Reference
from .fetch import mark_missing_files
from .job import Job
from .kept_references import keeping_copies
from .profiles import Profiles
from .results import Origin, Phase
from .sources import NewRequest
from .steps import STEPS, share_images
from .unclear_responses import confirm, retry_empty

log: logging.Logger = logging.getLogger("seedream")

OTHER_OWNER_PAUSE_S = 0.25
"""Seconds between two reads of a row that another live process works on."""


def start(job: Job, running: Mapping[str, Job], profiles: Profiles) -> None:
    """Start a job in a separate asyncio task.

    Args:
        running: the jobs of the session by key, which may already include this one.
    """
    job.task = asyncio.create_task(_run(job, running, profiles))


async def _run(job: Job, running: Mapping[str, Job], profiles: Profiles) -> JobRecord:
    """Claim the row, then run the next step until its images are stored.

    Raises:
        SeedreamError: why there are no images.
    """
    row = await _acquire_row(job, running)
    try:
        job.resources = await profiles.get_for_row(row, job.resources)
        row = await _start_from(job, row)
        async with keeping_copies(job.resources, _list_new_references(job, row)):
            while row.state in STEPS and not job.download_failures:
                job.follow_state(row)
                row = job.row = await STEPS[row.state](job, row)
    except LedgerFailed as failed:
        job.end = job.unrecorded_error(failed, row.task_id)
        raise job.end from None
    except SeedreamError as error:
        job.end = error
        raise
    finally:
        await job.release(row)
    return row


def _list_new_references(job: Job, row: JobRecord) -> tuple[Reference, ...]:
    """List the reference images of a request that is sent now."""
    if not isinstance(job.source, NewRequest) or row.state is not State.INTENDED:
        return ()
    return job.source.request.references


async def _acquire_row(job: Job, running: Mapping[str, Job]) -> JobRecord:
    """Claim the row; while another job or live process works on it, wait until that has finished.

    Raises:
        WaitTimedOut: the row is in use, and the job polls only once.
    """
    while True:
        row = await _claim_row(job, running)
        other = _find_other_job(job, running, row)
        ledger = job.resources.ledger
        # Files that a shared ledger names may be on another machine: only the owner fetches them.
        is_stored = row.state in STORED_STATES and not ledger.is_shared
        is_ours = row.owner == ledger.owner or is_stored
        if other is None and is_ours:
            job.row = row
            return row
        if job.polls_once:
            job.row = row
            raise WaitTimedOut(
                "wait_timed_out", task_id=row.task_id, word=row.state.value, waited=0
            )
        if other is None:
            job.origin, job.foreign_row = Origin.JOINED, row
        job.signal.polled_elsewhere()
        if job.latest.phase is not Phase.WAITING:
            log.info("job %s: waiting for an equal request that is running", row.id)
        job.report(Phase.WAITING, task_id=row.task_id, row=row.id, elsewhere=other is None)
        if other is None:
            await job.resources.clock.sleep(OTHER_OWNER_PAUSE_S)
        else:
            await asyncio.wait({other.task})


async def _claim_row(job: Job, running: Mapping[str, Job]) -> JobRecord:
    """Claim the row of the job's source.

    A job that is cancelled meanwhile releases the row, because other processes would wait for a
    row that has a live owner but no job.
    """
    claiming = asyncio.ensure_future(job.source.claim(job.resources.ledger))
    try:
        return await asyncio.shield(claiming)
    except asyncio.CancelledError:
        await asyncio.wait({claiming})
        if not claiming.cancelled() and claiming.exception() is None:
            row = claiming.result()
            is_ours = row.owner == job.resources.ledger.owner
            if is_ours and _find_other_job(job, running, row) is None:
                if row.state is State.INTENDED:
                    await job.withdraw(row)
                await job.release(row)
        raise


def _find_other_job(job: Job, running: Mapping[str, Job], row: JobRecord) -> Job | None:
    """Find another job of this session that has this row; a row has at most one job."""
    return next(
        (one for one in running.values() if one.row and one.row.id == row.id and one is not job),
        None,
    )


async def _start_from(job: Job, row: JobRecord) -> JobRecord:
    """Prepare a claimed row for the first step, according to its state.

    Raises:
        SeedreamError: how the row ended, if it cannot be continued.
    """
    job.follow_state(row)
    if row.state is State.INTENDED:
        job.origin = Origin.NEW  # even if the job waited for another owner, which has died
        return await job.resources.take_profile(row)
    if job.origin is Origin.NEW:
        job.origin = Origin.STORED if row.state in STORED_STATES else Origin.RESUMED
    if row.state is State.SENDING:
        # A running job would still have the row, so the process that sent it has crashed.
        crash = OutcomeUnknown("outcome_unknown_crash", entry=row.id)
        return await job.finish(row, State.UNKNOWN, crash)
    if row.state is State.UNKNOWN:
        return await confirm(job, row)
    if row.state in RELEASED_STATES:  # a failed task is collected again
        raise row.error or SeedreamError("stored_error", reason=row.state.value)
    if row.state is State.EMPTY:
        return await retry_empty(job, row)
    if row.state in STORED_STATES:
        row = await mark_missing_files(job.resources, row)
        if row.state in STORED_STATES:
            await share_images(job, row)
    return row
