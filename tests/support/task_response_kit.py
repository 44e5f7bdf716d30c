"""Responses about tasks."""

from __future__ import annotations

from typing import Any

from seedream_api.service.responses import parse_value
from seedream_api.service.statuses import TaskStatus
from seedream_api.service.task import to_task

URL = "https://example.com/image.png"


IMAGE = {"data": [{"url": URL}]}


ERROR = {"error": {"code": "c", "message": "m"}}


QUEUED, PROCESSING, COMPLETED, FAILED, UNKNOWN = (
    TaskStatus.QUEUED, TaskStatus.PROCESSING, TaskStatus.COMPLETED, TaskStatus.FAILED,
    TaskStatus.UNKNOWN,
)  # fmt: skip


def status(payload: Any, http: int = 200, task_id: str = "task-1") -> TaskStatus | None:
    task = to_task(parse_value(payload), task_id, http)
    return task and task.status
