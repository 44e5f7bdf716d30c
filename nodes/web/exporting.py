"""Export jobs as CSV or JSON, without URLs, keys or paths."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...seedream_api.jobs.session import Session
    from ...seedream_api.ledger.browsing import JobView
    from ...seedream_api.ledger.job_filter import JobFilter

FORMATS = ("csv", "json")
_FIELDS = ("size", "quality", "n", "prompt_priority", "output_format", "watermark")
COLUMNS = (
    "id", "created_at", "finished_at", "state", "group", "model", "prompt", "seed", *_FIELDS,
    "references", "asked", "made", "stored", "charge",
    "cost_estimated", "cost_charged", "cost_currency", "profile", "task_id", "error",
)  # fmt: skip
_FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r")


async def export(session: Session, wanted: JobFilter, form: str) -> str:
    """Export every job that meets ``wanted``, newest first, in one of :data:`FORMATS`.

    Jobs are read in parts, so that paid requests need not wait for a long export.
    """
    from ...seedream_api.ledger.browsing import MAX_PAGE

    rows: list[dict[str, Any]] = []
    part = wanted
    while True:
        found = await session.ledger.list_jobs(part, limit=MAX_PAGE)
        rows += map(_to_row, found.entries)
        if len(found.entries) < MAX_PAGE:
            return await asyncio.to_thread(_to_csv if form == "csv" else _to_json, rows)
        part = replace(wanted, below_id=found.entries[-1].row.id)


def _to_row(found: JobView) -> dict[str, Any]:
    row = found.row
    return {
        "id": row.id,
        "created_at": _to_iso(row.created_at),
        "finished_at": _to_iso(row.finished_at),
        "state": row.state.value,
        "group": found.group.value if found.group else None,
        "model": row.model,
        "prompt": row.prompt,
        "seed": row.seed,
        **{name: row.fields.get(name) for name in _FIELDS},
        "references": len(row.references),
        "asked": row.asked,
        "made": sum(image.was_made for image in found.images),
        "stored": sum(image.is_stored for image in found.images),
        "charge": found.charge.value,
        **{f"cost_{name}": value for name, value in row.cost.to_json().items()},
        "profile": row.profile or "",
        "task_id": row.task_id,
        "error": row.error.summary("en") if row.error else None,
    }


def _to_iso(moment: float | None) -> str | None:
    if not moment:
        return None
    return datetime.fromtimestamp(moment, tz=timezone.utc).isoformat(timespec="seconds")


def _to_json(rows: list[dict[str, Any]]) -> str:
    return json.dumps({"tasks": rows}, ensure_ascii=False, indent=1)


def _to_csv(rows: list[dict[str, Any]]) -> str:
    """Write CSV with a byte order mark, without which Excel does not read UTF-8."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    writer.writerows([_to_cell(row[name]) for name in COLUMNS] for row in rows)
    return "\ufeff" + file.getvalue()


def _to_cell(value: object) -> object:
    """Keep a spreadsheet from running a text as a formula."""
    if isinstance(value, str) and value.startswith(_FORMULA_MARKS):
        return f"'{value}"
    return value
