"""Tasks by their ids: one, or several at once, our own or a stranger's. Nothing is submitted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from ..callbacks import check_callback
from ..errors import (
    Charge,
    ConfigurationError,
    Interrupted,
    InvalidRequest,
    PartialResult,
    SeedreamError,
    TaskNotFound,
    WaitTimedOut,
)
from ..ledger.records import JobRecord
from ..ledger.states import STORED_STATES, State, key_fingerprint
from ..messages import Text, join_texts
from ..service.polling import wait_limit_s
from ..service.validation import validate_task_id
from .cancellation import noting_cancellation
from .generate import Listener, check_once, wait_for_job
from .job import Job
from .results import Failure, Origin, Progress, Result
from .session import Session

_OFFERED = 10
"""How many unfinished tasks an empty id is answered with."""


async def collect(
    task_id: str,
    session: Session,
    *,
    wait: bool = True,
    timeout_s: float | None = None,
    progress: Listener | None = None,
) -> Result:
    """Fetch the images of one task.

    Args:
        wait: whether to wait for the task; if not, one look decides between the images and a
            ``pending`` result.

    Raises:
        SeedreamError: the task failed, is not known, or still runs after ``timeout_s``.
    """
    session.check_usable()
    settings, ledger = session.settings, session.ledger
    limit_s = wait_limit_s(timeout_s, settings.number("SEEDREAM_TIMEOUT_S"))
    check_callback(progress)
    with noting_cancellation(lambda: Interrupted("interrupted_before")):
        task_id, is_typed = await _check_task_id(task_id, session)
    printed = key_fingerprint(settings.key.get_secret_value())

    async def claim() -> JobRecord:
        row = await ledger.run(ledger.claim_task, settings.address, task_id, printed)
        if _was_not_found(row) and row.owner == ledger.owner:
            # The service may know it by now.
            await ledger.run(ledger.forget, row.id)
            row = await ledger.run(ledger.claim_task, settings.address, task_id, printed)
        if row.address != settings.address:
            await ledger.run(ledger.release, row.id)
            raise ConfigurationError(
                "task_of_other_address",
                task_id=task_id,
                saved=row.address,
                address=settings.address,
            )
        return row

    def begin() -> Job:
        return Job(session, claim, timeout_s=limit_s, looks_once=not wait, is_typed=is_typed)

    key = _find_job_key(task_id, session) or f"task:{task_id}"
    if not wait:
        return await check_once(session, key, begin, progress)
    return await wait_for_job(session, key, begin, wait=True, timeout_s=limit_s, progress=progress)


async def _check_task_id(text: str, session: Session) -> tuple[str, bool]:
    """The task ID, and whether it is only what a person typed.

    What the service itself gave as an ID is used, whatever it looks like.

    Raises:
        InvalidRequest: it was typed, and is malformed.
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidRequest("task_id_malformed", given=text)
    task_id = text.strip()
    if _find_job_key(task_id, session):
        return task_id, False
    known = await session.ledger.run(session.ledger.find_task, task_id)
    if known is None:
        return validate_task_id(task_id), True
    return task_id, _was_not_found(known)


def _find_job_key(task_id: str, session: Session) -> str | None:
    """Under which key this process works on the task."""
    jobs = session.running_jobs.items()
    return next((key for key, work in jobs if work.row and work.row.task_id == task_id), None)


def _was_not_found(row: JobRecord) -> bool:
    """Whether it ended because the service did not know a task that a person named."""
    return row.state is State.FAILED and isinstance(row.error, TaskNotFound)


