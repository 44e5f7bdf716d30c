"""Brings the images of an answered request into the store: several at once, each on its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .addresses import Policy
from .downloads import LinkDead
from .errors import (
    AuthenticationFailed,
    Charge,
    LedgerFailed,
    ResultUnavailable,
    SeedreamError,
    TaskNotFound,
)
from .intents import key_print
from .ledger_rows import Image, Row
from .pictures import probe
from .results import Phase
from .store import StoredFile

if TYPE_CHECKING:
    from .session import Session

DEADLINE_S = 3600.0
"""Of one image, which is paid for: eight large ones at once may share a slow line for long. A line
on which nothing comes is given up much sooner."""


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
            task = await session.look(row.task_id)
        except SeedreamError as error:
            return {
                position: _not_renewed(session, row, error)
                if isinstance(failure, LinkDead)
                else _final(failure, row)
                for position, failure in failures.items()
            }
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
    download = await session.downloader.fetch(
        image.url, partial, policy=policy, deadline_s=DEADLINE_S
    )
    file = await asyncio.to_thread(
        session.store.keep,
        partial,
        sha256=download.sha256,
        kind=download.media_type,
        size=download.bytes,
    )
    size = await asyncio.to_thread(_size, file.path)
    await session.ledger.run(session.ledger.stored, image.request, image.position, file, size)


async def measure(session: Session, row: Row) -> None:
    """Note the sizes of images that came inside an answer: there the bytes were kept first."""
    ledger = session.ledger
    for image in await ledger.run(ledger.images, row.id):
        if image.file is not None and not image.width:
            size = await asyncio.to_thread(_size, image.file)
            file = StoredFile(image.file, image.sha256 or "", image.bytes, image.media_type)
            await ledger.run(ledger.stored, row.id, image.position, file, size)


def of_other_key(session: Session, row: Row, error: SeedreamError) -> SeedreamError:
    """What a 401, 403 or 404 for a task means: perhaps only that another key made it."""
    mine = key_print(session.settings.key.get_secret_value())
    if row.key_print in (None, mine):
        return error
    reason = error.values.get("reason")
    return TaskNotFound("task_of_other_key", task_id=row.task_id, reason=reason)


def _not_renewed(session: Session, row: Row, error: SeedreamError) -> SeedreamError:
    """Why no fresh link came for a dead one."""
    if isinstance(error, (TaskNotFound, AuthenticationFailed)):
        error = of_other_key(session, row, error)
    if error.key == "task_of_other_key":
        return error.about(Charge.PAID, row.task_id)
    if isinstance(error, TaskNotFound):
        error = LinkDead("result_gone", reason=error.values.get("reason"), entry=row.id)
    return _final(error, row)


def _size(path: Path) -> tuple[int, int]:
    """Width and height, or zeros: bytes that nobody can read are kept all the same."""
    try:
        info = probe(path, name=path.name)
    except ResultUnavailable:
        return 0, 0
    return info.width, info.height


def _final(error: SeedreamError, row: Row) -> SeedreamError:
    """Why a paid image is not here, in words that say what is left to do."""
    known: dict[str, Any] = {"task_id": row.task_id, "charge": Charge.PAID}
    if isinstance(error, LedgerFailed):
        return LedgerFailed(error.key, **known, **error.values)
    if isinstance(error, LinkDead) or error.key == "result_gone":
        reason = error.values.get("reason")
        return ResultUnavailable("result_gone", reason=reason, entry=row.id, **known)
    return ResultUnavailable("result_not_fetched", reason=error, **known)
