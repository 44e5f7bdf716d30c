"""The steps of a job, each from one state of its row to the next: send, poll, fetch.

A step records what it learns before it acts on it, and raises if the job ends without images.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from ..config.normalization import SANDBOX
from ..errors import (
    ApiRefused,
    AuthenticationFailed,
    Charge,
    CompletedWithoutImages,
    NotSent,
    OutcomeUnknown,
    ReadFailed,
    SeedreamError,
    TaskFailed,
    TaskNotFound,
    WaitTimedOut,
)
from ..ledger.limits import Reservation
from ..ledger.records import JobRecord
from ..ledger.states import State
from ..service.polling import NOT_FOUND_S, PollSchedule, wait_for_task
from ..service.refusals import is_moderation, is_unreachable_image
from ..service.responses import ServiceResponse, to_kept_response
from ..service.statuses import TaskStatus
from ..service.submit_hooks import SubmitHooks
from ..service.task import Task
from ..service.verdicts import Verdict, judge_submission
from .fetch import download_missing, key_mismatch_error, record_sizes
from .job import Job
from .results import Phase
from .sources import NewRequest
from .unclear_responses import end_unknown, record_response, reread

log: logging.Logger = logging.getLogger("seedream")

MIN_RESPONSE_WAIT_S = 1800.0
"""Seconds to wait for a paid response even with a shorter timeout, as giving up would turn a paid
image into an unknown outcome."""


# --- *intended*: upload the references, send the request ------------------------------------------


async def send(job: Job, row: JobRecord) -> JobRecord:
    """Upload the references and send the request once."""
    assert isinstance(job.source, NewRequest), "only a new request is intended"  # noqa: S101
    request, reservation, target = job.source.request, job.source.reservation, job.source.target
    try:
        if reservation.limits.are_set:
            sandbox = row.address == SANDBOX
            await job.resources.ledger.check_limits(reservation, row.asked, sandbox=sandbox)
        job.report(Phase.UPLOADING if request.references else Phase.SUBMITTING)
        resolved = await job.resources.uploader.resolve_references(
            request.references,
            target,
            progress=lambda done, total: job.report(Phase.UPLOADING, done=done, total=total),
        )
        job.notes = resolved.notes
        job.report(Phase.SUBMITTING)
        response = await job.resources.client.submit(
            request,
            resolved.urls,
            idempotency_key=row.idempotency_key,
            hooks=SubmitHooks(
                before_first_byte=lambda: _record_sending(job, row, reservation),
                not_accepted=lambda: _record_not_accepted(job, row),
                admitted=job.hold_slot,
                waiting=lambda place: job.report(Phase.SUBMITTING, place=place),
            ),
            read_timeout_s=max(job.timeout_s, MIN_RESPONSE_WAIT_S),
        )
    except asyncio.CancelledError:
        if not job.is_sending:
            await job.withdraw(row)
        raise
    except ApiRefused as error:
        if is_unreachable_image(f"{error.code} {error.reason}"):
            await job.resources.uploader.invalidate(row.references)
        return await job.finish(row, State.REFUSED, error)
    except OutcomeUnknown as error:
        return await end_unknown(job, row, error)
    except SeedreamError as error:
        return await job.finish(row, State.WITHDRAWN, error)
    return await _record_submission(job, row, response)


async def _record_sending(job: Job, row: JobRecord, reservation: Reservation) -> None:
    """Record that the request is being sent, if its limits allow it and it is still wanted.

    Raises:
        LimitReached: a limit does not allow it.
        asyncio.CancelledError: it has no waiters, or the session is closing.
    """
    if job.is_unwanted:
        # ``wait_for`` before Python 3.12 may have swallowed a cancellation.
        raise asyncio.CancelledError
    job.mark_sending()  # before the first await, after which a waiter may leave
    try:
        await job.reserve(row, reservation)
    except BaseException:
        job.unmark_sending()
        raise
    if job.is_closing():  # the session was closed while the state was recorded
        job.unmark_sending()
        raise asyncio.CancelledError


async def _record_not_accepted(job: Job, row: JobRecord) -> None:
    try:
        await job.record_state(row, State.INTENDED)
    finally:
        job.mark_not_sent()


async def _record_submission(job: Job, row: JobRecord, response: ServiceResponse) -> JobRecord:
    """Record the response to a submission: images, a task, or neither."""
    verdict = judge_submission(response)
    if verdict is Verdict.MADE:
        return await record_response(job, row, response)
    if verdict is Verdict.ACCEPTED:
        accepted = await job.keep_writing(
            lambda: job.record_state(
                row, State.ACCEPTED, task_id=response.task_id, request_id=response.request_id
            ),
            response.task_id,
        )
        job.is_sending = False
        return accepted
    empty = CompletedWithoutImages(
        "completed_without_images", request_id=response.request_id, entry=row.id
    )
    return await job.finish(row, State.EMPTY, empty, response=to_kept_response(response))


# --- *accepted*: poll the task --------------------------------------------------------------------


async def poll(job: Job, row: JobRecord) -> JobRecord:
    """Poll the task until it ends, or only once if the job polls once."""
    assert row.task_id is not None, "an accepted row has a task id"  # noqa: S101
    job.report(Phase.QUEUED, task_id=row.task_id)
    try:
        task = await (_poll_once(job, row) if job.polls_once else _poll_until_done(job, row))
    except (TaskNotFound, AuthenticationFailed) as error:
        reported = key_mismatch_error(job.resources, row, error)
        if row.sent_at is not None:  # sent from here, so the id is not mistyped
            reported = reported.with_charge(Charge.POSSIBLE, row.task_id)
        elif reported.key == "task_not_found":
            return await job.finish(row, State.FAILED, reported)
        raise reported from None
    except (ReadFailed, NotSent) as error:
        raise error.with_charge(Charge.RUNNING, row.task_id) from None
    return await _record_task_end(job, row, task)


async def _record_task_end(job: Job, row: JobRecord, task: Task) -> JobRecord:
    """Record how the task ended: with images, as failed, or with neither."""
    response = task.response or ServiceResponse(items=task.items)
    if response.has_images:
        return await record_response(job, row, response)
    failed_item = response.item_error
    if task.status is TaskStatus.FAILED or failed_item is not None:
        reason = task.error or failed_item
        words = str(reason) if reason is not None else task.raw_status
        key = "task_failed_content" if reason and is_moderation(reason) else "task_failed"
        if is_unreachable_image(words):
            await job.resources.uploader.invalidate(row.references)
        failed = TaskFailed(key, task_id=task.id, reason=job.resources.client.redact(words))
        return await job.finish(row, State.FAILED, failed)
    empty = CompletedWithoutImages("completed_without_images", task_id=task.id, entry=row.id)
    return await job.finish(row, State.EMPTY, empty, response=to_kept_response(response))


async def _poll_until_done(job: Job, row: JobRecord) -> Task:
    resources = job.resources
    typical_s = await resources.ledger.typical_seconds(row.model) if row.model else None
    task_id = row.task_id
    assert task_id is not None, "the caller has checked"  # noqa: S101

    usual = "unknown" if typical_s is None else f"{typical_s:.0f} s"
    log.info("job %s: waiting for task %s, usual time: %s", row.id, task_id, usual)
    latest: list[Task] = []

    async def poll_task() -> Task:
        latest[:] = [await _poll(job, task_id)]
        return latest[0]

    waiting = wait_for_task(
        poll_task,
        task_id=task_id,
        schedule=PollSchedule(typical_s),
        timeout_s=job.timeout_s,
        clock=resources.clock,
        sleep_until_woken=job.signal.sleep_until_woken,
        age_s=_task_age_s(job, row),
        is_known=_is_known_task(job, row),
    )
    try:
        return await waiting
    except WaitTimedOut:
        # An undocumented status with images may mean that the task is completed.
        if latest and latest[0].status is TaskStatus.UNKNOWN and latest[0].has_images:
            return latest[0]
        raise


def _task_age_s(job: Job, row: JobRecord) -> float:
    now = job.resources.clock.now()
    return max(0.0, now - (row.accepted_at or now))


def _is_known_task(job: Job, row: JobRecord) -> bool:
    """Return whether the task is known to exist and this key may read it."""
    return not job.is_typed and job.resources.has_key_of(row)


async def _poll_once(job: Job, row: JobRecord) -> Task:
    task_id, word = row.task_id, "unknown"
    assert task_id is not None, "the caller has checked"  # noqa: S101
    try:
        task = await _poll(job, task_id)
    except TaskNotFound:
        if not _is_known_task(job, row) or _task_age_s(job, row) > NOT_FOUND_S:
            raise
    else:
        if task.status.is_terminal:
            return task
        word = task.raw_status
    raise WaitTimedOut("wait_timed_out", task_id=task_id, word=word, waited=0)


async def _poll(job: Job, task_id: str) -> Task:
    try:
        task = await job.resources.poll(task_id, job.signal.poll_started)
    except SeedreamError:
        job.signal.poll_failed()
        raise
    phase = Phase.QUEUED if task.status is TaskStatus.QUEUED else Phase.PROCESSING
    job.report(phase, percent=task.progress, task_id=task.id, word=task.raw_status)
    job.signal.poll_finished(still_runs=not task.status.is_terminal)
    return task


# --- *answered*: download the images --------------------------------------------------------------


async def fetch(job: Job, row: JobRecord) -> JobRecord:
    """Download the images into the store."""
    ledger = job.resources.ledger
    images = await ledger.list_images(row.id)
    if any(image.is_missing and image.url is None for image in images):
        row = await reread(job, row) or row
    job.download_failures = await download_missing(job.resources, row, job.report)
    await record_sizes(job.resources, row)
    await share_images(job, row)
    if job.download_failures:
        return await ledger.get_record(row.id)
    images = await ledger.list_images(row.id)
    whole = all(image.error is None for image in images)
    return await job.record_state(row, State.COMPLETED if whole else State.PARTIAL)


async def share_images(job: Job, row: JobRecord) -> None:
    """Put the stored images into the bucket that machines share; note a failure to do so."""
    if job.resources.shared is not None:
        job.notes += await job.resources.shared.share_images(row.id)


STEPS: Mapping[State, Callable[[Job, JobRecord], Awaitable[JobRecord]]] = MappingProxyType({
    State.INTENDED: send,
    State.ACCEPTED: poll,
    State.ANSWERED: fetch,
})  # fmt: skip
"""The next step of every state that is not final."""
