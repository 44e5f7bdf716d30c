"""Jobs of the ledger as the task panel shows them, and the actions of the panel."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...seedream_api.errors import InvalidRequest

if TYPE_CHECKING:
    from ...seedream_api.doctor import Check
    from ...seedream_api.jobs.results import Progress
    from ...seedream_api.jobs.session import Session
    from ...seedream_api.ledger.browsing import JobView
    from ...seedream_api.ledger.job_filter import JobFilter
    from ...seedream_api.ledger.records import ImageRecord

PROMPT_LENGTH = 300
"""Characters of a prompt in a list; the details of one job have all of it."""
THUMBNAIL_SIDE = 192
_REMEMBERED = 1_000
"""Thumbnails kept in memory: about ten megabytes."""


def job_json(found: JobView, progress: Progress | None) -> dict[str, Any]:
    """Build the short JSON of a job, for a list of thousands.

    Args:
        progress: the latest step, while this process runs the job.
    """
    row, images = found.row, found.images
    prompt = row.prompt
    return {
        "id": row.id,
        "state": row.state.value,
        "group": found.group.value if found.group else None,
        "is_live": found.is_live,
        "model": row.model,
        "family": row.family,
        "prompt": prompt if prompt is None else prompt[:PROMPT_LENGTH],
        "task_id": row.task_id,
        "created_at": row.created_at,
        "finished_at": row.finished_at,
        "asked": row.asked,
        "references": len(row.references),
        "made": sum(image.error is None for image in images),
        "stored": [image.position for image in images if image.is_stored],
        "charge": found.charge.value,
        "cost": row.cost.to_json(),
        "profile": row.profile or "",
        "is_free": row.is_free,
        "error": _error_json(found),
        "progress": progress_json(progress) if found.is_live and progress else None,
    }


def full_job_json(found: JobView, progress: Progress | None) -> dict[str, Any]:
    """Build the JSON of a job with its whole prompt and its images, but without their URLs."""
    return {
        **job_json(found, progress),
        "prompt": found.row.prompt,
        "seed": found.row.seed,
        "fields": found.row.fields,
        "images": [
            {
                "position": image.position,
                "width": image.width,
                "height": image.height,
                "bytes": image.bytes,
                "media_type": image.media_type,
                "is_stored": image.is_stored,
                "error": image.error,
            }
            for image in found.images
        ],
    }


def _error_json(found: JobView) -> dict[str, Any] | None:
    error = found.row.error
    if error is None:
        return None
    return {
        language: {"happened": error.summary(language), "advice": error.hint(language)}
        for language in ("en", "zh")
    }


def progress_json(step: Progress) -> dict[str, Any]:
    """Build the JSON of a step, for the task panel and for the node that runs the job."""
    return {
        "phase": step.phase.value,
        "percent": step.percent,
        "done": step.done,
        "total": step.total,
        "place": step.place,
        "waits_for": step.row,
        "elsewhere": step.elsewhere,
    }


def find_progress(session: Session, row_id: int) -> Progress | None:
    """Find the latest step of a job that this session runs."""
    jobs = session.running_jobs.values()
    return next((job.latest for job in jobs if job.row and job.row.id == row_id), None)


async def page_json(
    session: Session, wanted: JobFilter, *, offset: int, limit: int
) -> dict[str, Any]:
    """Build a page of the job list, newest first."""
    found = await session.ledger.list_jobs(wanted, offset=offset, limit=limit)
    entries = [job_json(one, find_progress(session, one.row.id)) for one in found.entries]
    return {"total": found.total, "offset": offset, "tasks": entries}


async def overview_json(session: Session) -> dict[str, Any]:
    """Build the counts of each group, the models, and a number that other processes change."""
    found = await session.ledger.summarize_jobs()
    return {
        "total": found.total,
        "groups": {group.value: count for group, count in found.groups.items()},
        "models": list(found.models),
        "outside_changes": found.outside_changes,
    }


async def find_job(session: Session, row_id: int) -> JobView:
    """Find one job of the ledger.

    Raises:
        InvalidRequest: there is no job with this number.
    """

    found = await session.ledger.get_job(row_id)
    if found is None:
        raise InvalidRequest("entry_unknown", given=row_id)
    return found


async def forget(session: Session, row_id: int) -> JobView:
    """Forget a job, so that the same inputs may be paid for again.

    Raises:
        InvalidRequest: there is no job with this number, or it is running.
    """
    await find_job(session, row_id)
    try:
        await session.ledger.forget_idle(row_id)
    except ValueError:
        raise InvalidRequest("entry_running", given=row_id) from None
    return await find_job(session, row_id)


async def collect(session: Session, row_id: int) -> None:
    """Fetch the missing images of a job; nothing is submitted.

    Raises:
        SeedreamError: there is no such job, it was never sent, or how it ended.
    """
    from ...seedream_api.jobs.collect import resume

    await resume((await find_job(session, row_id)).row, session)


async def find_image(session: Session, row_id: int, position: int) -> tuple[Path, str, str]:
    """Find the stored file of an image, its media type and its hash, by row and position.

    An image of another machine is read from the bucket.

    Raises:
        InvalidRequest: there is no such image in the store.
    """
    image = await _find_record(session, row_id, position)
    shared = session.resources.shared
    if image is not None and image.is_shared and shared is not None:
        await shared.restore_images(row_id, image.sha256)
        image = await _find_record(session, row_id, position)
    file = image.file if image else None
    inside = file is not None and await asyncio.to_thread(
        _is_inside, file, session.resources.store.folder
    )
    if image is None or file is None or not inside:
        raise InvalidRequest("image_not_stored", given=row_id, position=position)
    return file, image.media_type, image.sha256 or ""


async def _find_record(session: Session, row_id: int, position: int) -> ImageRecord | None:
    images = (await find_job(session, row_id)).images
    return next((image for image in images if image.position == position), None)


def _is_inside(file: Path, folder: Path) -> bool:
    return file.is_file() and file.resolve().is_relative_to(folder.resolve())


def check_json(check: Check) -> dict[str, Any]:
    """Build the JSON of one of doctor's checks."""
    english = check.error.message("en") if check.error else check.message
    texts = {"en": english, "zh": check.message_zh}
    return {"name": check.name, "verdict": check.verdict, "message": texts}


class _Thumbnails:
    """Small JPEGs of stored images, made in threads, two at a time, and cached by content."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, bytes] = OrderedDict()
        self._turns = asyncio.Semaphore(2)

    async def get(self, file: Path, sha256: str) -> bytes:
        from ...seedream_api.images.thumbnails import thumbnail

        async with self._turns:
            data = self._known.get(sha256)
            if data is None:
                data = await asyncio.to_thread(thumbnail, file, THUMBNAIL_SIDE)
        self._known[sha256] = data
        self._known.move_to_end(sha256)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return data


_thumbnails: _Thumbnails | None = None


async def get_thumbnail(file: Path, sha256: str) -> bytes:
    """Return a stored image as a small JPEG; call it on the pack's loop.

    Raises:
        ResultUnavailable: the image cannot be read.
    """
    global _thumbnails
    if _thumbnails is None:
        _thumbnails = _Thumbnails()
    return await _thumbnails.get(file, sha256)
