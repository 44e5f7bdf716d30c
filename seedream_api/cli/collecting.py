"""``tasks --collect``: fetch every unfinished entry of this key."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..images.saving import save_into_folder
from ..jobs.recovery import Attempts, Recovered, describe_search, has_hint, recover
from ..jobs.session import Session
from ..ledger.records import JobRecord
from ..ledger.states import State
from ..messages import Text, localize
from .files import try_folder
from .output import Outcome

STILL_RUNNING, FAILED = 5, 1
"""Exit codes where something is left."""


async def collect_unfinished(arguments: argparse.Namespace, session: Session) -> Outcome:
    """Poll every unfinished task once, and copy the images that came into ``--out``."""
    await asyncio.to_thread(try_folder, arguments.out)
    found = await recover(session, Attempts(session.resources.clock.monotonic))
    images = [image for row_id in found.stored for image in await _copy(session, row_id, arguments)]
    unknown = await _find_unknown(session)
    searches = [describe_search(row) for row in unknown]
    payload = {
        "tasks": [_describe_task(row_id, found) for row_id in _list_ids(found)],
        "images": images,
        "other_key": list(found.other_key),
        "other_address": list(found.other_address),
        "shared": found.shared,
        "unshared": found.unshared,
        "unknown": [
            {"id": row.id, "message": text, "message_zh": text.zh}
            for row, text in zip(unknown, searches, strict=True)
        ],
    }
    lines = (
        [str(image["path"]) for image in images] + _describe(found) + list(map(localize, searches))
    )
    exit_code = STILL_RUNNING if found.running else FAILED if found.failed else 0
    return Outcome(payload, lines, exit_code)


async def _copy(
    session: Session, row_id: int, arguments: argparse.Namespace
) -> list[dict[str, Any]]:
    """Copy the images of a row out of the store; they count as delivered then."""
    out: Path = arguments.out
    copied: list[dict[str, Any]] = []
    for number, image in enumerate(await session.ledger.list_images(row_id), start=1):
        if image.file is not None:
            name = f"seedream-{row_id}-{number}"
            path = await asyncio.to_thread(save_into_folder, image.file, out, name)
            size = {"width": image.width, "height": image.height}
            copied.append({"entry": row_id, "path": str(path), **size, "url": image.url})
    await session.ledger.mark_delivered(row_id)
    return copied


async def _find_unknown(session: Session) -> list[JobRecord]:
    """Find the entries with an unknown outcome that only a person can look up."""
    ledger = session.ledger
    rows = await ledger.list_records((State.UNKNOWN,))
    return [row for row in rows if not has_hint(row, await ledger.list_responses(row.id))]


def _list_ids(found: Recovered) -> Sequence[int]:
    return sorted({*found.stored, *found.running, *found.ended, *found.failed})


def _describe_task(row_id: int, found: Recovered) -> dict[str, Any]:
    error = found.failed.get(row_id)
    groups = {"fetched": found.stored, "running": found.running, "ended": found.ended}
    status = next((name for name, ids in groups.items() if row_id in ids), "failed")
    reason = error.message("en") if error is not None else None
    return {"id": row_id, "status": status, "error": reason}


def _describe(found: Recovered) -> list[str]:
    lines = [Text("entry_runs", entry=row_id) for row_id in found.running]
    lines += [
        Text("entry_not_collected", entry=row_id, reason=error.message_text)
        for row_id, error in found.failed.items()
    ]
    if found.stored:
        lines.append(Text("collected", images=found.images, tasks=len(found.stored)))
    elif not lines:
        lines.append(Text("nothing_unfinished"))
    if found.shared:
        lines.append(Text("images_shared", images=found.shared))
    if found.unshared:
        lines.append(Text("images_unshared", images=found.unshared))
    if found.other_key:
        lines.append(Text("entries_of_other_key", entries=_join(found.other_key)))
    if found.other_address:
        lines.append(Text("entries_of_other_address", entries=_join(found.other_address)))
    return list(map(localize, lines))


def _join(row_ids: Sequence[int]) -> str:
    return ", ".join(map(str, row_ids))
