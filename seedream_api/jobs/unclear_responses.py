"""What is done about a response that is unclear: it is kept, read again, and its task is polled."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ..errors import CompletedWithoutImages, OutcomeUnknown, SeedreamError
from ..ledger.image_store import StoredFile
from ..ledger.records import JobRecord
from ..ledger.request_identity import sent_urls
from ..ledger.states import State
from ..service.failures import to_kept_response
from ..service.responses import ServiceResponse
from ..service.verdicts import Verdict, judge_submission

if TYPE_CHECKING:
    from .job import Job

log = logging.getLogger("seedream")


async def end_unknown(job: Job, row: JobRecord, error: OutcomeUnknown) -> JobRecord:
    """A task id that was seen in the response is tried before the outcome counts as unknown."""
    unknown = OutcomeUnknown(
        error.key, request_id=error.request_id, reason=error.reason, entry=row.id
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
    """Try again what an unknown outcome left behind: the response, and the task it named.

    Raises:
        OutcomeUnknown: neither leads anywhere.
    """
    unknown = row.error or OutcomeUnknown("outcome_unknown_crash", entry=row.id)
    found = await reread(job, row)
    if found is not None:
        return found
    if row.task_id is None:
        raise unknown
    await _confirm_task(job, row.task_id, unknown)
    return await job.record_state(row, State.ACCEPTED)


async def read_again(job: Job, row: JobRecord) -> JobRecord:
    """Try again a row whose response named no image: with this version's reader, then its task.

    Raises:
        CompletedWithoutImages: there is nothing to ask.
    """
    found = await reread(job, row)
    if found is not None:
        return found
    if row.task_id is None:
        raise CompletedWithoutImages("completed_without_images", entry=row.id)
    return await job.record_state(row, State.ACCEPTED)


async def reread(job: Job, row: JobRecord) -> JobRecord | None:
    """Read the responses that were kept for a row again; ``None`` where no image is in them."""
    session = job.session
    sent = await session.ledger.run(sent_urls, session.ledger, row.references)
    for response in await session.ledger.run(session.ledger.responses, row.id):
        answer = await asyncio.to_thread(
            session.client.reread, response.status or 0, response.body, sent
        )
        if judge_submission(answer) is Verdict.MADE:
            return await record_response(job, row, answer)
    return None


async def _confirm_task(job: Job, task_id: str, unknown: SeedreamError) -> str:
    """The id of the task, if the service knows it; else ``unknown`` is raised."""
    try:
        return (await job.session.look(task_id)).id
    except SeedreamError as error:
        log.info("a task id from an unclear response was not confirmed: %s", error.key)
        job.is_sending = False
        raise unknown from None


async def record_response(job: Job, row: JobRecord, answer: ServiceResponse) -> JobRecord:
    """Write down where the images are, and the bytes of those that came in the response."""
    ledger, store = job.session.ledger, job.session.store
    task_id = row.task_id or answer.task_id

    async def write() -> JobRecord:
        files: dict[int, StoredFile] = {}
        for item in answer.items:
            if item.data is not None:
                files[item.position] = await asyncio.to_thread(store.add_bytes, item.data)
        written = await ledger.run(
            ledger.record_response, row.id, answer.items, files, answer.request_id, task_id
        )
        if answer.has_unreadable:
            response = to_kept_response(answer)
            await ledger.run(
                ledger.keep_response, row.id, response.status, response.body, response.note
            )
        return written

    answered = await job.keep_writing(write, task_id)
    job.is_sending = False
    return answered
