"""Generate and collect without ``async``."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Sequence
from typing import Any

from ..jobs import batch as batches, collect as collecting, generate as generating
from ..jobs.batch import BatchItem, BatchPlan
from ..jobs.results import Progress, Result
from ..jobs.session import Session as AsyncSession
from ..service.request import Request
from .session import Session


def generate(
    request: Request,
    session: Session | None = None,
    *,
    wait: bool = True,
    timeout_s: float | None = None,
    progress: Callable[[Progress], None] | None = None,
    profile: str | None = None,
) -> Result:
    """Generate images and pay once; see :func:`seedream_api.generate`.

    Args:
        session: an open session; by default one is opened for this call from the environment.
        wait: whether to wait for the images; if not, the result is ``submitted`` as soon as the
            task id is known.
        timeout_s: seconds to wait; by default ``SEEDREAM_TIMEOUT_S``.
        progress: called with every step, in the session's thread.
        profile: the name of the key and address to use; by default those of the session.

    Raises:
        SeedreamError: see ``errors``; the message says whether money was spent.
    """
    if session is None:
        with Session() as own:
            return generate(
                request, own, wait=wait, timeout_s=timeout_s, progress=progress, profile=profile
            )
    return session.run(
        lambda opened: generating.generate(
            request,
            opened,
            wait=wait,
            timeout_s=timeout_s,
            progress=progress,
            profile=profile,
        )
    )


def generate_all(
    requests: Iterable[Request],
    session: Session | None = None,
    *,
    keep_going: bool = False,
    timeout_s: float | None = None,
    progress: Callable[[int, Progress], None] | None = None,
    profile: str | None = None,
) -> Generator[BatchItem]:
    """Generate the images of many requests and yield each outcome, in the order of the requests.

    Leaving the loop early begins no further request; see :func:`seedream_api.generate_all`.

    Raises:
        SeedreamError: a request failed and ``keep_going`` is off.
    """
    options: dict[str, Any] = {
        "keep_going": keep_going, "timeout_s": timeout_s, "progress": progress, "profile": profile
    }  # fmt: skip
    if session is None:
        with Session() as own:
            yield from generate_all(requests, own, **options)
        return
    started: list[AsyncGenerator[BatchItem]] = []

    async def take(opened: AsyncSession) -> BatchItem | None:
        if not started:
            started.append(batches.generate_all(requests, opened, **options))
        return await anext(started[0], None)

    async def stop(opened: AsyncSession) -> None:
        for items in started:
            await items.aclose()

    try:
        while (item := session.run(take)) is not None:
            yield item
    finally:
        session.run(stop)


def plan_batch(
    requests: Iterable[Request], session: Session, *, profile: str | None = None
) -> BatchPlan:
    """Find what a batch would send and what it may be charged; see :func:`seedream_api.plan_batch`.

    Nothing is sent or uploaded.
    """
    return session.run(lambda opened: batches.plan_batch(requests, opened, profile=profile))


def collect(
    task_id: str,
    session: Session,
    *,
    wait: bool = True,
    timeout_s: float | None = None,
    progress: Callable[[Progress], None] | None = None,
    profile: str | None = None,
) -> Result:
    """Fetch the images of one task; see :func:`seedream_api.collect`."""
    return session.run(
        lambda opened: collecting.collect(
            task_id, opened, wait=wait, timeout_s=timeout_s, progress=progress, profile=profile
        )
    )


def collect_all(
    task_ids: Sequence[str],
    session: Session,
    *,
    wait: bool = True,
    timeout_s: float | None = None,
    progress: Callable[[str, Progress], None] | None = None,
    profile: str | None = None,
) -> Result:
    """Fetch several tasks concurrently; see :func:`seedream_api.collect_all`."""
    return session.run(
        lambda opened: collecting.collect_all(
            task_ids, opened, wait=wait, timeout_s=timeout_s, progress=progress, profile=profile
        )
    )
