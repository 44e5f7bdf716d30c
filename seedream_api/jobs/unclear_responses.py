"""What is done about a response that is unclear: it is kept, read again, and its task is polled."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ..errors import CompletedWithoutImages, OutcomeUnknown, SeedreamError
from ..ledger.image_store import StoredFile
from ..ledger.records import KeptResponse, Row
from ..ledger.request_identity import sent_urls
from ..ledger.states import State
from ..service.responses import Answer
from ..service.verdicts import Verdict, judge_submission

if TYPE_CHECKING:
    from .job import Work

log = logging.getLogger("seedream")


async def end_unknown(work: Work, row: Row, error: OutcomeUnknown) -> Row:
    """A task id that was seen in the response is tried before the outcome counts as unknown."""
    reason = error.values.get("reason")
    unknown = OutcomeUnknown(error.key, request_id=error.request_id, reason=reason, entry=row.id)
    response = kept(error.answer) if error.answer is not None else None
    if error.hint is None:
        return await work.ended(row, State.UNKNOWN, unknown, response=response)
    await work.noted(row, State.UNKNOWN, unknown, task_id=error.hint, response=response)
    task_id = await _confirmed(work, error.hint, unknown)
    accepted = await work.written_down(
        lambda: work.moved(row, State.ACCEPTED, task_id=task_id), task_id
    )
    work.is_sending = False
    return accepted


async def confirm(work: Work, row: Row) -> Row:
    """Try again what an unknown outcome left behind: the response, and the task it named.

    Raises:
        OutcomeUnknown: neither leads anywhere.
    """
    unknown = row.error or OutcomeUnknown("outcome_unknown_crash", entry=row.id)
    found = await reread(work, row)
    if found is not None:
        return found
    if row.task_id is None:
        raise unknown
    await _confirmed(work, row.task_id, unknown)
    return await work.moved(row, State.ACCEPTED)


async def read_again(work: Work, row: Row) -> Row:
    """Try again a row whose response named no image: with this version's reader, then its task.

    Raises:
        CompletedWithoutImages: there is nothing to ask.
    """
    found = await reread(work, row)
    if found is not None:
        return found
    if row.task_id is None:
        raise CompletedWithoutImages("completed_without_images", entry=row.id)
    return await work.moved(row, State.ACCEPTED)


async def reread(work: Work, row: Row) -> Row | None:
    """Read the responses that were kept for a row again; ``None`` where no image is in them."""
    session = work.session
    sent = await session.ledger.run(sent_urls, session.ledger, row.references)
    for response in await session.ledger.run(session.ledger.responses, row.id):
        answer = await asyncio.to_thread(
            session.client.read_again, response.status or 0, response.body, sent
        )
        if judge_submission(answer) is Verdict.MADE:
            return await write_answered(work, row, answer)
    return None


def kept(answer: Answer) -> KeptResponse:
    return KeptResponse(answer.http, answer.body, answer.cut or "")


async def _confirmed(work: Work, task_id: str, unknown: SeedreamError) -> str:
    """The id of the task, if the service knows it; else ``unknown`` is raised."""
    try:
        return (await work.session.look(task_id)).id
    except SeedreamError as error:
        log.info("a task id from an unclear response was not confirmed: %s", error.key)
        work.is_sending = False
        raise unknown from None


async def write_answered(work: Work, row: Row, answer: Answer) -> Row:
    """Write down where the images are, and the bytes of those that came in the response."""
    ledger, store = work.session.ledger, work.session.store
    task_id = row.task_id or answer.task_id

    async def write() -> Row:
        files: dict[int, StoredFile] = {}
        for item in answer.items:
            if item.data is not None:
                files[item.position] = await asyncio.to_thread(store.keep_answer, item.data)
        written = await ledger.run(
            ledger.answered, row.id, answer.items, files, answer.request_id, task_id
        )
        if answer.has_unreadable:
            response = kept(answer)
            await ledger.run(
                ledger.keep_response, row.id, response.status, response.body, response.note
            )
        return written

    answered = await work.written_down(write, task_id)
    work.is_sending = False
    return answered
