"""Brings the images of an answered request into the store: several at once, each on its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..downloads.downloader import LinkExpired
from ..errors import (
    AuthenticationFailed,
    Charge,
    LedgerFailed,
    ResultUnavailable,
    SeedreamError,
    TaskNotFound,
)
from ..images.decode import measure as measure_picture, probe
from ..ledger.image_store import StoredFile
from ..ledger.records import ImageRecord, JobRecord
from ..ledger.states import State, key_fingerprint
from ..messages import Text
from ..network.url_guard import FetchPolicy
from ..redaction import strip_url_secrets
from ..service.link_expiry import FAMILY_LIFE_S
from .results import Phase

if TYPE_CHECKING:
    from .session import Session

DEADLINE_S = 3600.0
"""Of one image, which is paid for: eight large ones at once may share a slow line for long. A line
on which nothing comes is given up much sooner."""
SETTLING_S = 25.0
"""So long after the service gave a link, its server may not know it yet."""
FIRST_SETTLING_S = 6.0
"""The same where the task can be asked for another link."""
_LONGEST_LIFE_S = max(FAMILY_LIFE_S.values())
_GONE_FOR_GOOD = 410


@dataclass(frozen=True)
class _Unfetched:
    """An image that could not be fetched, as it was when it was tried."""

    image: ImageRecord
    error: SeedreamError


async def download_missing(
    session: Session, row: JobRecord, tell: Callable[..., None]
) -> dict[int, SeedreamError]:
    """Fetch every image of ``row`` that is not in the store.

    Whatever fails about the links of a task, the task is asked for fresh ones, once.

    Returns:
        By position, why an image could not be fetched; it stays resumable.
    """
    await record_sizes(session, row)
    await mark_missing_files(session, row)
    settle_s = FIRST_SETTLING_S if row.task_id else SETTLING_S
    failures = await _fetch_all(session, row, tell, settle_s=settle_s)
    if row.task_id and any(not isinstance(f.error, LedgerFailed) for f in failures.values()):
        failures = await _refresh_links(session, row, failures, tell)
    now = session.now()
    return {position: _final_error(failure, row, now) for position, failure in failures.items()}


async def mark_missing_files(session: Session, row: JobRecord) -> JobRecord:
    """Mark the images whose files are missing or changed, so that they are fetched again."""
    ledger, store = session.ledger, session.store
    images = await ledger.run(ledger.images, row.id)

    def find_lost() -> list[int]:
        lost: list[int] = []
        for image in images:
            if image.was_made and not store.is_intact(image):
                lost.append(image.position)
                if image.file is not None:
                    store.set_aside(image.file)
        return lost

    lost = await asyncio.to_thread(find_lost)
    is_marked = row.state is State.ANSWERED and all(
        image.is_missing for image in images if image.position in lost
    )
    return row if not lost or is_marked else await ledger.run(ledger.mark_missing, row.id, lost)


async def _refresh_links(
    session: Session, row: JobRecord, failures: dict[int, _Unfetched], tell: Callable[..., None]
) -> dict[int, _Unfetched]:
    """Ask the task for fresh links and fetch by them what is still missing."""
    ledger = session.ledger
    assert row.task_id is not None, "the caller looked"  # noqa: S101
    try:
        task = await session.look(row.task_id)
    except SeedreamError as error:
        told = refresh_error(session, row, error)
        return {
            position: replace(failure, error=told)
            if isinstance(failure.error, LinkExpired)
            else failure
            for position, failure in failures.items()
        }
    items = tuple(item for item in task.items if item.url or item.data)
    if not items:
        return failures
    files = {
        item.position: await asyncio.to_thread(session.store.add_bytes, item.data)
        for item in items
        if item.data
    }
    await ledger.run(ledger.record_response, row.id, items, files)
    missing = {
        image.position: image
        for image in await ledger.run(ledger.images, row.id)
        if image.is_missing
    }
    # The same link is tried again only where the task's word may have revived it.
    again = {
        position
        for position, image in missing.items()
        if position not in failures
        or image.url != failures[position].image.url
        or isinstance(failures[position].error, LinkExpired)
    }
    kept = {p: failure for p, failure in failures.items() if p in missing.keys() - again}
    return kept | await _fetch_all(session, row, tell, settle_s=SETTLING_S, positions=again)


async def _fetch_all(
    session: Session,
    row: JobRecord,
    tell: Callable[..., None],
    *,
    settle_s: float,
    positions: Set[int] | None = None,
) -> dict[int, _Unfetched]:
    policy = await session.result_policy()
    images = await session.ledger.run(session.ledger.images, row.id)
    missing = [image for image in images if image.is_missing]
    made = sum(image.error is None for image in images)
    done = made - len(missing)
    tell(Phase.DOWNLOADING, task_id=row.task_id, done=done, total=made)
    failures: dict[int, _Unfetched] = {}

    async def one(image: ImageRecord) -> None:
        nonlocal done
        try:
            await _fetch_one(session, image, policy, settle_s)
        except SeedreamError as error:
            failures[image.position] = _Unfetched(image, error)
            return
        done += 1
        tell(Phase.DOWNLOADING, task_id=row.task_id, done=done, total=made)

    wanted = (image for image in missing if positions is None or image.position in positions)
    await asyncio.gather(*(one(image) for image in wanted))
    return failures


async def _fetch_one(
    session: Session, image: ImageRecord, policy: FetchPolicy, settle_s: float
) -> None:
    if image.url is None:
        raise LinkExpired("result_gone", reason=Text("no_url"), entry=image.request)
    store = session.store
    partial = await asyncio.to_thread(store.new_partial)
    age_s = session.now() - (image.url_seen_at or 0.0)
    download = await session.downloader.fetch(
        image.url,
        partial,
        policy=policy,
        deadline_s=DEADLINE_S,
        settle_s=min(settle_s, max(0.0, settle_s - age_s)),
    )

    def keep() -> tuple[StoredFile, tuple[int, int]]:
        sha256, kind = download.sha256, download.media_type
        try:
            size = _measure(partial, strip_url_secrets(download.final_url))
        except ResultUnavailable as error:
            kept = store.keep_unreadable(partial, sha256, kind)
            raise LinkExpired("result_unreadable", reason=error, path=kept) from None
        return store.add(partial, sha256=sha256, kind=kind, size=download.bytes), size

    file, size = await asyncio.to_thread(keep)
    await session.ledger.run(session.ledger.record_image, image.request, image.position, file, size)


async def record_sizes(session: Session, row: JobRecord) -> None:
    """Note the sizes of images that came inside a response: there the bytes were kept first."""
    ledger = session.ledger
    for image in await ledger.run(ledger.images, row.id):
        if image.file is not None and not image.width:
            size = await asyncio.to_thread(_measure_or_zero, image.file)
            file = StoredFile(image.file, image.sha256 or "", image.bytes, image.media_type)
            await ledger.run(ledger.record_image, row.id, image.position, file, size)


def key_mismatch_error(session: Session, row: JobRecord, error: SeedreamError) -> SeedreamError:
    """What a 401, 403 or 404 for a task means: perhaps only that another key made it."""
    mine = key_fingerprint(session.settings.key.get_secret_value())
    if row.key_fingerprint in (None, mine):
        return error
    return TaskNotFound("task_of_other_key", task_id=row.task_id, reason=error.reason)


def refresh_error(session: Session, row: JobRecord, error: SeedreamError) -> SeedreamError:
    """Why no fresh link came for a dead one."""
    if isinstance(error, (TaskNotFound, AuthenticationFailed)):
        error = key_mismatch_error(session, row, error)
    if error.key == "task_of_other_key":
        return error.with_charge(Charge.PAID, row.task_id)
    if isinstance(error, TaskNotFound):
        return LinkExpired("result_gone", reason=error.reason, entry=row.id)
    return error


def _measure_or_zero(path: Path) -> tuple[int, int]:
    """Width and height, or zeros where the bytes cannot be decoded."""
    try:
        return _measure(path, path.name)
    except ResultUnavailable:
        return 0, 0


def _measure(path: Path, name: str) -> tuple[int, int]:
    """Width and height of a file that can be decoded, or that only this machine cannot decode.

    Raises:
        ResultUnavailable: its bytes are not a whole image.
    """
    try:
        return measure_picture(path, name=name)
    except ResultUnavailable as error:
        if error.key == "picture_too_large":
            return error.size
        if isinstance(error.__cause__, (MemoryError, ImportError)):
            info = probe(path, name=name)
            return info.width, info.height
        raise


def _final_error(failure: _Unfetched, row: JobRecord, now: float) -> SeedreamError:
    """Why a paid image is not here, in words that say what is left to do."""
    error = failure.error
    known: dict[str, Any] = {"task_id": row.task_id, "charge": Charge.PAID}
    if isinstance(error, LedgerFailed):
        return LedgerFailed(error.key, **known, **error.values)
    if error.key == "task_of_other_key":
        return error
    if error.key == "result_unreadable":
        return ResultUnavailable(error.key, **known, **error.values)
    if isinstance(error, LinkExpired) and not _may_live(failure, now):
        reason = error.reason or error
        return ResultUnavailable("result_gone", reason=reason, entry=row.id, **known)
    reason = error.reason if error.key == "result_gone" else error
    return ResultUnavailable("result_not_fetched", reason=reason, **known)


def _may_live(failure: _Unfetched, now: float) -> bool:
    """Whether the link may work at another time: a new try must not be advised until it cannot."""
    image = failure.image
    if image.url is None or getattr(failure.error, "http_status", None) == _GONE_FOR_GOOD:
        return False
    dies_at = image.url_expires_at or (image.url_seen_at or 0.0) + _LONGEST_LIFE_S
    return now < dies_at
