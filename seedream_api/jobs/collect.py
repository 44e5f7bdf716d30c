"""Fetch the results of tasks by their ids, of this client or another; nothing is submitted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from ..callbacks import check_callback
from ..errors import (
    Charge,
    Interrupted,
    InvalidRequest,
    PartialResult,
    SeedreamError,
    WaitTimedOut,
)
from ..ledger.costs import sum_costs
from ..ledger.records import JobRecord
from ..ledger.states import State, key_fingerprint
from ..messages import Text, join_texts
from ..service.polling import wait_limit_s
from ..service.validation import validate_task_id
from .cancellation import note_cancellation
from .registry import Listener, check_once, wait_for_job
from .results import Failure, Origin, Progress, Result
from .session_base import SessionBase
from .sources import KnownRow, KnownTask, was_not_found

_MAX_OFFERED = 10
"""How many unfinished tasks the error for an empty id lists."""


async def collect(
    task_id: str,
    session: SessionBase,
    *,
    wait: bool = True,
    timeout_s: float | None = None,
    progress: Listener | None = None,
    profile: str | None = None,
) -> Result:
    """Fetch the images of one task.

    Args:
        wait: whether to wait for the task; if not, it is polled once, and the result is
            ``pending`` if it is still running.
        timeout_s: seconds to wait; by default ``SEEDREAM_TIMEOUT_S``.
        progress: called with every step, on the session's event loop.
        profile: for a task that was not made here; by default that of the session. A task in the
            ledger is polled with the profile that made it.

    Raises:
        SeedreamError: the task failed, is unknown, or is still running after ``timeout_s``.
    """
    session.check_usable()
    limit_s = wait_limit_s(timeout_s, session.settings.number("SEEDREAM_TIMEOUT_S"))
    check_callback(progress)
    with note_cancellation(lambda: Interrupted("interrupted_before")):
        resources = await session.profiles.get(profile)
        task_id, is_typed, known = await _check_task_id(task_id, session)
        if known is not None:
            resources = await session.profiles.get_for_row(known, resources)
        elif running := _find_job_key(task_id, session):
            resources = session.running_jobs[running].resources
    settings = resources.settings
    source = KnownTask(
        task_id,
        settings.address,
        key_fingerprint(settings.key.get_secret_value()),
        settings.profile or None,
        is_typed=is_typed,
        polls_once=not wait,
    )
    key = _find_job_key(task_id, session) or f"task:{task_id}"
    if not wait:
        return await check_once(session, key, source, resources, limit_s, progress)
    return await wait_for_job(
        session, key, source, resources, wait=True, timeout_s=limit_s, progress=progress
    )


async def _check_task_id(text: str, session: SessionBase) -> tuple[str, bool, JobRecord | None]:
    """Return the task id, whether only the user has stated it, and its row if no job has it.

    An id that the service returned is used in any form.

    Raises:
        InvalidRequest: the id is unknown and malformed.
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidRequest("task_id_malformed", given=text)
    task_id = text.strip()
    if _find_job_key(task_id, session):
        return task_id, False, None
    known = await session.ledger.find_task(task_id)
    if known is None:
        return validate_task_id(task_id), True, None
    return task_id, was_not_found(known), known


def _find_job_key(task_id: str, session: SessionBase) -> str | None:
    """Find the key of the session's running job for a task."""
    jobs = session.running_jobs.items()
    return next((key for key, work in jobs if work.row and work.row.task_id == task_id), None)


async def resume(row: JobRecord, session: SessionBase) -> Result:
    """Fetch the missing images of one row of the ledger, with or without a task id.

    Raises:
        InvalidRequest: the request was never sent.
        SeedreamError: how the request ended, or why nothing can be fetched.
    """
    session.check_usable()
    if row.state in (State.INTENDED, State.WITHDRAWN):
        raise InvalidRequest("entry_not_resumable", given=row.id)
    if row.task_id is not None:
        return await collect_all([row.task_id], session)
    limit_s = session.settings.number("SEEDREAM_TIMEOUT_S")
    key = f"entry:{row.id}"
    return await wait_for_job(
        session, key, KnownRow(row.id), session.resources,
        wait=True, timeout_s=limit_s, progress=None,
    )  # fmt: skip


