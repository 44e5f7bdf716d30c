"""Entries of the record as the task panel shows them, and what the panel may ask for."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...seedream_api.config.settings import SANDBOX
from ...seedream_api.errors import InvalidRequest
from ...seedream_api.ledger.states import State

if TYPE_CHECKING:
    from ...seedream_api.doctor import Check
    from ...seedream_api.jobs.results import Progress
    from ...seedream_api.jobs.session import Session
    from ...seedream_api.ledger.browsing import JobView
    from ...seedream_api.ledger.database import Database

PROMPT_LENGTH = 300
"""Of a prompt in a list; an entry asked for alone has it whole."""
THUMBNAIL_SIDE = 192
_REMEMBERED = 1_000
"""Thumbnails kept in memory: some ten megabytes."""


def entry_json(found: JobView, progress: Progress | None) -> dict[str, Any]:
    """An entry in few words, for a list of thousands.

    Args:
        progress: the latest step, while this process works on it.
    """
    row, images = found.row, found.images
    prompt = row.prompt
    return {
        "id": row.id,
        "state": row.state.value,
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
        "stored": [image.position for image in images if image.file is not None],
        "has_urls": any(image.url for image in images),
        "charge": found.charge.value,
        "is_free": row.address == SANDBOX,
        "error": _error(found),
        "progress": _progress(progress) if found.is_live else None,
    }


def whole_json(found: JobView, progress: Progress | None) -> dict[str, Any]:
    """An entry with its whole prompt and the addresses of its results."""
    return {
        **entry_json(found, progress),
        "prompt": found.row.prompt,
        "seed": found.row.seed,
        "fields": found.row.fields,
        "urls": [image.url for image in found.images if image.url],
    }


def _error(found: JobView) -> dict[str, Any] | None:
    error = found.row.error
    if error is None:
        return None
    return {
        language: {"happened": error.summary(language), "advice": error.hint(language)}
        for language in ("en", "zh")
    }


def _progress(step: Progress | None) -> dict[str, Any] | None:
    if step is None:
        return None
    return {
        "phase": step.phase.value,
        "percent": step.percent,
        "done": step.done,
        "total": step.total,
    }


def progress_of(session: Session, row_id: int) -> Progress | None:
    """The latest step of a row on which this session works."""
    jobs = session.running_jobs.values()
    return next((work.latest for work in jobs if work.row and work.row.id == row_id), None)


async def page_json(
    session: Session, *, offset: int, limit: int, states: tuple[State, ...], text: str
) -> dict[str, Any]:
    """A page of the record, newest first."""

    ledger = session.ledger
    found = await ledger.list_jobs(offset=offset, limit=limit, states=states, text=text)
    entries = [entry_json(one, progress_of(session, one.row.id)) for one in found.entries]
    return {"total": found.total, "offset": offset, "tasks": entries}


async def entry_of(session: Session, row_id: int) -> JobView:
    """One entry of the record.

    Raises:
        InvalidRequest: there is none of this number.
    """

    found = await session.ledger.get_job(row_id)
    if found is None:
        raise InvalidRequest("entry_unknown", given=row_id)
    return found


async def forget(session: Session, row_id: int) -> JobView:
    """Let the same inputs be paid for again.

    Raises:
        InvalidRequest: there is none of this number, or it is being worked on.
    """
    await entry_of(session, row_id)
    await session.ledger.database.run(_forget, row_id)
    return await entry_of(session, row_id)


def _forget(database: Database, row_id: int) -> None:
    from ...seedream_api.ledger.browsing import get_job
    from ...seedream_api.ledger.claims import forget

    try:
        # On the ledger's own thread nothing of this process comes between the look and the move.
        found = get_job(database, row_id)
        if found is not None and found.row.owner == database.owner:
            raise ValueError  # noqa: TRY301 - told as one that another process works on
        forget(database, row_id)
    except ValueError:
        raise InvalidRequest("entry_running", given=row_id) from None


async def image_file(session: Session, row_id: int, position: int) -> tuple[Path, str, str]:
    """The stored file of an image, its media type and its hash; by row and position alone.

    Raises:
        InvalidRequest: no such image is in the store.
    """
    found = await entry_of(session, row_id)
    images = (image for image in found.images if image.position == position)
    image = next(images, None)
    file = image.file if image else None
    inside = file is not None and await asyncio.to_thread(
        _is_inside, file, session.resources.store.folder
    )
    if image is None or file is None or not inside:
        raise InvalidRequest("image_not_stored", given=row_id, position=position)
    return file, image.media_type, image.sha256 or ""


def _is_inside(file: Path, folder: Path) -> bool:
    return file.is_file() and file.resolve().is_relative_to(folder.resolve())


def check_json(check: Check) -> dict[str, Any]:
    """One thing that was looked at."""
    english = check.error.message("en") if check.error else check.message
    told = {"en": english, "zh": check.message_zh}
    return {"name": check.name, "verdict": check.verdict, "message": told}


class _Thumbnails:
    """Small JPEGs of stored images, made in threads, two at a time, and remembered by content."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, bytes] = OrderedDict()
        self._turns = asyncio.Semaphore(2)

    async def of(self, file: Path, sha256: str) -> bytes:
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


async def thumbnail_of(file: Path, sha256: str) -> bytes:
    """A stored image as a small JPEG; on the pack's loop.

    Raises:
        ResultUnavailable: it is no readable picture.
    """
    global _thumbnails
    if _thumbnails is None:
        _thumbnails = _Thumbnails()
    return await _thumbnails.of(file, sha256)
