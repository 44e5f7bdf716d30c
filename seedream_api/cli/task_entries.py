"""Entries of the ledger, as JSON and as lines."""

from __future__ import annotations

import base64
from datetime import datetime, timezone
from typing import Any

from ..kept_response import KeptResponse
from ..ledger.ledger import SyncLedger
from ..ledger.records import JobRecord
from ..ledger.states import State
from ..messages import Text, localize
from ..redaction import clean

_SHOWN_BYTES = 4 * 1024 * 1024
"""Of one kept response in an export; the ledger itself holds more."""


def build_entry(row: JobRecord, ledger: SyncLedger) -> dict[str, Any]:
    images = ledger.list_readable_images(row.id)
    return {
        "id": row.id,
        "state": row.state.value,
        "model": row.model,
        "family": row.family,
        "address": row.address,
        "prompt": row.prompt,
        "seed": row.seed,
        "task_id": row.task_id,
        "request_id": row.request_id,
        "asked": row.asked,
        "references": len(row.references),
        "images": [
            {
                "path": str(image.file) if image.file else None,
                "width": image.width,
                "height": image.height,
                "url": image.url,
                "url_expires_at": image.url_expires_at,
                "error": image.error,
            }
            for image in images
        ],
        "may_have_been_charged": row.may_have_been_charged,
        "may_have_been_charged_images": row.charged_images(images),
        "cost": row.cost.to_json(),
        "profile": row.profile or "",
        "error": row.error.message("en") if row.error else None,
        "error_zh": row.error.message("zh") if row.error else None,
        "created_at": row.created_at,
        "finished_at": row.finished_at,
    }


def build_response(kept: KeptResponse) -> dict[str, Any]:
    """Show a kept response, for people to read what this version could not."""
    body = kept.body[:_SHOWN_BYTES]
    shown: dict[str, Any] = {
        "status": kept.status,
        "note": clean(kept.note),
        "received_at": kept.received_at,
        "bytes": len(kept.body),
        "truncated": kept.truncated or len(body) < len(kept.body),
    }
    try:
        shown["body"] = clean(body.decode())
    except UnicodeDecodeError:
        shown["body_base64"] = base64.b64encode(body).decode()
    return shown


def format_entry(row: JobRecord, task: dict[str, Any]) -> str:
    prompt = (row.prompt or "").replace("\n", " ")
    words = [
        f"{row.id:>5}",
        _format_time(row.created_at),
        f"{row.state.value:<9}",
        row.model or "-",
    ]
    if row.state is State.ANSWERED:
        ends = [image["url_expires_at"] for image in task["images"] if image["url_expires_at"]]
        words.append(localize(Text("links_until", when=_format_time(min(ends)))) if ends else "")
    return "  ".join(filter(None, [*words, row.task_id or "-", prompt[:60]]))


def _format_time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, tz=timezone.utc).astimezone():%Y-%m-%d %H:%M}"
