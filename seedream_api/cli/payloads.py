"""The JSON objects of ``generate``, ``poll`` and ``download``, and of any command that failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import SeedreamError
from ..jobs.results import Result
from ..ledger.costs import NO_COST, UNKNOWN_COST
from .commands import COMMANDS


def build_error_payload(command: str, error: SeedreamError) -> dict[str, Any]:
    """Build the JSON object of a command that failed."""
    described = {"type": type(error).__name__, "message": str(error)}
    if command in ("generate", "poll", "download"):
        return {
            "status": error.status,
            "task_id": error.task_id or "",
            "task_ids": (error.task_id or "").split(),
            "images": [],
            "failures": [],
            "references": None,
            "reused": False,
            "may_have_been_charged": error.may_have_been_charged,
            "cost": (UNKNOWN_COST if error.may_have_been_charged else NO_COST).to_json(),
            "error": described,
            "notes": [],
        }
    list_field = COMMANDS[command].list_field if command in COMMANDS else "result"
    return {list_field: [], "error": described}


def build_result_payload(result: Result, paths: Sequence[str]) -> dict[str, Any]:
    """Build the JSON object of a generation or a poll."""
    images = [
        {"path": path, "width": image.width, "height": image.height, "url": image.url}
        for path, image in zip(paths, result.images, strict=True)
    ]
    failures = [
        {"task_id": failure.task_id, "position": failure.position, "reason": failure.reason}
        for failure in result.failures
    ]
    return {
        "status": result.status,
        "task_id": result.task_id or "",
        "task_ids": (result.task_id or "").split(),
        "images": images,
        "failures": failures,
        "references": result.references,
        "reused": result.is_reused,
        "may_have_been_charged": not result.is_reused and result.charged_images > 0,
        "cost": result.cost.to_json(),
        "error": None,
        "notes": list(result.notes),
    }
