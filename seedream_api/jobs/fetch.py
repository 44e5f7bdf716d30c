"""Download the images of a completed request into the store, concurrently."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

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
from ..ledger.states import State
from ..messages import Text
from ..network.url_guard import FetchPolicy
from ..redaction import strip_url_secrets
from ..service.link_expiry import FAMILY_LIFE_S
from .resources import Resources
from .results import Phase

DEADLINE_S = 3600.0
"""For one paid image, as eight large ones may share a slow connection; a stalled download is given
up much sooner."""
SETTLING_S = 25.0
"""For how long after the service returned a link its server may not serve it yet."""
FIRST_SETTLING_S = 6.0
"""The same if a poll of the task can return another link."""
_LONGEST_LIFE_S = max(FAMILY_LIFE_S.values())
_GONE_FOR_GOOD = 410


@dataclass(frozen=True)
class _Unfetched:
    """An image that could not be downloaded, with its record at the time of the attempt."""

    image: ImageRecord
    error: SeedreamError


async def download_missing(
    resources: Resources, row: JobRecord, report: Callable[..., None]
) -> dict[int, SeedreamError]:
    """Download every image of ``row`` that is not in the store.

    An image that another machine stored is read from the shared store. If a download of a task
    fails, the task is polled once for fresh links.

    Args:
        report: called with the phase and details of every step.

    Returns:
        Why an image could not be downloaded, by its position; it can be resumed later.
    """
    await record_sizes(resources, row)
    await mark_missing_files(resources, row)
    unread = await resources.shared.restore_images(row.id) if resources.shared else None
    settle_s = FIRST_SETTLING_S if row.task_id else SETTLING_S
    failures = await _fetch_all(resources, row, report, settle_s=settle_s)
    if row.task_id and any(not isinstance(f.error, LedgerFailed) for f in failures.values()):
        failures = await _refresh_links(resources, row, failures, report)
    now = resources.clock.now()
    is_elsewhere = resources.ledger.is_shared
    return {
        position: _final_error(failure, row, now, unread, is_elsewhere=is_elsewhere)
        for position, failure in failures.items()
    }


async def mark_missing_files(resources: Resources, row: JobRecord) -> JobRecord:
    """Mark images whose files are missing or damaged, so that they are downloaded again."""
    ledger, store = resources.ledger, resources.store
    images = await ledger.list_images(row.id)

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
    return row if not lost or is_marked else await ledger.mark_missing(row.id, lost)


async def _refresh_links(
    resources: Resources,
    row: JobRecord,
    failures: dict[int, _Unfetched],
    report: Callable[..., None],
) -> dict[int, _Unfetched]:
    """Poll the task for fresh links and download the images that are still missing."""
    ledger = resources.ledger
    assert row.task_id is not None, "the caller has checked"  # noqa: S101
    try:
        task = await resources.poll(row.task_id)
    except SeedreamError as error:
        return _replace_expired(failures, refresh_error(resources, row, error))
    items = tuple(item for item in task.items if item.url or item.data)
    if not items:
        return failures
    files = {
        item.position: await asyncio.to_thread(resources.store.add_bytes, item.data)
        for item in items
        if item.data
    }
    link_life_s = resources.settings.facts.find_link_life(row.family)
    await ledger.record_response(row.id, items, files, link_life_s=link_life_s)
    missing = {
        image.position: image for image in await ledger.list_images(row.id) if image.is_missing
    }
    # The poll may have renewed an expired link, so the same link is worth another attempt.
    retried = {
        position
        for position, image in missing.items()
        if position not in failures
        or image.url != failures[position].image.url
        or isinstance(failures[position].error, LinkExpired)
    }
    kept = {p: failure for p, failure in failures.items() if p in missing.keys() - retried}
    return kept | await _fetch_all(resources, row, report, settle_s=SETTLING_S, positions=retried)


def _replace_expired(
    failures: dict[int, _Unfetched], error: SeedreamError
) -> dict[int, _Unfetched]:
    return {
        position: replace(failure, error=error)
        if isinstance(failure.error, LinkExpired)
        else failure
        for position, failure in failures.items()
    }


async def _fetch_all(
    resources: Resources,
    row: JobRecord,
    report: Callable[..., None],
    *,
    settle_s: float,
    positions: Set[int] | None = None,
) -> dict[int, _Unfetched]:
    policy = await resources.result_policy()
    images = await resources.ledger.list_images(row.id)
    missing = [image for image in images if image.is_missing]
    made = sum(image.error is None for image in images)
    done = made - len(missing)
    report(Phase.DOWNLOADING, task_id=row.task_id, done=done, total=made)
    failures: dict[int, _Unfetched] = {}

    async def fetch_one(image: ImageRecord) -> None:
        nonlocal done
        try:
            await _fetch_one(resources, image, policy, settle_s)
        except SeedreamError as error:
            failures[image.position] = _Unfetched(image, error)
            return
        done += 1
        report(Phase.DOWNLOADING, task_id=row.task_id, done=done, total=made)

    wanted = (image for image in missing if positions is None or image.position in positions)
    await asyncio.gather(*(fetch_one(image) for image in wanted))
    return failures


async def _fetch_one(
    resources: Resources, image: ImageRecord, policy: FetchPolicy, settle_s: float
) -> None:
    if image.url is None:
        raise LinkExpired("result_gone", reason=Text("no_url"), entry=image.request)
    store = resources.store
    partial = await asyncio.to_thread(store.new_partial)
    age_s = resources.clock.now() - (image.url_seen_at or 0.0)
    download = await resources.downloader.fetch(
        image.url,
        partial,
        policy=policy,
        deadline_s=DEADLINE_S,
        settle_s=min(settle_s, max(0.0, settle_s - age_s)),
    )

    def store_file() -> tuple[StoredFile, tuple[int, int]]:
        sha256, kind = download.sha256, download.media_type
        try:
            size = _measure(partial, strip_url_secrets(download.final_url))
        except ResultUnavailable as error:
            path = store.keep_unreadable(partial, sha256, kind)
            raise LinkExpired("result_unreadable", reason=error, path=path) from None
        return store.add(partial, sha256=sha256, kind=kind, size=download.bytes), size

    file, size = await asyncio.to_thread(store_file)
    await resources.ledger.record_image(image.request, image.position, file, size)


async def record_sizes(resources: Resources, row: JobRecord) -> None:
    """Record the sizes of images that a response contained, whose bytes were stored first."""
    ledger = resources.ledger
    for image in await ledger.list_images(row.id):
        if image.file is not None and not image.width:
            size = await asyncio.to_thread(_measure_or_zero, image.file)
            file = StoredFile(image.file, image.sha256 or "", image.bytes, image.media_type)
            await ledger.record_image(row.id, image.position, file, size)


def key_mismatch_error(resources: Resources, row: JobRecord, error: SeedreamError) -> SeedreamError:
    """Build the error for a 401, 403 or 404, which may mean that another key made the task."""
    if resources.has_key_of(row):
        return error
    return TaskNotFound("task_of_other_key", task_id=row.task_id, reason=error.reason)


def refresh_error(resources: Resources, row: JobRecord, error: SeedreamError) -> SeedreamError:
    """Build the error for an expired link when the poll for a fresh one failed."""
    if isinstance(error, (TaskNotFound, AuthenticationFailed)):
        error = key_mismatch_error(resources, row, error)
    if error.key == "task_of_other_key":
        return error.with_charge(Charge.PAID, row.task_id)
    if isinstance(error, TaskNotFound):
        return LinkExpired("result_gone", reason=error.reason, entry=row.id)
    return error


def _measure_or_zero(path: Path) -> tuple[int, int]:
    """Return width and height in pixels, or zeros if the file cannot be decoded."""
    try:
        return _measure(path, path.name)
    except ResultUnavailable:
        return 0, 0


def _measure(path: Path, name: str) -> tuple[int, int]:
    """Return width and height in pixels.

    A file that is too large for this machine, or needs a missing library, is measured by its
    header.

    Raises:
        ResultUnavailable: the file is not a complete image.
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


