"""What a work came to, as its waiters get it: a result with its images, or why there is none."""

from __future__ import annotations

import logging

from ..errors import (
    Charge,
    LedgerFailed,
    PartialResult,
    ResultUnavailable,
    SeedreamError,
    WaitTimedOut,
)
from ..ledger.records import Image, Row
from ..ledger.states import State
from .job import Work
from .results import Failure, Origin, Result, StoredImage
from .session import Session

log = logging.getLogger("seedream")


async def outcome_of(session: Session, work: Work, *, is_joined: bool, is_done: bool) -> Result:
    """What a waiter gets of a work: its result, or that it still runs.

    Args:
        is_joined: whether the work was begun by somebody else.
        is_done: whether what was waited for has come: the work's end, or its task id.

    Raises:
        WaitTimedOut: it has not.
        SeedreamError: how the work ended.
    """
    origin = Origin.JOINED if is_joined else work.origin
    if work.task.done():
        if work.task.cancelled():
            raise work.interruption()
        row = work.task.result()
        return await _result(session, work, row, origin)
    row = work.known_row
    if not is_done or row is None:
        raise _timed_out(session, work)
    return unfinished(work, row, "submitted", origin)


def _timed_out(session: Session, work: Work) -> WaitTimedOut:
    row = work.known_row
    task_id = row.task_id if row else None
    is_sent = work.was_sent or work.is_sent_elsewhere
    return WaitTimedOut(
        "wait_timed_out" if task_id else "answer_timed_out",
        task_id=task_id,
        charge=Charge.RUNNING if is_sent else Charge.NONE,
        word=work.latest.word or work.latest.phase.value,
        waited=round(session.clock() - work.begun),
    )


def unfinished(work: Work, row: Row, status: str, origin: Origin) -> Result:
    """A result without images yet: ``submitted``, or ``pending``."""
    return Result(
        status=status,
        entry=row.id,
        origin=origin,
        model=row.model,
        task_id=row.task_id,
        asked=row.asked,
        references=len(row.references),
        charged_images=row.asked if origin is Origin.NEW else 0,
        notes=(*row.notes, *work.travel_notes),
        seconds=work.latest.seconds,
    )


async def _result(session: Session, work: Work, row: Row, origin: Origin) -> Result:
    """The result of a row whose images are stored, as far as they could be fetched.

    Raises:
        ResultUnavailable: not one could be fetched.
        PartialResult: some failed and ``SEEDREAM_PARTIAL`` is ``fail``.
    """
    ledger = session.ledger
    images = await ledger.run(ledger.images, row.id)
    stored = tuple(_stored(image, row.task_id) for image in images if image.file is not None)
    failures = tuple(
        _failure(image, row, work.download_failures.get(image.position))
        for image in images
        if image.file is None
    )
    if not stored:
        raise _nothing_fetched(row, failures)
    if failures and session.settings.text("SEEDREAM_PARTIAL") == "fail":
        raise PartialResult(
            "partial_result",
            task_id=row.task_id,
            failed=len(failures),
            total=len(images),
            reason="; ".join(failure.reason for failure in failures),
        )
    is_fetched = origin in (Origin.NEW, Origin.RESUMED)
    pruned = await _delivered(session, row, sum(i.bytes for i in stored) if is_fetched else 0)
    service_s = row.answered_at - row.accepted_at if row.answered_at and row.accepted_at else None
    return Result(
        status="partial" if failures or row.state is State.PARTIAL else "completed",
        entry=row.id,
        origin=origin,
        model=row.model,
        task_id=row.task_id,
        images=stored,
        failures=failures,
        asked=row.asked,
        references=len(row.references),
        charged_images=row.charged_images(images) if origin is Origin.NEW else 0,
        notes=(
            *row.notes,
            *work.travel_notes,
            *_about_count(row, len(stored), len(failures)),
            *([pruned] if pruned else []),
        ),
        seconds=session.clock() - work.begun,
        service_seconds=service_s,
    )


def _about_count(row: Row, made: int, failed: int) -> tuple[str, ...]:
    """Note that the service made fewer images than were asked for."""
    if made + failed >= row.asked:
        return ()
    return (
        f"{made} of at most {row.asked} images came: n is an upper limit, and the prompt must ask "
        "for several",
    )


async def _delivered(session: Session, row: Row, more_bytes: int) -> str | None:
    """Tidy up behind a result, which is given out whether that succeeds or not."""
    try:
        await session.ledger.run(session.ledger.delivered, row.id)
        return await session.keep_store_bounded(more_bytes)
    except LedgerFailed as failed:
        log.warning("a delivered result was not noted: %s", failed.happened("en"))
        return None


def _stored(image: Image, task_id: str | None) -> StoredImage:
    assert image.file is not None, "the caller looked"  # noqa: S101
    return StoredImage(
        path=image.file,
        position=image.position,
        url=image.url,
        width=image.width,
        height=image.height,
        bytes=image.bytes,
        media_type=image.media_type,
        sha256=image.sha256 or "",
        task_id=task_id,
    )


def _failure(image: Image, row: Row, error: SeedreamError | None) -> Failure:
    reason = image.error or (error.message("en") if error else "it is not stored")
    return Failure(reason, position=image.position, task_id=row.task_id, error=error)


def _nothing_fetched(row: Row, failures: tuple[Failure, ...]) -> SeedreamError:
    first = next((failure.error for failure in failures if failure.error), None)
    if first is not None:
        return first
    reason = failures[0].reason if failures else "it names no image"
    return ResultUnavailable(
        "result_gone", charge=Charge.PAID, task_id=row.task_id, reason=reason, entry=row.id
    )
