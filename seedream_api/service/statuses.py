"""Parse the status and the progress of a task."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, cast

from .stated_errors import to_text


class TaskStatus(str, Enum):
    """The status of a task, whatever word the service used for it."""

    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """An undocumented word: polling continues until the deadline."""

    @property
    def is_terminal(self) -> bool:
        """Whether the task has ended."""
        return self in (TaskStatus.COMPLETED, TaskStatus.FAILED)


_WORDS: Mapping[TaskStatus, frozenset[str]] = {
    TaskStatus.QUEUED: frozenset({
        "queued", "pending", "submitted", "not_start", "not_started", "created", "waiting",
        "in_queue", "accepted", "scheduled", "starting", "new", "init", "initialized", "enqueued",
        "排队中", "排队", "等待中", "等待", "已提交", "待处理",
    }),
    TaskStatus.PROCESSING: frozenset({
        "processing", "running", "in_progress", "inprogress", "started", "generating", "active",
        "working", "executing", "rendering", "streaming", "partial", "处理中", "进行中", "生成中",
        "运行中", "执行中",
    }),
    TaskStatus.COMPLETED: frozenset({
        "completed", "complete", "succeeded", "success", "succeed", "successful", "done",
        "finished", "finish", "partial_success", "partially_completed", "成功", "完成", "已完成",
        "生成成功", "已成功",
    }),
    TaskStatus.FAILED: frozenset({
        "failed", "failure", "fail", "error", "errored", "cancelled", "canceled", "expired",
        "rejected", "aborted", "terminated", "timeout", "timed_out", "moderated", "blocked",
        "content_filtered", "filtered", "失败", "已失败", "生成失败", "已取消", "取消", "超时",
    }),
}  # fmt: skip
_WORD_FIELDS = (
    "status", "task_status", "taskStatus", "state", "job_status", "Status", "State", "task_state",
)  # fmt: skip


def find_raw_status(record: Mapping[str, Any]) -> str:
    """Find the service's word for the status; a number is an HTTP status and is skipped."""
    for name in _WORD_FIELDS:
        value = record.get(name)
        if isinstance(value, dict):
            inner = cast("dict[str, Any]", value)
            value = inner.get("state") or inner.get("status") or inner.get("name")
        word = to_text(value)
        if word and not word.isdigit():
            return word
    return ""


def parse_status(word: str) -> TaskStatus | None:
    """Parse the service's word for the status; ``None`` if it is empty."""
    if not word:
        return None
    plain = word.strip().lower().replace("-", "_").replace(" ", "_")
    plain = plain.rpartition(".")[2]
    return next((status for status, words in _WORDS.items() if plain in words), TaskStatus.UNKNOWN)


def parse_progress(value: Any) -> float | None:
    """Parse percent, 0-100, from a number or a text such as ``"50%"``."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = value.strip().rstrip("%")
    try:
        percent = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return min(100.0, max(0.0, percent)) if percent == percent else None