def _final_error(
    failure: _Unfetched, row: JobRecord, now: float, unread: str | None, *, is_elsewhere: bool
) -> SeedreamError:
    """Build the error for a paid image that is missing, which says whether it can be resumed.

    Args:
        unread: why the shared store, which may have the image, cannot be read.
        is_elsewhere: whether another machine may have the file of an image that was stored.
    """
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
        if failure.image.sha256 is not None and unread is not None:
            reason = Text("store_unread", reason=unread)
            return ResultUnavailable("result_not_fetched", reason=reason, **known)
        is_elsewhere = is_elsewhere and failure.image.sha256 is not None
        key = "result_elsewhere" if is_elsewhere else "result_gone"
        return ResultUnavailable(key, reason=reason, entry=row.id, **known)
    reason = error.reason if error.key == "result_gone" else error
    return ResultUnavailable("result_not_fetched", reason=reason, **known)


def _may_live(failure: _Unfetched, now: float) -> bool:
    """Return whether the link may work later; only otherwise may a new request be suggested."""
    image = failure.image
    if image.url is None or getattr(failure.error, "http_status", None) == _GONE_FOR_GOOD:
        return False
    dies_at = image.url_expires_at or (image.url_seen_at or 0.0) + _LONGEST_LIFE_S
    return now < dies_at
