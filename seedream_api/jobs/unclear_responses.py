"""Handle an unclear response: keep it, parse it again later, and poll the task that it names."""

from __future__ import annotations

import asyncio
import logging

from ..errors import CompletedWithoutImages, OutcomeUnknown, SeedreamError
from ..ledger.image_store import StoredFile
from ..ledger.records import JobRecord
from ..ledger.states import State
from ..service.responses import ServiceResponse, to_kept_response
from ..service.verdicts import Verdict, judge_submission
from .job import Job

log: logging.Logger = logging.getLogger("seedream")


async def end_unknown(job: Job, row: JobRecord, error: OutcomeUnknown) -> JobRecord:
    """Record an unknown outcome, unless the response contains the id of a task that exists.

    Raises:
        OutcomeUnknown: the response contains no id of a known task.
    """
    unknown = OutcomeUnknown(
        error.key,
        request_id=error.request_id,
        http=error.http_status,
        reason=error.reason,
        entry=row.id,
    )
    if error.possible_task_id is None:
        return await job.finish(row, State.UNKNOWN, unknown, response=error.response)
    await job.record_end(
        row, State.UNKNOWN, unknown, task_id=error.possible_task_id, response=error.response
    )
    task_id = await _confirm_task(job, error.possible_task_id, unknown)
    accepted = await job.keep_writing(
        lambda: job.record_state(row, State.ACCEPTED, task_id=task_id), task_id
    )
    job.is_sending = False
    return accepted


async def confirm(job: Job, row: JobRecord) -> JobRecord:
    """Resolve an unknown outcome with the kept response, or with the task that it names.

    Raises:
        OutcomeUnknown: neither resolves it.
    """
    unknown = row.error or OutcomeUnknown("outcome_unknown_crash", entry=row.id)
    found = await reread(job, row)
    if found is not None:
        return found
    if row.task_id is None:
        raise unknown
    await _confirm_task(job, row.task_id, unknown)
    return await job.record_state(row, State.ACCEPTED)


async def retry_empty(job: Job, row: JobRecord) -> JobRecord:
    """Retry a row without images: parse its response with this version, or poll its task again.

    Raises:
        CompletedWithoutImages: the response has no image, and there is no task.
    """
    found = await reread(job, row)
    if found is not None:
        return found
    if row.task_id is None:
        raise CompletedWithoutImages("completed_without_images", entry=row.id)
    return await job.record_state(row, State.ACCEPTED)


async def reread(job: Job, row: JobRecord) -> JobRecord | None:
    """Parse the kept responses of a row again; return ``None`` if they contain no image."""
    resources = job.resources
    sent = await resources.ledger.list_sent_urls(row.references)
    for kept in await resources.ledger.list_responses(row.id):
        response = await asyncio.to_thread(resources.client.reread, kept, sent)
        if judge_submission(response) is Verdict.MADE:
            return await record_response(job, row, response)
    return None


async def _confirm_task(job: Job, task_id: str, unknown: SeedreamError) -> str:
    """Return the id of the task if the service knows it; otherwise raise ``unknown``."""
    try:
        return (await job.resources.poll(task_id)).id
    except SeedreamError as error:
        log.info("a task id from an unclear response was not confirmed: %s", error.key)
        job.is_sending = False
        raise unknown from None


async def record_response(job: Job, row: JobRecord, response: ServiceResponse) -> JobRecord:
    """Record the images of a response, and store those that it contains as bytes."""
    ledger, store = job.resources.ledger, job.resources.store
    task_id = row.task_id or response.task_id
    link_life_s = job.resources.settings.facts.find_link_life(row.family)

    async def write() -> JobRecord:
        files: dict[int, StoredFile] = {}
        for item in response.items:
            if item.data is not None:
                files[item.position] = await asyncio.to_thread(store.add_bytes, item.data)
        written = await ledger.record_response(
            row.id, response.items, files, response.request_id, task_id, link_life_s
        )
        if response.has_unreadable:
            kept = to_kept_response(response)
            await ledger.keep_response(row.id, kept.status, kept.body, kept.note)
        return written

    answered = await job.keep_writing(write, task_id)
    job.is_sending = False
    return answered
