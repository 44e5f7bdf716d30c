"""Reading responses: words, numbers, and whatever else a relay may send."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from seedream_api.service.responses import parse_value
from seedream_api.service.stated_errors import parse_error
from seedream_api.service.statuses import TaskStatus
from seedream_api.service.task import Task, to_task

URL = "https://example.com/image.png"
WORDS = {
    TaskStatus.QUEUED: ("queued", "pending", "NOT_START", "SUBMITTED", "QUEUED", "in queue"),
    TaskStatus.PROCESSING: ("processing", "running", "IN_PROGRESS", "in-progress", "Processing"),
    TaskStatus.COMPLETED: ("completed", "SUCCESS", "succeeded", " Completed ", "已完成"),
    TaskStatus.FAILED: ("failed", "FAILURE", "cancelled", "expired", "error", "moderated", "失败"),
    TaskStatus.UNKNOWN: ("UNKNOWN", "moderating", "complet"),
}


@pytest.mark.parametrize(
    ("status", "word"), [(status, word) for status, words in WORDS.items() for word in words]
)
def test_status_words_of_all_vocabularies_are_understood(status: TaskStatus, word: str) -> None:
    for field in ("status", "task_status", "state"):
        answer = parse_value({"id": "task-1", field: word})
        assert answer.status is status
        assert answer.raw_status == word.strip()
    assert status.is_terminal == (status in (TaskStatus.COMPLETED, TaskStatus.FAILED))


@pytest.mark.parametrize("status", [None, "", True, [], {}, 1.5, 200, "200"])
def test_status_other_than_a_text_is_absent(status: Any) -> None:
    answer = parse_value({"id": "task-1", "status": status})
    assert answer.status is None and to_task(answer, "task-1") is None


@pytest.mark.parametrize(
    ("given_progress", "percent"),
    [
        (0, 0.0),
        (50, 50.0),
        (33.5, 33.5),
        ("50%", 50.0),
        (" 7 % ", 7.0),
        ("100", 100.0),
        (-3, 0.0),
        (250, 100.0),
        (10**400, None),
        (float("nan"), None),
        ("nan", None),
        (float("inf"), 100.0),
        ("", None),
        ("half", None),
        (None, None),
        (True, None),
        ([50], None),
    ],
)
def test_progress_is_percent_or_absent(given_progress: Any, percent: float | None) -> None:
    assert parse_value({"status": "processing", "progress": given_progress}).progress == percent


@pytest.mark.parametrize("value", [0, -1, 2**80, 1.5, "2026-01-01T00:00:00Z", "", None, [], {}])
def test_time_fields_change_nothing(value: Any) -> None:
    plain = {"id": "task-1", "status": "completed", "data": [{"url": URL}]}
    names = ("created", "created_at", "started_at", "completed_at", "finish_time", "duration")
    assert parse_value({**plain, **dict.fromkeys(names, value)}) == parse_value(plain)


@pytest.mark.parametrize("echo", ["input", "request", "image_urls", "image", "metadata", "params"])
def test_urls_of_an_echoed_request_are_never_results(echo: str) -> None:
    places: list[Any] = [
        [URL], {"url": URL}, {"image_urls": [URL]}, {"data": [{"url": URL}]}, URL,
    ]  # fmt: skip
    for content in places:
        answer = parse_value({"id": "task-1", "status": "queued", echo: content})
        assert answer.items == () and not answer.has_images


@pytest.mark.parametrize(
    "url", ["ftp://example.com/a.png", "file:///etc/passwd", "javascript:alert(1)", "/a.png", "x"]
)
def test_only_http_addresses_are_results(url: str) -> None:
    for entry in (url, {"url": url}, {"image_url": url}):
        item = parse_value({"data": [entry]}).items[0]
        assert item.url is None and not item.was_made


@pytest.mark.parametrize("entry", [None, 7, [], [None], True, {}])
def test_entry_without_an_image_keeps_its_place_and_reason(entry: Any) -> None:
    items = parse_value({"data": [entry, {"url": URL}]}).items
    assert [item.was_made for item in items] == [False, True]
    assert items[0].problem is not None and items[0].error is None and items[1].position == 1


def test_images_complete_a_task_without_a_word_or_that_failed() -> None:
    def status(word: str | None) -> TaskStatus:
        task = to_task(parse_value({"status": word, "data": [{"url": URL}]}), "task-1")
        assert task is not None
        return task.status

    assert status(None) is TaskStatus.COMPLETED
    assert status("failed") is TaskStatus.COMPLETED


@pytest.mark.parametrize("word", ["processing", "queued", "moderating", "排队中"])
def test_first_images_of_a_running_task_do_not_complete_it(word: str) -> None:
    task = to_task(parse_value({"status": word, "results": [URL]}), "task-1")
    assert task is not None and not task.status.is_terminal


def test_completed_without_images_differs_from_no_image_field() -> None:
    assert parse_value({"data": []}).names_results
    assert parse_value({"output": {"data": []}}).names_results
    assert not parse_value({"created": 1, "model": "Seedream-4.5"}).names_results
    assert not parse_value({"data": None}).names_results


# ---- anything at all ----

NAMES = (
    "id", "task_id", "status", "state", "progress", "error", "code", "message", "msg", "type",
    "success", "fail_reason", "data", "output", "results", "result_data", "images", "url",
    "image_url", "b64_json", "x",
)  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from(["completed", "failed", "50%", URL, "data:image/png;base64,AAAA", "iVBO"])
)  # fmt: skip
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)
    ),
    max_leaves=25,
)


@given(JSON)
def test_no_json_value_makes_reading_fail_or_gives_something_odd(payload: Any) -> None:
    answer = parse_value(payload)
    assert answer.task_id is None or (answer.task_id and answer.task_id.strip() == answer.task_id)
    assert answer.progress is None or 0.0 <= answer.progress <= 100.0
    assert [item.position for item in answer.items] == list(range(len(answer.items)))
    for item in answer.items:
        assert item.was_made == (item.error is None and item.problem is None)
        assert item.url is None or item.url.lower().startswith(("http://", "https://"))
    task = to_task(answer, "task-1")
    assert task is None or (isinstance(task, Task) and task.raw_status)
    assert not answer.items or answer.names_results


@given(JSON)
def test_parse_error_never_fails_nor_returns_an_empty_error(
    payload: Any,
) -> None:
    error = parse_error(payload)
    if error is not None and isinstance(payload, dict) and "success" not in payload:
        assert error.message or error.code or error.type
    assert error is None or str(error)


@given(JSON)
def test_wrapping_of_code_and_data_changes_nothing(payload: Any) -> None:
    if not isinstance(payload, dict) or isinstance(payload.get("data"), dict):
        return
    wrapped = json.loads(json.dumps({"code": 0, "message": "ok", "data": payload}))
    again = json.loads(json.dumps(payload))
    assert repr(parse_value(wrapped)) == repr(parse_value(again))


def test_list_of_millions_of_entries_is_read_only_so_far() -> None:
    answer = parse_value({"status": "completed", "results": [""] * 3_000_000})
    assert len(answer.items) == 1_000 and not answer.has_images
    assert parse_value({"data": ["https://x.example/a.png"] * 15}).items[-1].position == 14
