"""Waits for a task on a clock that needs no time."""

from __future__ import annotations

from seedream_api.errors import ReadFailed, TaskNotFound
from seedream_api.service.statuses import TaskStatus
from seedream_api.service.task import Task


def task(word: str) -> Task:
    known = {status.value: status for status in TaskStatus}
    return Task("task-1", known.get(word, TaskStatus.UNKNOWN), word)


def read_failed(retry_after_s: float | None = None) -> ReadFailed:
    error = ReadFailed("read_failed", reason="HTTP 502")
    error.retry_after_s = retry_after_s
    return error


def not_found() -> TaskNotFound:
    return TaskNotFound("task_not_found", task_id="task-1", reason="HTTP 404")
