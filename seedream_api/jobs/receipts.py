"""Receipts: what a saved image was made with, as JSON in a PNG text chunk.

A receipt has no prompt, key or URL, so that an image can be passed on with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

from ..errors import InvalidRequest
from ..images.png_chunks import read_text_chunk
from ..ledger.browsing import JobView
from ..ledger.ledger import Ledger
from ..ledger.records import JobRecord
from ..messages import text_of
from .results import Result

KEYWORD = "seedream"
"""Of the PNG text chunk. Its text is a JSON list of receipts, one per job that the image is of."""
MAX_RECEIPTS = 100
"""More than a graph has generators; the rest of a longer list is not read."""
_PROMPT_FIELD = "prompt"
_HARMLESS_FIELDS = ("prompt_priority",)
_ADDRESS_MARKS = ("://", "data:")


def build_receipt(row: JobRecord) -> dict[str, Any]:
    """Build the receipt of a job."""
    finished = row.finished_at or row.answered_at or row.created_at
    return {
        "model": row.model,
        "fields": {name: value for name, value in row.fields.items() if _is_shared(name, value)},
        "seed": row.seed,
        "references": len(row.references),
        "task_id": row.task_id,
        "fingerprint": row.fingerprint,
        "cost": row.cost.to_json(),
        "time": f"{datetime.fromtimestamp(finished, tz=timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
    }


def _is_shared(name: str, value: object) -> bool:
    """Tell whether a field holds no prompt and no URL; a model's own fields may hold anything."""
    if _PROMPT_FIELD in name.lower() and name not in _HARMLESS_FIELDS:
        return False
    text = json.dumps(value)
    return not any(mark in text for mark in _ADDRESS_MARKS)


async def list_receipts(result: Result, ledger: Ledger) -> list[dict[str, Any]]:
    """Build the receipts of a result's jobs, in the order of its task IDs.

    Raises:
        LedgerFailed: the ledger cannot be read.
    """
    ids = (result.task_id or "").split()
    if len(ids) > 1:
        found = [await ledger.find_task(task_id) for task_id in ids]
        rows = [row for row in found if row is not None]
    else:
        rows = [await ledger.get_record(result.entry)]
    return [build_receipt(row) for row in rows]


def read_receipts(path: Path) -> list[dict[str, Any]]:
    """Read the receipts of an image file; blocks.

    Raises:
        InvalidRequest: the file cannot be read, or has no receipt.
    """
    try:
        text = read_text_chunk(path, KEYWORD)
    except OSError as error:
        raise InvalidRequest("receipt_unreadable", path=path, reason=text_of(error)) from None
    try:
        receipts = parse_receipts(json.loads(text or "[]"))
    except (ValueError, RecursionError):
        receipts = []
    if not receipts:
        raise InvalidRequest("receipt_missing", path=path)
    return receipts


def parse_receipts(found: object) -> list[dict[str, Any]]:
    """Parse a list of receipts; leave out what is not one."""
    listed = cast("Sequence[object]", found) if isinstance(found, list) else ()
    objects = (cast("dict[str, Any]", one) for one in listed if isinstance(one, dict))
    return [one for one in objects if "model" in one][:MAX_RECEIPTS]


async def find_original(receipt: Mapping[str, Any], ledger: Ledger) -> JobView | None:
    """Find the job of a receipt in the ledger, by fingerprint or else by task ID.

    Raises:
        LedgerFailed: the ledger cannot be read.
    """
    fingerprint, task_id = receipt.get("fingerprint"), receipt.get("task_id")
    row = None
    if isinstance(fingerprint, str):
        row = await ledger.find_reusable([fingerprint], reuse=True)
    if row is None and isinstance(task_id, str) and task_id:
        row = await ledger.find_task(task_id)
    return None if row is None else await ledger.get_job(row.id)
