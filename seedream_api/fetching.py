"""Brings the images of an answered request into the store: several at once, each on its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .addresses import Policy
from .downloads import LinkDead
from .errors import Charge, LedgerFailed, ResultUnavailable, SeedreamError, TaskNotFound
from .ledger_rows import Image, Row
from .pictures import probe
from .results import Phase

if TYPE_CHECKING:
    from .session import Session


async def fetch_missing(
    session: Session, row: Row, tell: Callable[..., None]
) -> dict[int, SeedreamError]:
    """Fetch every image of ``row`` that is not stored yet; dead links are asked for anew, once.

    Returns:
        By position, why an image could not be fetched; it stays resumable.
    """
    policy = await session.result_policy()
    failures = await _fetch_all(session, row, policy, tell)
    if row.task_id and any(isinstance(error, LinkDead) for error in failures.values()):
        try:
            task = await session.client.get_task(row.task_id)
        except TaskNotFound as error:
            gone = ResultUnavailable(
                "result_gone", task_id=row.task_id, reason=error.values["reason"], entry=row.id
            )
            return dict.fromkeys(failures, gone)
        if any(item.url for item in task.items):
            await session.ledger.run(session.ledger.answered, row.id, task.items, {})
            failures = await _fetch_all(session, row, policy, tell)
    return {position: _final(error, row) for position, error in failures.items()}


async def _fetch_all(
    session: Session, row: Row, policy: Policy, tell: Callable[..., None]
) -> dict[int, SeedreamError]:
    images = await session.ledger.run(session.ledger.images, row.id)
    missing = [image for image in images if image.is_missing]
    made = sum(image.error is None for image in images)
    done = made - len(missing)
    tell(Phase.DOWNLOADING, task_id=row.task_id, done=done, total=made)
    failures: dict[int, SeedreamError] = {}

    async def one(image: Image) -> None:
        nonlocal done
        try:
            await _fetch_one(session, image, policy)
        except SeedreamError as error:
            failures[image.position] = error
            return
        done += 1
        tell(Phase.DOWNLOADING, task_id=row.task_id, done=done, total=made)

    await asyncio.gather(*(one(image) for image in missing))
    return failures


async def _fetch_one(session: Session, image: Image, policy: Policy) -> None:
    if image.url is None:
        raise LinkDead("result_gone", reason="it has no address", entry=image.request)
    partial = await asyncio.to_thread(session.store.new_partial)
    download = await session.downloader.fetch(image.url, partial, policy=policy)
    file = await asyncio.to_thread(
        session.store.keep,
        partial,
        sha256=download.sha256,
        kind=download.media_type,
        size=download.bytes,
    )
    size = await asyncio.to_thread(_size, file.path)
    await session.ledger.run(session.ledger.stored, image.request, image.position, file, size)


def _size(path: Path) -> tuple[int, int]:
    """Width and height, or zeros: bytes that nobody can read are kept all the same."""
    try:
        info = probe(path, name=path.name)
    except ResultUnavailable:
        return 0, 0
    return info.width, info.height


def _final(error: SeedreamError, row: Row) -> SeedreamError:
    """Why a paid image is not here, in words that say what is left to do."""
    if isinstance(error, LedgerFailed):
        return error
    known: dict[str, Any] = {"task_id": row.task_id, "charge": Charge.PAID}
    if isinstance(error, LinkDead) or error.key == "result_gone":
        reason = error.values.get("reason")
        return ResultUnavailable("result_gone", reason=reason, entry=row.id, **known)
    return ResultUnavailable("result_not_fetched", reason=error.happened("en"), **known)