async def collect_all(
    task_ids: Sequence[str],
    session: SessionBase,
    *,
    wait: bool = True,
    timeout_s: float | None = None,
    progress: Callable[[str, Progress], None] | None = None,
    profile: str | None = None,
) -> Result:
    """Fetch several tasks concurrently; the images are in the order of the ids.

    The status is ``pending`` while any task is running, and ``partial`` if some failed.

    Args:
        wait: as in :func:`collect`.
        timeout_s: seconds to wait for each task; by default ``SEEDREAM_TIMEOUT_S``.
        progress: called with the task's id and every step, on the session's event loop.
        profile: as in :func:`collect`.

    Raises:
        InvalidRequest: no id is given (the error lists unfinished tasks), or one is malformed.
        SeedreamError: no task has an image; the error is the first task's.
        PartialResult: some tasks failed, and ``SEEDREAM_PARTIAL`` is ``fail``.
    """
    session.check_usable()
    wait_limit_s(timeout_s, session.settings.number("SEEDREAM_TIMEOUT_S"))
    check_callback(progress)
    if profile is not None:
        session.settings.for_profile(profile)  # a wrong name is one error, not one per task
    ids = await _check_task_ids(task_ids, session)

    def listen(task_id: str) -> Listener | None:
        callback = progress
        return None if callback is None else lambda step: callback(task_id, step)

    polls = (
        collect(one, session, wait=wait, timeout_s=timeout_s, progress=listen(one), profile=profile)
        for one in ids
    )
    cancelled = Interrupted("interrupted_task", task_id=" ".join(ids), charge=Charge.RUNNING)
    with note_cancellation(lambda: cancelled):
        outcomes = await asyncio.gather(*polls, return_exceptions=True)
    return _combine(ids, outcomes, session)


async def _check_task_ids(task_ids: Sequence[str], session: SessionBase) -> list[str]:
    """Return the distinct ids without surrounding blanks.

    Raises:
        InvalidRequest: there is none, or one is malformed.
    """
    given = task_ids.splitlines() if isinstance(task_ids, str) else task_ids
    ids = [(await _check_task_id(text, session))[0] for text in given if str(text).strip()]
    if not ids:
        raise await _no_ids_error(session)
    return list(dict.fromkeys(ids))


def _combine(
    ids: list[str], outcomes: Sequence[Result | BaseException], session: SessionBase
) -> Result:
    """Combine the outcomes of several tasks.

    Raises:
        SeedreamError: no task has an image; the error is the first task's.
    """
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, SeedreamError):
            raise outcome
    results = [outcome for outcome in outcomes if isinstance(outcome, Result)]
    errors = {
        one: outcome for one, outcome in zip(ids, outcomes, strict=True)
        if isinstance(outcome, SeedreamError)
    }  # fmt: skip
    if not any(result.images or result.status == "pending" for result in results):
        raise next(iter(errors.values()))
    return _merge(ids, results, errors, session)


def _merge(
    ids: list[str], results: list[Result], errors: dict[str, SeedreamError], session: SessionBase
) -> Result:
    failures = tuple(failure for result in results for failure in result.failures) + tuple(
        Failure(error.message_text, task_id=one, error=error) for one, error in errors.items()
    )
    images = tuple(image for result in results for image in result.images)
    running = [e for e in errors.values() if isinstance(e, WaitTimedOut)]
    if failures and not running and session.settings.text("SEEDREAM_PARTIAL") == "fail":
        raise PartialResult(
            "partial_result",
            failed=len(failures),
            total=len(failures) + len(images),
            reason=join_texts(failure.reason for failure in failures),
        )
    is_pending = running or any(result.status == "pending" for result in results)
    origins = {result.origin for result in results}
    return Result(
        status="pending" if is_pending else "partial" if failures else "completed",
        entry=results[0].entry,
        origin=origins.pop() if len(origins) == 1 else Origin.RESUMED,
        model=results[0].model,
        task_id="\n".join(ids),
        images=images,
        failures=failures,
        asked=sum(result.asked for result in results),
        references=sum(result.references for result in results),
        cost=sum_costs(result.cost for result in results),
        notes=tuple(dict.fromkeys(note for result in results for note in result.notes)),
        seconds=max(result.seconds for result in results),
        service_seconds=max((r.service_seconds or 0.0 for r in results), default=0.0) or None,
        prompt=results[0].prompt if len(results) == 1 else None,
        seed=results[0].seed if len(results) == 1 else 0,
        request_id=results[0].request_id if len(results) == 1 else None,
    )


async def _no_ids_error(session: SessionBase) -> InvalidRequest:
    """Build the error for an empty id, which lists unfinished tasks."""
    ledger = session.ledger
    rows = await ledger.list_records((State.ACCEPTED, State.ANSWERED), _MAX_OFFERED)
    named = [f"{row.task_id} ({row.model or '?'})" for row in rows if row.task_id]
    return InvalidRequest(
        "task_id_empty",
        unfinished=Text("unfinished_tasks", tasks=", ".join(named)) if named else "",
    )
