"""Jobs of one session by what they are for: equal requests share one job, and one charge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..errors import WaitTimedOut
from ..ledger.records import JobRecord
from . import runner
from .cancellation import noting_cancellation
from .job import Job
from .outcomes import build_result, pending_result
from .results import Origin, Progress, Result
from .session import Session
from .sources import JobSource

Listener = Callable[[Progress], None]


async def wait_for_job(
    session: Session,
    key: str,
    source: JobSource,
    *,
    wait: bool,
    timeout_s: float,
    progress: Listener | None,
) -> Result:
    """Wait for the job of this key, started here or by another caller; one charge serves all.

    Args:
        wait: whether to wait for the images; if not, until the task id is known.
    """
    deadline = session.resources.clock() + timeout_s
    while True:
        job, is_joined = get_or_start(session, key, source, timeout_s)
        awaited: set[asyncio.Future[object]] = {job.task}  # type: ignore[arg-type]
        if not wait:
            awaited.add(job.accepted)  # type: ignore[arg-type]
        with noting_cancellation(job.cancellation_error):
            left = max(0.0, deadline - session.resources.clock())
            is_done = await _wait(job, awaited, progress, left)
            if is_joined and job.task.cancelled() and not session.is_closing:
                continue  # its last waiter withdrew it just when this one joined
            try:
                return await build_result(job, is_joined=is_joined, is_done=is_done)
            except WaitTimedOut:
                # The job was started by a caller that waits for less long than this one.
                is_over = is_joined and job.task.done()
                if not (is_over and session.resources.clock() < deadline):
                    raise


async def _wait(
    job: Job,
    awaited: set[asyncio.Future[object]],
    progress: Listener | None,
    timeout_s: float | None = None,
) -> bool:
    """Wait as one of the job's waiters; return whether one of ``awaited`` ended in time."""
    job.add_waiter(progress)
    try:
        done, _ = await asyncio.wait(
            awaited, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        job.remove_waiter(progress)
    return bool(done)


def get_or_start(
    session: Session, key: str, source: JobSource, timeout_s: float
) -> tuple[Job, bool]:
    """Get the running job of this key, or start one; the second value is whether it ran already."""
    running = session.running_jobs
    found = running.get(key)
    if found is not None and not found.task.done():
        return found, True
    job = running[key] = session.create_job(source, timeout_s)
    runner.start(job, running)

    def forget(task: asyncio.Task[JobRecord]) -> None:
        if running.get(key) is job:
            del running[key]
        if not task.cancelled():
            task.exception()  # no one may be waiting any more; the ledger has it

    job.task.add_done_callback(forget)
    return job, False


async def check_once(
    session: Session, key: str, source: JobSource, timeout_s: float, progress: Listener | None
) -> Result:
    """Poll a task once: its images if it is ready, else a pending result."""
    job, is_joined = get_or_start(session, key, source, timeout_s)
    with noting_cancellation(job.cancellation_error):
        job.add_waiter(progress)
        try:
            if not is_joined or await _is_finished(job):
                await asyncio.wait({job.task})
        finally:
            job.remove_waiter(progress)
        try:
            return await build_result(job, is_joined=is_joined, is_done=job.task.done())
        except WaitTimedOut:
            row = job.current_row
            if row is None:
                raise
            return pending_result(job, row, "pending", Origin.RESUMED)


async def _is_finished(job: Job) -> bool:
    """Whether a running job sees the end of its task in a poll that is requested now."""
    polled = job.signal.request_poll()
    await asyncio.wait({job.task, polled}, return_when=asyncio.FIRST_COMPLETED)
    return job.task.done() or not polled.result()
