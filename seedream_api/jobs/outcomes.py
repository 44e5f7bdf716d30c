"""Build what the waiters of a job receive: a result, or the error why there is none."""

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
from ..ledger.costs import NO_COST, Cost
from ..ledger.records import ImageRecord, JobRecord
from ..ledger.states import State
from ..messages import Text, join_texts
from .cancellation import cancellation_error
from .job import Job
from .resources import Resources
from .results import Failure, Origin, Result, StoredImage
from .sources import JobSource, NewRequest

log: logging.Logger = logging.getLogger("seedream")


async def build_result(job: Job, source: JobSource, *, is_joined: bool, is_done: bool) -> Result:
    """Build a waiter's result: the images, or ``submitted`` if the job is still running.

    Args:
        source: what the waiter asked for.
        is_joined: whether another caller started the job.
        is_done: whether the awaited event has occurred: the job's end, or its task id.

    Raises:
        WaitTimedOut: the awaited event has not occurred.
        SeedreamError: how the job ended.
    """
    origin = Origin.JOINED if is_joined else job.origin
    if job.task.done():
        if job.task.cancelled():
            raise cancellation_error(job)
        row = job.task.result()
        return await _finished_result(job, source, row, origin)
    row = job.current_row
    if not is_done or row is None:
        raise _timeout_error(job)
    return pending_result(job, source, row, "submitted", origin)


def _timeout_error(job: Job) -> WaitTimedOut:
    row = job.current_row
    task_id = row.task_id if row else None
    is_sent = job.was_sent or job.is_sent_elsewhere
    return WaitTimedOut(
        "wait_timed_out" if task_id else "answer_timed_out",
        task_id=task_id,
        charge=Charge.RUNNING if is_sent else Charge.NONE,
        word=job.latest.word or job.latest.phase.value,
        waited=round(job.resources.clock.monotonic() - job.begun),
    )


def pending_result(
    job: Job, source: JobSource, row: JobRecord, status: str, origin: Origin
) -> Result:
    """Build a result without images yet, with the status ``submitted`` or ``pending``."""
    return Result(
        status=status,
        entry=row.id,
        origin=origin,
        model=row.model,
        task_id=row.task_id,
        asked=row.asked,
        references=len(row.references),
        charged_images=row.asked if origin is Origin.NEW else 0,
        cost=_cost_of(row, source, origin),
        notes=(*row.notes, *job.notes),
        seconds=job.latest.seconds,
        prompt=row.prompt,
        seed=row.seed,
        request_id=row.request_id,
        profile=row.profile,
    )


async def _finished_result(job: Job, source: JobSource, row: JobRecord, origin: Origin) -> Result:
    """Build the result of a row from its stored images and its failures.

    Raises:
        SeedreamError: no image is stored.
        PartialResult: some images failed, and ``SEEDREAM_PARTIAL`` is ``fail``.
    """
    resources = job.resources
    images = await resources.ledger.list_images(row.id)
    stored = tuple(_to_stored_image(image, row) for image in images if image.file is not None)
    failures = tuple(
        _to_failure(image, row, job.download_failures.get(image.position))
        for image in images
        if image.file is None
    )
    _check_enough(resources, row, stored, failures)
    is_fetched = origin in (Origin.NEW, Origin.RESUMED)
    more_bytes = sum(image.bytes for image in stored) if is_fetched else 0
    pruned = await _mark_delivered(resources, row, more_bytes)
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
        cost=_cost_of(row, source, origin),
        notes=(
            *row.notes,
            *job.notes,
            *_count_notes(row, len(stored), len(failures)),
            *([pruned] if pruned else []),
        ),
        seconds=resources.clock.monotonic() - job.begun,
        service_seconds=_get_service_seconds(row),
        prompt=row.prompt,
        seed=row.seed,
        request_id=row.request_id,
        profile=row.profile,
    )


def _cost_of(row: JobRecord, source: JobSource, origin: Origin) -> Cost:
    """Get the cost that a waiter reports: for a request what it added, for a task what it cost."""
    is_free = origin in (Origin.STORED, Origin.JOINED) and isinstance(source, NewRequest)
    return NO_COST if is_free else row.cost


def _get_service_seconds(row: JobRecord) -> float | None:
    return row.answered_at - row.accepted_at if row.answered_at and row.accepted_at else None


def _check_enough(
    resources: Resources,
    row: JobRecord,
    stored: tuple[StoredImage, ...],
    failures: tuple[Failure, ...],
) -> None:
    if not stored:
        raise _nothing_fetched_error(row, failures)
    if failures and resources.settings.text("SEEDREAM_PARTIAL") == "fail":
        raise PartialResult(
            "partial_result",
            task_id=row.task_id,
            failed=len(failures),
            total=len(stored) + len(failures),
            reason=join_texts(failure.reason for failure in failures),
        )


def _count_notes(row: JobRecord, made: int, failed: int) -> tuple[str, ...]:
    """Build the note that the service made fewer images than requested."""
    if made + failed >= row.asked:
        return ()
    return (Text("fewer_images", made=made, asked=row.asked),)


async def _mark_delivered(resources: Resources, row: JobRecord, more_bytes: int) -> str | None:
    """Mark the images as delivered and prune the store; log a failure to do so."""
    try:
        await resources.ledger.mark_delivered(row.id)
        return await resources.prune_if_needed(more_bytes)
    except LedgerFailed as failed:
        log.warning("a delivered result was not noted: %s", failed.summary("en"))
        return None


def _to_stored_image(image: ImageRecord, row: JobRecord) -> StoredImage:
    assert image.file is not None, "the caller has checked"  # noqa: S101
    return StoredImage(
        path=image.file,
        position=image.position,
        url=image.url,
        width=image.width,
        height=image.height,
        bytes=image.bytes,
        media_type=image.media_type,
        sha256=image.sha256 or "",
        task_id=row.task_id,
        job=row.id,
        model=row.model,
        prompt=row.prompt,
        seed=row.seed,
    )


def _to_failure(image: ImageRecord, row: JobRecord, error: SeedreamError | None) -> Failure:
    reason = image.error or (error.message_text if error else Text("not_stored"))
    return Failure(reason, position=image.position, task_id=row.task_id, error=error)


def _nothing_fetched_error(row: JobRecord, failures: tuple[Failure, ...]) -> SeedreamError:
    first = next((failure.error for failure in failures if failure.error), None)
    if first is not None:
        return first
    reason = failures[0].reason if failures else Text("response_without_image")
    return ResultUnavailable(
        "result_gone", charge=Charge.PAID, task_id=row.task_id, reason=reason, entry=row.id
    )
