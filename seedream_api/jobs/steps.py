"""The steps of the road, each from one state of a row to the next: send, poll, fetch.

A step is given the :class:`~.work.Work` it is part of, writes down what it learns before it acts on
it, and raises when the road ends without images.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

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
from ..ledger.records import Row
from ..ledger.states import State, key_print
from ..service.client import SubmitHooks
from ..service.models import Task, TaskStatus
from ..service.polling import NOT_FOUND_S, Pace, wait_for_task
from ..service.refusals import is_moderation, is_unreachable_image
from ..service.responses import Answer
from ..service.verdicts import Verdict, judge_submission
from .fetch import fetch_missing, measure, of_other_key
from .results import Phase
from .unclear_responses import end_unknown, kept, reread, write_answered

if TYPE_CHECKING:
    from .job import Work

log = logging.getLogger("seedream")

ANSWER_S = 1800.0
"""How long a paid answer is waited for at least, however impatient the person is: giving it up
would only make an unknown outcome of a paid image."""


# --- intended: references travel, the request is sent -------------------------------------------


async def send(work: Work, row: Row) -> Row:
    """Bring the references along and send the request, once."""
    assert work.sending is not None, "only a request is ever intended"  # noqa: S101
    request = work.sending.request
    try:
        work.tell(Phase.UPLOADING if request.references else Phase.SUBMITTING)
        travelled = await work.session.courier.bring(
            request.references,
            work.sending.way,
            progress=lambda done, total: work.tell(Phase.UPLOADING, done=done, total=total),
        )
        work.travel_notes = travelled.notes
        work.tell(Phase.SUBMITTING)
        answer = await work.session.client.submit(
            request,
            travelled.urls,
            idempotency_key=row.idempotency_key,
            hooks=SubmitHooks(
                before_first_byte=lambda: _before_first_byte(work, row),
                not_accepted=lambda: _not_accepted(work, row),
                admitted=work.admitted,
            ),
            read_timeout_s=max(work.timeout_s, ANSWER_S),
        )
    except asyncio.CancelledError:
        if not work.is_sending:
            await work.withdrawn(row)
        raise
    except ApiRefused as error:
        if is_unreachable_image(f"{error.values.get('code')} {error.values.get('reason')}"):
            await work.session.courier.forget(row.references)
        return await work.ended(row, State.REFUSED, error)
    except OutcomeUnknown as error:
        return await end_unknown(work, row, error)
    except SeedreamError as error:
        return await work.ended(row, State.WITHDRAWN, error)
    return await _taken(work, row, answer)


async def _before_first_byte(work: Work, row: Row) -> None:
    if work.is_unwanted:
        # It was cancelled, and ``wait_for`` before Python 3.12 swallowed that on the way here.
        raise asyncio.CancelledError
    # From here on nobody's leaving takes the request back; so this stands before the first wait.
    work.is_sending = work.was_sent = True
    try:
        await work.moved(row, State.SENDING)
    except BaseException:
        work.is_sending = work.was_sent = False
        raise
    if work.session.is_closing:  # while that was written
        work.is_sending = work.was_sent = False
        raise asyncio.CancelledError


async def _not_accepted(work: Work, row: Row) -> None:
    try:
        await work.moved(row, State.INTENDED)
    finally:
        work.take_back()


async def _taken(work: Work, row: Row, answer: Answer) -> Row:
    """Write down what the service answered: images at once, a task, or neither."""
    verdict = judge_submission(answer)
    if verdict is Verdict.MADE:
        return await write_answered(work, row, answer)
    if verdict is Verdict.ACCEPTED:
        accepted = await work.written_down(
            lambda: work.moved(
                row, State.ACCEPTED, task_id=answer.task_id, request_id=answer.request_id
            ),
            answer.task_id,
        )
        work.is_sending = False
        return accepted
    empty = CompletedWithoutImages(
        "completed_without_images", request_id=answer.request_id, entry=row.id
    )
    return await work.ended(row, State.EMPTY, empty, response=kept(answer))


# --- accepted: the task is polled ---------------------------------------------------------------


async def poll(work: Work, row: Row) -> Row:
    """Look at the task until it ends."""
    assert row.task_id is not None, "accepted means that the id is known"  # noqa: S101
    work.tell(Phase.QUEUED, task_id=row.task_id)
    try:
        task = await (_one_look(work, row) if work.looks_once else _looks(work, row))
    except (TaskNotFound, AuthenticationFailed) as error:
        told = of_other_key(work.session, row, error)
        if row.sent_at is not None:  # ours, and not an id that somebody may have mistyped
            told = told.about(Charge.POSSIBLE, row.task_id)
        elif told.key == "task_not_found":
            return await work.ended(row, State.FAILED, told)
        raise told from None
    except (ReadFailed, NotSent) as error:
        raise error.about(Charge.RUNNING, row.task_id) from None
    return await _ended(work, row, task)


async def _ended(work: Work, row: Row, task: Task) -> Row:
    """Write down how the task ended: with images, failed, or with neither."""
    answer = task.answer or Answer(items=task.items)
    if answer.has_images:
        return await write_answered(work, row, answer)
    failed_item = answer.item_error
    if task.status is TaskStatus.FAILED or failed_item is not None:
        reason = task.error or failed_item
        words = str(reason) if reason is not None else task.word
        key = "task_failed_content" if reason and is_moderation(reason) else "task_failed"
        if is_unreachable_image(words):
            await work.session.courier.forget(row.references)
        failed = TaskFailed(key, task_id=task.id, reason=work.session.client.scrub(words))
        return await work.ended(row, State.FAILED, failed)
    empty = CompletedWithoutImages("completed_without_images", task_id=task.id, entry=row.id)
    return await work.ended(row, State.EMPTY, empty, response=kept(answer))


async def _looks(work: Work, row: Row) -> Task:
    session = work.session
    typical_s = (
        await session.ledger.run(session.ledger.typical_seconds, row.model) if row.model else None
    )
    task_id = row.task_id
    assert task_id is not None, "the caller looked"  # noqa: S101

    latest: list[Task] = []

    async def look() -> Task:
        latest[:] = [await _look(work, task_id)]
        return latest[0]

    waiting = wait_for_task(
        look,
        task_id=task_id,
        pace=Pace(typical_s),
        timeout_s=work.timeout_s,
        clock=session.clock,
        sleep=session.sleep,
        doze=work.watch.doze,
        age_s=_age_s(work, row),
        is_known=_is_known(work, row),
    )
    try:
        return await waiting
    except WaitTimedOut:
        # A word that no source knows may well mean that the images are all there are.
        if latest and latest[0].status is TaskStatus.UNKNOWN and latest[0].has_images:
            return latest[0]
        raise


def _age_s(work: Work, row: Row) -> float:
    now = work.session.now()
    return max(0.0, now - (row.accepted_at or now))


def _is_known(work: Work, row: Row) -> bool:
    """Whether the task exists as far as we know, and our key may read it."""
    mine = key_print(work.session.settings.key.get_secret_value())
    return not work.is_typed and row.key_print in (None, mine)


async def _one_look(work: Work, row: Row) -> Task:
    task_id, word = row.task_id, "unknown"
    assert task_id is not None, "the caller looked"  # noqa: S101
    try:
        task = await _look(work, task_id)
    except TaskNotFound:
        if not _is_known(work, row) or _age_s(work, row) > NOT_FOUND_S:
            raise
    else:
        if task.status.is_terminal:
            return task
        word = task.word
    raise WaitTimedOut("wait_timed_out", task_id=task_id, word=word, waited=0)


async def _look(work: Work, task_id: str) -> Task:
    try:
        task = await work.session.look(task_id, work.watch.begins)
    except SeedreamError:
        work.watch.saw_nothing()
        raise
    phase = Phase.QUEUED if task.status is TaskStatus.QUEUED else Phase.PROCESSING
    work.tell(phase, percent=task.progress, task_id=task.id, word=task.word)
    work.watch.saw(still_runs=not task.status.is_terminal)
    return task


# --- answered: the images are fetched -----------------------------------------------------------


async def fetch(work: Work, row: Row) -> Row:
    """Bring the images into the store."""
    ledger = work.session.ledger
    images = await ledger.run(ledger.images, row.id)
    if any(image.is_missing and image.url is None for image in images):
        row = await reread(work, row) or row
    work.download_failures = await fetch_missing(work.session, row, work.tell)
    await measure(work.session, row)
    if work.download_failures:
        return await ledger.run(ledger.row, row.id)
    images = await ledger.run(ledger.images, row.id)
    whole = all(image.error is None for image in images)
    return await work.moved(row, State.COMPLETED if whole else State.PARTIAL)


STEPS: Mapping[State, Callable[[Work, Row], Awaitable[Row]]] = MappingProxyType({
    State.INTENDED: send,
    State.ACCEPTED: poll,
    State.ANSWERED: fetch,
})  # fmt: skip
"""What to do next at each state that is not an end."""
