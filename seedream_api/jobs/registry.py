"""Find or start the job of a session for a key; equal requests share one job and one charge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from ..errors import WaitTimedOut
from ..ledger.records import JobRecord
from . import runner
from .cancellation import cancellation_error, note_cancellation
from .job import Job
from .outcomes import build_result, pending_result
from .resources import Resources
from .results import Origin, Progress, Result
from .session_base import SessionBase
from .sources import JobSource

Listener = Callable[[Progress], None]


async def wait_for_job(
    session: SessionBase,
    key: str,
    source: JobSource,
    resources: Resources,
    *,
    wait: bool,
    timeout_s: float,
    progress: Listener | None,
) -> Result:
    """Wait for the job of this key, which may already be running; all its waiters share one charge.

    Args:
        resources: those of the profile that sends or polls, unless the row has another one.
        wait: whether to wait for the images; if not, only until the task id is known.
        timeout_s: seconds to wait.

    Raises:
        WaitTimedOut: the job is still running after ``timeout_s``.
        SeedreamError: how the job ended.
    """
    deadline = session.resources.clock.monotonic() + timeout_s
    while True:
        job, is_joined = get_or_start(session, key, source, resources, timeout_s)
        awaited: set[asyncio.Future[object]] = {job.task}  # type: ignore[arg-type]
        if not wait:
            awaited.add(job.accepted)  # type: ignore[arg-type]
        with note_cancellation(partial(cancellation_error, job)):
            left = max(0.0, deadline - session.resources.clock.monotonic())
            is_done = await _wait(job, awaited, progress, left)
            if is_joined and job.task.cancelled() and not session.is_closing:
                continue  # its last waiter withdrew it just as this one joined
            try:
                return await build_result(job, source, is_joined=is_joined, is_done=is_done)
            except WaitTimedOut:
                # The caller that started the job had a shorter timeout than this one.
                is_over = is_joined and job.task.done()
                if not (is_over and session.resources.clock.monotonic() < deadline):
                    raise


async def _wait(
    job: Job,
    awaited: set[asyncio.Future[object]],
    progress: Listener | None,
    timeout_s: float | None = None,
) -> bool:
    """Wait as one of the job's waiters; return whether one of ``awaited`` is done in time."""
    job.add_waiter(progress)
    try:
        done, _ = await asyncio.wait(
            awaited, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        job.remove_waiter(progress)
    return bool(done)


def get_or_start(
    session: SessionBase, key: str, source: JobSource, resources: Resources, timeout_s: float
) -> tuple[Job, bool]:
    """Get the running job of this key, or start one; also return whether it was already running."""
    running = session.running_jobs
    found = running.get(key)
    if found is not None and not found.task.done():
        return found, True
    job = running[key] = session.create_job(source, timeout_s, resources)
    runner.start(job, running, session.profiles)

    def forget(task: asyncio.Task[JobRecord]) -> None:
        if running.get(key) is job:
            del running[key]
        if not task.cancelled():
            task.exception()  # mark it as retrieved; the ledger has recorded it

    job.task.add_done_callback(forget)
    return job, False


async def check_once(
    session: SessionBase,
    key: str,
    source: JobSource,
    resources: Resources,
    timeout_s: float,
    progress: Listener | None,
) -> Result:
    """Poll a task once; return its images if it is completed, otherwise a pending result.

    Raises:
        SeedreamError: how the job ended.
    """
    job, is_joined = get_or_start(session, key, source, resources, timeout_s)
    with note_cancellation(partial(cancellation_error, job)):
        job.add_waiter(progress)
        try:
            if not is_joined or await _is_finished(job):
                await asyncio.wait({job.task})
        finally:
            job.remove_waiter(progress)
        try:
            return await build_result(job, source, is_joined=is_joined, is_done=job.task.done())
        except WaitTimedOut:
            row = job.current_row
            if row is None:
                raise
            return pending_result(job, source, row, "pending", Origin.RESUMED)


async def _is_finished(job: Job) -> bool:
    """Request a poll from a running job, and return whether it finds the task finished."""
    polled = job.signal.request_poll()
    await asyncio.wait({job.task, polled}, return_when=asyncio.FIRST_COMPLETED)
    return job.task.done() or not polled.result()
