"""Words and numbers that say how far a task is."""

from __future__ import annotations

from typing import Any

import pytest

from seedream_api.service.statuses import TaskStatus, find_raw_status, parse_progress, parse_status

WORDS = {
    TaskStatus.QUEUED: (
        "queued", "pending", "submitted", "not_start", "not_started", "created", "waiting",
        "in_queue", "accepted", "scheduled", "starting", "new", "init", "initialized", "enqueued",
        "排队中", "排队", "等待中", "等待", "已提交", "待处理",
    ),
    TaskStatus.PROCESSING: (
        "processing", "running", "in_progress", "inprogress", "started", "generating", "active",
        "working", "executing", "rendering", "streaming", "partial", "处理中", "进行中", "生成中",
        "运行中", "执行中",
    ),
    TaskStatus.COMPLETED: (
        "completed", "complete", "succeeded", "success", "succeed", "successful", "done",
        "finished", "finish", "partial_success", "partially_completed", "成功", "完成", "已完成",
        "生成成功", "已成功",
    ),
    TaskStatus.FAILED: (
        "failed", "failure", "fail", "error", "errored", "cancelled", "canceled", "expired",
        "rejected", "aborted", "terminated", "timeout", "timed_out", "moderated", "blocked",
        "content_filtered", "filtered", "失败", "已失败", "生成失败", "已取消", "取消", "超时",
    ),
    TaskStatus.UNKNOWN: ("moderating", "complet", "unknown", "x", "成", "200 OK"),
}  # fmt: skip


@pytest.mark.parametrize("status", WORDS)
def test_status_is_read_from_every_known_word(status: TaskStatus) -> None:
    for word in WORDS[status]:
        assert parse_status(word) is status, word
        for spelled in (word.upper(), f" {word} ", f"TaskStatus.{word}"):
            assert parse_status(spelled) is status, spelled
        for blank in ("-", " "):
            assert parse_status(word.replace("_", blank)) is status, word
    assert parse_status("") is None


def test_status_word_is_read_from_every_field() -> None:
    for name in ("status", "task_status", "taskStatus", "state", "job_status", "Status", "State",
                 "task_state"):  # fmt: skip
        assert find_raw_status({name: " Running "}) == "Running", name
        for inner in ("state", "status", "name"):
            assert find_raw_status({name: {inner: "done"}}) == "done", inner
    assert find_raw_status({"status": {"state": "", "name": "done"}}) == "done"


@pytest.mark.parametrize("value", ["", 200, "200", None, True, [], {}, 1.5])
def test_status_word_is_not_a_number(value: Any) -> None:
    assert find_raw_status({"status": value}) == ""
    assert find_raw_status({"status": value, "state": "done"}) == "done"


@pytest.mark.parametrize(
    ("value", "percent"),
    [
        (0, 0.0), (50, 50.0), (33.5, 33.5), ("50%", 50.0), (" 7 % ", 7.0), (-1, 0.0), (101, 100.0),
        (100, 100.0), (99.5, 99.5), (0.5, 0.5), ("nan", None), ("", None), ("half", None),
        ("50X", None), (None, None), (True, None), (False, None), ([50], None), (10**400, None),
    ],
)  # fmt: skip
def test_progress_is_percent_or_absent(value: Any, percent: float | None) -> None:
    assert parse_progress(value) == percent
