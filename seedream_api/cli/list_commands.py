"""The commands that list: tasks and models."""

from __future__ import annotations

import argparse
import base64
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..catalog import Model
from ..config.settings import Settings
from ..errors import InvalidRequest, LedgerFailed
from ..kept_response import KeptResponse
from ..ledger.image_store import ImageStore
from ..ledger.ledger import SyncLedger
from ..ledger.pruning import Pruned
from ..ledger.records import JobRecord
from ..ledger.states import State
from ..messages import Text, localize, text_of
from ..redaction import clean
from .output import Outcome

_LISTED = 1_000
"""Entries shown at most, the newest; ``--export`` writes all."""
_ALL = 1_000_000_000
_SHOWN_BYTES = 4 * 1024 * 1024
"""Of one kept response in an export; the ledger itself holds more."""


def run_models(settings: Settings) -> Outcome:
    """List every model and what it accepts."""
    models = [_model_json(model) for model in settings.models.values()]
    lines = [
        f"{model['id']}  ({model['family']})  size: {', '.join(model['sizes'])}"
        + (f"  quality: {', '.join(model['qualities'])}" if model["qualities"] else "")
        for model in models
    ]
    return Outcome({"models": models}, lines, 0)


def _model_json(model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "family": model.family.value,
        "fields": list(model.fields),
        "sizes": list(model.sizes),
        "default_size": model.default_size,
        "qualities": list(model.qualities),
        "default_quality": model.default_quality,
        "prompt_priorities": list(model.prompt_priorities),
        "output_formats": list(model.output_formats),
        "max_results": model.max_results,
        "doubted": {name: dict(values) for name, values in model.doubted.items()},
        "sources": dict(model.sources),
    }


def run_tasks(arguments: argparse.Namespace, ledger: SyncLedger, settings: Settings) -> Outcome:
    """List the ledger, newest first; or forget an entry, export the ledger, or prune the store."""
    if arguments.forget is not None:
        return _forget(arguments.forget, ledger)
    states = tuple(State(word) for word in arguments.state)
    if arguments.export is not None:
        return _export(arguments.export, states, ledger)
    payload: dict[str, Any] = {"tasks": []}
    notes: list[str] = []
    if arguments.prune:
        pruned = _prune(arguments, ledger, settings)
        payload["pruned"] = {"images": pruned.images, "bytes": pruned.bytes}
        megabytes = f"{pruned.bytes / 1e6:.1f}"
        notes.append(localize(Text("store_pruned", count=pruned.images, size=megabytes)))
    elif arguments.older_than is not None or arguments.keep_gb is not None:
        raise InvalidRequest("wrong_use", reason=Text("needs_prune"), usage="tasks --prune")
    rows = ledger.list_records(states, limit=_LISTED + 1)
    if len(rows) > _LISTED:
        rows = rows[:_LISTED]
        notes.append(localize(Text("entries_cut", count=_LISTED)))
    tasks = [_task_json(row, ledger) for row in rows]
    size, limit = ledger.sum_stored_bytes(), settings.number("SEEDREAM_STORE_GB")
    payload["tasks"] = tasks
    payload["store"] = {
        "bytes": size, "limit_bytes": int(limit * 1e9), "path": str(settings.home)
    }  # fmt: skip
    head = localize(Text("task_heads"))
    lines = [head, *map(_format_row, rows, tasks)] if rows else [localize(Text("no_entries"))]
    store = localize(
        Text("store_size", size=f"{size / 1e6:.1f}", limit=f"{limit:g}", path=settings.home)
    )
    return Outcome(payload, [*lines, *notes, store], 0)


def _export(path: Path, states: tuple[State, ...], ledger: SyncLedger) -> Outcome:
    """Write every row as JSON, forgotten ones too unless states are given."""
    rows = [
        {
            **_task_json(row, ledger),
            "responses": list(map(_response_json, ledger.list_responses(row.id))),
        }
        for row in ledger.list_records(states or tuple(State), limit=_ALL)
    ]
    try:
        path.write_text(json.dumps({"tasks": rows}, ensure_ascii=False, indent=1), "utf-8")
    except OSError as error:
        raise LedgerFailed("out_unwritable", path=path, reason=text_of(error)) from None
    return Outcome(
        {"tasks": rows}, [localize(Text("entries_written", count=len(rows), path=path))], 0
    )


def _prune(arguments: argparse.Namespace, ledger: SyncLedger, settings: Settings) -> Pruned:
    keep_gb = arguments.keep_gb
    days = arguments.older_than
    return ledger.prune(
        ImageStore(settings.home),
        keep_bytes=int(
            (settings.number("SEEDREAM_STORE_GB") if keep_gb is None else keep_gb) * 1e9
        ),
        older_than_s=None if days is None else days * 86_400,
    )


def _forget(name: str, ledger: SyncLedger) -> Outcome:
    row = ledger.find_record(name)
    if row is None:
        raise InvalidRequest("entry_unknown", given=name)
    try:
        ledger.forget(row.id)
    except ValueError:
        raise InvalidRequest("entry_running", given=name) from None
    line = localize(Text("entry_forgotten", entry=row.id))
    return Outcome({"tasks": [{**_task_json(row, ledger), "state": "forgotten"}]}, [line], 0)


def _task_json(row: JobRecord, ledger: SyncLedger) -> dict[str, Any]:
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
        "error": row.error.message("en") if row.error else None,
        "error_zh": row.error.message("zh") if row.error else None,
        "created_at": row.created_at,
        "finished_at": row.finished_at,
    }


def _response_json(kept: KeptResponse) -> dict[str, Any]:
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


def _format_row(row: JobRecord, task: dict[str, Any]) -> str:
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
