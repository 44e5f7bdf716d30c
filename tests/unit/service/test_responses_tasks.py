"""How a task is after a poll, where results are, and several values of one body as one response."""

from __future__ import annotations

import pytest

from seedream_api.service.responses import ServiceResponse, parse_value
from seedream_api.service.stated_errors import ServiceError
from seedream_api.service.task import FAILED_TASK_CODES, to_task
from support.task_response_kit import (
    COMPLETED,
    ERROR,
    FAILED,
    IMAGE,
    PROCESSING,
    QUEUED,
    UNKNOWN,
    URL,
    status,
)


@pytest.mark.parametrize("word", ["TIMEOUT", "moderated", "blocked", "content_filtered", "rejected",
                                  "moderation_hold", "review"])  # fmt: skip
def test_task_with_an_error_beside_an_odd_word_has_failed(word: str) -> None:
    assert status({"id": "task-1", "status": word, **ERROR}) is FAILED
    assert status({"id": "task-1", "status": word, "fail_reason": "no face"}) is FAILED
    assert status({"id": "task-1", "status": word, **ERROR, **IMAGE}) is not PROCESSING


@pytest.mark.parametrize("word", ["queued", "processing"])
def test_task_that_runs_is_not_failed_by_an_error(word: str) -> None:
    assert status({"id": "task-1", "status": word, **ERROR}) in (QUEUED, PROCESSING)


@pytest.mark.parametrize("word", ["moderating", "reviewing"])
def test_task_with_an_odd_word_still_runs(word: str) -> None:
    assert status({"id": "task-1", "status": word}) is UNKNOWN
    assert status({"id": "task-1", "status": word, "results": [URL]}) is UNKNOWN
    assert status({"id": "task-1", "status": word, "results": [URL], **ERROR}) is UNKNOWN


@pytest.mark.parametrize("word", ["queued", "processing", "moderating"])
def test_task_is_completed_only_by_a_terminal_word(word: str) -> None:
    first = to_task(parse_value({"id": "task-1", "status": word, "results": [URL]}), "task-1")
    assert first is not None and first.has_images and not first.status.is_terminal
    assert status({"id": "task-1", "status": "completed", "results": [URL] * 4}) is COMPLETED
    assert status({"id": "task-1", "results": [URL]}) is COMPLETED
    assert status({"id": "task-1", "status": "failed", "results": [URL]}) is COMPLETED


def test_task_without_a_word_needs_images_or_its_own_error() -> None:
    assert status({"id": "task-1"}) is None
    assert status({"id": "task-1", **ERROR}) is FAILED
    assert status({"id": "task-2", **ERROR}) is None
    assert status(ERROR) is None
    assert status({"error": {"code": "Content_Policy_Violation"}}) is FAILED


def test_task_failed_by_a_code_that_polls_do_not_have() -> None:
    codes = {
        "content_policy_violation", "image_processing_error", "image_dimension_mismatch",
        "request_cancelled", "generation_failed_no_content", "generation_timeout",
    }  # fmt: skip
    assert codes == FAILED_TASK_CODES
    for code in codes:
        assert status({"error": {"code": code, "message": "m"}}) is FAILED, code


@pytest.mark.parametrize("http", [199, 300, 400, 404, 500])
def test_task_in_an_error_status_needs_its_id_and_its_end(http: int) -> None:
    assert status({"id": "task-1", "status": "failed"}, http) is FAILED
    assert status({"id": "task-1", "status": "completed", **IMAGE}, http) is COMPLETED
    assert status({"id": "task-1", "status": "processing"}, http) is None
    assert status({"id": "task-2", "status": "failed"}, http) is None
    assert status({"status": "failed"}, http) is None
    assert status({"status": "failed"}, 200) is status({"status": "failed"}, 299) is FAILED


def test_task_that_failed_takes_the_words_beside() -> None:
    task = to_task(
        parse_value({"id": "task-1", "status": "failed", "message": "no face"}), "task-1"
    )
    assert task is not None and task.error == ServiceError("no face")
    stated = to_task(parse_value({"status": "failed", "message": "m2", **ERROR}), "task-1")
    assert stated is not None and stated.error == ServiceError("m", "c")
    for payload in (
        {"status": "failed"},
        {"status": "completed", "message": "m", **IMAGE},
        {"status": "processing", "message": "m"},
    ):
        other = to_task(parse_value(payload), "task-1")
        assert other is not None and other.error is None


def test_task_keeps_word_progress_items_and_response() -> None:
    answer = parse_value({"id": "x", "status": "Queued", "progress": "5%", "results": [URL]})
    task = to_task(answer, "task-1")
    assert task is not None and task.id == "task-1" and task.response is answer
    assert (task.raw_status, task.progress, task.items) == ("Queued", 5.0, answer.items)
    without = to_task(parse_value(IMAGE), "task-1")
    assert without is not None and without.raw_status == "completed"


def test_response_states_the_kind_of_its_entries() -> None:
    nothing = ServiceResponse()
    assert (nothing.http, nothing.is_whole, nothing.names_task, nothing.body) == (
        0,
        True,
        False,
        b"",
    )
    assert not (nothing.has_images or nothing.has_unreadable or nothing.names_results)
    assert not nothing.has_usage and nothing.item_error is None
    failed = {"error": "no face"}
    assert parse_value({"data": [failed, failed]}).item_error == ServiceError("no face")
    assert parse_value({"data": [failed, {"error": "other"}]}).item_error == ServiceError("no face")
    assert "secret" not in repr(ServiceResponse(body=b"secret"))
    assert parse_value({"data": [failed, None]}).item_error is None
    assert parse_value({"data": [failed, URL]}).item_error is None
    assert parse_value({"data": [None, URL]}).has_unreadable
    assert not parse_value({"data": [URL, failed]}).has_unreadable
    counted = {"output": {"usage": {"generated_images": 1}}}
    assert parse_value(counted).has_usage and not parse_value({"output": {}}).has_usage
