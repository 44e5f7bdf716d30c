"""The JSON objects of ``generate``, ``poll`` and ``download``, and of any command that failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import SeedreamError
from ..ledger.costs import NO_COST, UNKNOWN_COST
from .commands import COMMANDS

if TYPE_CHECKING:
    from ..jobs.results import Result

_EMPTY: dict[str, Any] = {
    "status": "error",
    "task_id": "",
    "task_ids": [],
    "images": [],
    "failures": [],
    "references": None,
    "reused": False,
    "cost": NO_COST.to_json(),
    "may_have_been_charged": False,
    "error": None,
    "notes": [],
    "job_id": None,
    "model": None,
    "seed": None,
    "origin": None,
    "charged_images": 0,
    "seconds": None,
    "request_id": None,
}
"""Every field of the commands that fetch images."""


def build_error_payload(command: str, error: SeedreamError) -> dict[str, Any]:
    """Build the JSON object of a command that failed."""
    described = build_error(error)
    if command in ("generate", "poll", "download"):
        return {
            **_EMPTY,
            "status": error.status,
            "task_id": error.task_id or "",
            "task_ids": (error.task_id or "").split(),
            "may_have_been_charged": error.may_have_been_charged,
            "cost": (UNKNOWN_COST if error.may_have_been_charged else NO_COST).to_json(),
            "error": described,
            "request_id": error.request_id,
        }
    list_field = COMMANDS[command].list_field if command in COMMANDS else "result"
    status = {"status": error.status} if command == "batch" else {}
    return {**status, list_field: [], "error": described}


def build_error(error: SeedreamError) -> dict[str, Any]:
    """Build the field ``error``."""
    return {
        "type": type(error).__name__,
        "message": str(error),
        "charge": error.charge.value,
        "code": error.code,
        "http_status": error.http_status,
        "field": error.field,
        "retry_after_s": error.retry_after_s,
    }


def build_download_payload(
    images: Sequence[dict[str, Any]], failures: Sequence[dict[str, Any]], *, reused: bool
) -> dict[str, Any]:
    """Build the JSON object of a download."""
    return {
        **_EMPTY,
        "status": "partial" if failures else "completed",
        "images": list(images),
        "failures": list(failures),
        "reused": reused,
    }


def build_result_payload(result: Result, paths: Sequence[str]) -> dict[str, Any]:
    """Build the JSON object of a generation or a poll.

    Args:
        paths: the copies of its images.
    """
    images = [
        {
            "path": path,
            "width": image.width,
            "height": image.height,
            "url": image.url,
            "bytes": image.bytes,
            "media_type": image.media_type,
            "sha256": image.sha256,
        }
        for path, image in zip(paths, result.images, strict=True)
    ]
    failures = [
        {"task_id": failure.task_id, "position": failure.position, "reason": failure.reason}
        for failure in result.failures
    ]
    return {
        **_EMPTY,
        "status": result.status,
        "task_id": result.task_id or "",
        "task_ids": (result.task_id or "").split(),
        "images": images,
        "failures": failures,
        "references": result.references,
        "reused": result.is_reused,
        "may_have_been_charged": not result.is_reused and result.charged_images > 0,
        "cost": result.cost.to_json(),
        "notes": list(result.notes),
        "job_id": result.entry,
        "model": result.model,
        "seed": result.seed,
        "origin": result.origin.value,
        "charged_images": result.charged_images,
        "seconds": round(result.seconds, 3),
        "request_id": result.request_id,
    }
