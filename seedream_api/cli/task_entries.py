"""Entries of the ledger, as JSON and as lines."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from ..kept_response import KeptResponse
from ..ledger.ledger import SyncLedger
from ..ledger.records import JobRecord
from ..ledger.states import State
from ..messages import Text, localize
from ..redaction import clean
from .text_width import cut, measure, pad

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


def format_table(
    rows: Sequence[JobRecord], entries: Sequence[dict[str, Any]], width: int | None
) -> list[str]:
    """Format entries as lines under a heading.

    Args:
        entries: what :func:`build_entry` built of the rows.
        width: the columns of the terminal; ``None`` for a file or a program, which get everything.
    """
    if width is None:
        return [localize(Text("task_heads")), *map(_format_whole, rows, entries)]
    if width < _NARROW:
        return [line for row, entry in zip(rows, entries, strict=True)
                for line in _format_narrow(row, entry, width)]  # fmt: skip
    heads = [localize(Text(f"head_{name}")) for name in ("id", "when", "state", "model", "prompt")]
    table = [heads, *map(_to_cells, rows, entries)]
    return [_align(cells, width) for cells in table]


_NARROW = 72
"""Columns below which an entry takes two lines."""
_WIDTHS = (5, 16, 9, 21)
"""Columns of number, time, state and model; the prompt gets the rest."""


def _align(cells: Sequence[str], width: int) -> str:
    number, *others, last = cells
    known = [pad(cell, size) for cell, size in zip(others, _WIDTHS[1:], strict=True)]
    line = "  ".join([number.rjust(_WIDTHS[0] - measure(number) + len(number)), *known, last])
    return cut(line, width).rstrip()


def _to_cells(row: JobRecord, entry: dict[str, Any]) -> list[str]:
    model = (row.model or row.task_id or "-").removeprefix("Seedream-")
    return [
        str(row.id), _format_time(row.created_at), row.state.value, model, _describe(row, entry)
    ]  # fmt: skip


def _format_narrow(row: JobRecord, entry: dict[str, Any], width: int) -> list[str]:
    number, when, state, model, prompt = _to_cells(row, entry)
    first = f"{number}  {when}  {state}"
    return [cut(first, width), cut(f"  {model} · {prompt}".rstrip(" ·"), width)]


def _describe(row: JobRecord, entry: dict[str, Any]) -> str:
    """The prompt, after the time until which links are served that were not fetched yet."""
    ends = [image["url_expires_at"] for image in entry["images"] if image["url_expires_at"]]
    words = [_one_line(row.prompt)]
    if row.state is State.ANSWERED and ends:
        words.insert(0, localize(Text("links_until", when=_format_time(min(ends)))))
    return " ".join(filter(None, words))


def _one_line(prompt: str | None) -> str:
    return " ".join((prompt or "").split())


def _format_whole(row: JobRecord, entry: dict[str, Any]) -> str:
    words = [
        f"{row.id:>5}",
        _format_time(row.created_at),
        f"{row.state.value:<9}",
        row.model or "-",
    ]
    ends = [image["url_expires_at"] for image in entry["images"] if image["url_expires_at"]]
    if row.state is State.ANSWERED and ends:
        words.append(localize(Text("links_until", when=_format_time(min(ends)))))
    return "  ".join([*words, row.task_id or "-", (row.prompt or "").replace("\n", " ")[:60]])


def _format_time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, tz=timezone.utc).astimezone():%Y-%m-%d %H:%M}"