async def resume(row: JobRecord, session: Session) -> Result:
    """Fetch what one row of the record still lacks, also where no task id leads to it.

    Raises:
        InvalidRequest: it was never sent.
        SeedreamError: how it ended, or why nothing can be fetched.
    """
    session.check_usable()
    settings, ledger = session.settings, session.ledger
    if row.state in (State.INTENDED, State.WITHDRAWN):
        raise InvalidRequest("entry_not_resumable", given=row.id)
    if row.task_id is not None:
        return await collect_all([row.task_id], session)
    limit_s = settings.number("SEEDREAM_TIMEOUT_S")

    async def claim() -> JobRecord:
        return await ledger.run(ledger.claim_row, row.id)

    def begin() -> Job:
        return Job(session, claim, timeout_s=limit_s)

    key = f"entry:{row.id}"
    return await wait_for_job(session, key, begin, wait=True, timeout_s=limit_s, progress=None)


async def collect_all(
    task_ids: Sequence[str],
    session: Session,
    *,
    wait: bool = True,
    timeout_s: float | None = None,
    progress: Callable[[str, Progress], None] | None = None,
) -> Result:
    """Fetch several tasks at once: images in the order of the ids, failures beside them.

    The status is ``pending`` while any task still runs, ``partial`` where some failed.

    Raises:
        InvalidRequest: there is no id (unfinished tasks are named), or one is malformed.
        SeedreamError: no task gave an image: the first one's reason.
        PartialResult: some failed and ``SEEDREAM_PARTIAL`` is ``fail``.
    """
    session.check_usable()
    wait_limit_s(timeout_s, session.settings.number("SEEDREAM_TIMEOUT_S"))
    check_callback(progress)
    given = task_ids.splitlines() if isinstance(task_ids, str) else task_ids
    ids = [(await _check_task_id(text, session))[0] for text in given if str(text).strip()]
    ids = list(dict.fromkeys(ids))
    if not ids:
        raise await _no_ids_error(session)

    def listener(task_id: str) -> Listener | None:
        told = progress
        return None if told is None else lambda step: told(task_id, step)

    polls = (
        collect(one, session, wait=wait, timeout_s=timeout_s, progress=listener(one)) for one in ids
    )
    cancelled = Interrupted("interrupted_task", task_id=" ".join(ids), charge=Charge.RUNNING)
    with noting_cancellation(lambda: cancelled):
        ended = await asyncio.gather(*polls, return_exceptions=True)
    for outcome in ended:
        if isinstance(outcome, BaseException) and not isinstance(outcome, SeedreamError):
            raise outcome
    results = [outcome for outcome in ended if isinstance(outcome, Result)]
    errors = {
        one: outcome for one, outcome in zip(ids, ended, strict=True)
        if isinstance(outcome, SeedreamError)
    }  # fmt: skip
    if not any(result.images or result.status == "pending" for result in results):
        raise next(iter(errors.values()))
    return _gather(ids, results, errors, session)


def _gather(
    ids: list[str], results: list[Result], errors: dict[str, SeedreamError], session: Session
) -> Result:
    failures = tuple(failure for result in results for failure in result.failures) + tuple(
        Failure(error.message("en"), task_id=one, error=error) for one, error in errors.items()
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
        notes=tuple(dict.fromkeys(note for result in results for note in result.notes)),
        seconds=max(result.seconds for result in results),
        service_seconds=max((r.service_seconds or 0.0 for r in results), default=0.0) or None,
    )


async def _no_ids_error(session: Session) -> InvalidRequest:
    """The error for an empty id, which offers what is unfinished by name."""
    ledger = session.ledger
    rows = await ledger.run(ledger.rows, (State.ACCEPTED, State.ANSWERED), _OFFERED)
    named = [f"{row.task_id} ({row.model or '?'})" for row in rows if row.task_id]
    return InvalidRequest(
        "task_id_empty",
        unfinished=Text("unfinished_tasks", tasks=", ".join(named)) if named else "",
    )


async def are_finished(task_ids: Sequence[str], session: Session) -> bool:
    """Whether the record holds all images of all these tasks. Asks nobody."""
    ledger = session.ledger
    rows = [await ledger.run(ledger.find_task, task_id.strip()) for task_id in task_ids]
    return bool(rows) and all(row is not None and row.state in STORED_STATES for row in rows)
