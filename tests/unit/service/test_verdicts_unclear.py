"""Responses that say neither yes nor no, or two things at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from seedream_api.service.responses import ServiceResponse, parse_value
from seedream_api.service.result_items import ResultItem, Unreadable
from seedream_api.service.stated_errors import NO_ERROR, ServiceError
from seedream_api.service.statuses import TaskStatus
from seedream_api.service.verdicts import (
    Verdict,
    find_stated_error,
    is_unknown_task,
)
from support.crafted_images import saved
from support.verdict_kit import EMPTY, MADE, REFUSED, UNKNOWN, URL, judge, respond

# ---- neither ----


UNREADABLE: tuple[Any, ...] = (
    {"url": None}, {"url": ""}, {"url": "  "}, {"url": []}, {"url": "oss://bucket/x.png"},
    {"url": "s3://bucket/x.png"}, {"url": 7}, {"url": "pending"}, {"b64_json": ""},
    {"b64_json": None}, {"b64_json": "!!!"}, {"image": None}, {}, None, "", [], 0, True,
    {"revised_prompt": "a cat"}, {"url": "http://"}, {"index": 0, "size": "2048x2048"},
)  # fmt: skip


@pytest.mark.parametrize("entry", UNREADABLE)
@pytest.mark.parametrize("place", ["data", "results", "images"])
def test_verdict_of_entries_without_an_image_is_empty(entry: Any, place: str) -> None:
    assert judge({place: [entry]}) is EMPTY
    assert judge({"created": 1, "output": {place: [entry, entry]}}) is EMPTY


@pytest.mark.parametrize("entry", UNREADABLE)
def test_null_entry_is_never_called_free(entry: Any) -> None:
    """An entry that cannot be read is evidence that something was made."""
    for beside in (
        {"error": {"code": "InvalidParameter", "message": "no"}},
        {"success": False, "message": "no"},
        {"code": 402, "message": "no"},
        {"error": {"code": "content_policy_violation"}},
    ):
        assert judge({"data": [entry], **beside}) is EMPTY
    assert judge({"data": [{"error": {"code": "InvalidParameter"}}, entry]}) is EMPTY


def test_verdict_of_an_empty_list_is_empty() -> None:
    assert judge({"data": []}) is EMPTY
    assert judge({"data": [], "error": None, "created": 1}) is EMPTY
    assert judge({"data": [], "error": {"code": "upstream_error", "message": "no"}}) is UNKNOWN


@pytest.mark.parametrize("name", ["generated_images", "image_count", "credits_used"])
def test_verdict_of_counted_images_is_never_refused(name: str) -> None:
    error = {"error": {"code": "InvalidParameter"}, "usage": {name: 1}}
    assert judge(error) is UNKNOWN
    assert judge({**error, "data": []}) is EMPTY
    assert judge({**error, "usage": {name: 0}}) is REFUSED


@pytest.mark.parametrize(
    "payload", [{}, {"created": 1}, b"", b"null", b"<html></html>", {"data": None}, {"code": 0}]
)
def test_verdict_of_a_200_that_says_nothing_is_unknown(payload: Any) -> None:
    assert judge(payload) is UNKNOWN


def test_verdict_of_a_torn_response_is_never_refused() -> None:
    assert judge(b'{"error": {"code": "InvalidParameter"}, "da') is UNKNOWN
    assert judge(b'{"data": [{"url": null}, ') is UNKNOWN
    assert judge(b"", cut="the connection was cut") is UNKNOWN
    assert judge(b'{"error": {"code": "InvalidParameter"', 400) is REFUSED


@pytest.mark.parametrize("http", [199, 300, 309, 399])
def test_verdict_of_an_odd_status_is_unknown(http: int) -> None:
    for payload in ({"error": {"code": "InvalidParameter"}}, {"data": []}, {"data": [None]}):
        assert judge(payload, http) is UNKNOWN
    assert judge({"id": "task-1"}, http) is UNKNOWN


def test_verdict_of_an_error_status_is_never_empty() -> None:
    assert judge({"data": [None]}, 500) is UNKNOWN
    assert judge({"data": [None]}, 400) is REFUSED


# ---- which of two errors counts ----


CODED = ServiceError("quota", "402")


PLAIN = ServiceError("something", "oops")


def test_stated_error_prefers_the_error_that_says_which() -> None:
    assert find_stated_error(ServiceResponse(http=200, error=PLAIN, envelope_error=CODED)) is CODED
    other = ServiceError("no", "InvalidParameter")
    assert find_stated_error(ServiceResponse(http=200, error=other, envelope_error=CODED)) is other
    assert find_stated_error(ServiceResponse(http=200, envelope_error=CODED)) is CODED


def test_stated_error_beside_a_2xx_needs_a_code() -> None:
    assert find_stated_error(ServiceResponse(http=200, envelope_error=PLAIN)) is NO_ERROR
    assert find_stated_error(ServiceResponse(http=299, envelope_error=PLAIN)) is NO_ERROR
    for http in (199, 300, 400, 500):
        assert find_stated_error(ServiceResponse(http=http, envelope_error=PLAIN)) is PLAIN
        assert (
            find_stated_error(ServiceResponse(http=http, error=CODED, envelope_error=PLAIN))
            is CODED
        )


def test_stated_error_of_entries_counts_where_all_have_one() -> None:
    failed = ResultItem(0, error=PLAIN)
    assert find_stated_error(ServiceResponse(http=200, items=(failed, failed))) is PLAIN
    for other in (ResultItem(1, url=URL), ResultItem(1, problem=Unreadable("no image"))):
        assert find_stated_error(ServiceResponse(http=200, items=(failed, other))) is NO_ERROR


# ---- a poll of a task that the service does not know ----


CODES = (
    "task_not_exist", "task_not_found", "task_not_exists", "tasknotfound", "tasknotexist",
    "resource_not_found", "task_expired", "no_such_task",
)  # fmt: skip


@pytest.mark.parametrize("code", [*CODES, "TASK_NOT_EXIST", "TaskNotFound"])
@pytest.mark.parametrize("http", [200, 400, 403, 422, 500])
def test_unknown_task_is_known_by_its_code(code: str, http: int) -> None:
    for payload in (
        {"error": {"code": code, "message": "no"}},
        {"error": {"type": code, "message": "no"}},
        {"code": code, "message": "no", "data": None},
    ):
        assert is_unknown_task(respond(payload, http))


@pytest.mark.parametrize("http", [404, 410])
def test_unknown_task_is_known_by_its_status(http: int) -> None:
    for payload in (b"", b"<html>404</html>", {"error": "x"}):
        assert is_unknown_task(respond(payload, http))


WORDS = (
    "task not found", "The task task-1 was not found", "Task 77 does not exist",
    "task doesn't exist", "Task task_1 unknown", "job not_found", "no such task",
    "Unknown task: 7", "cannot find task 7", "the task 7 has expired", "task could not be found",
    "任务不存在", "任务 task-1 不存在", "任务已过期", "未找到该任务", "找不到任务", "任务 ID 无效",
)  # fmt: skip


@pytest.mark.parametrize("words", WORDS)
def test_unknown_task_is_known_by_its_words(words: str) -> None:
    for http in (400, 403, 422, 499):
        assert is_unknown_task(respond({"error": {"code": "x", "message": words}}, http))
        assert is_unknown_task(respond({"message": words}, http))
    assert is_unknown_task(respond({"error": {"message": words}}))
    assert is_unknown_task(respond({"code": 400, "message": words}))
    assert is_unknown_task(respond({"error": words}, 500))


@pytest.mark.parametrize("words", WORDS[:2])
def test_unknown_task_needs_more_than_words_beside_a_200(words: str) -> None:
    assert not is_unknown_task(respond({"message": words, "status": "processing"}))
    for http in (399, 500, 503):
        assert not is_unknown_task(respond({"message": words}, http))


@pytest.mark.parametrize(
    "words",
    ["the key is invalid", "model not found", "slow down", "task failed", "the task is running"],
)
def test_unknown_task_is_not_every_failed_poll(words: str) -> None:
    for http in (200, 400, 401, 403, 429, 500, 502):
        assert not is_unknown_task(respond({"error": {"code": "x", "message": words}}, http))


def test_unknown_task_of_a_task_that_failed_is_not_meant() -> None:
    answer = parse_value({"id": "task-1", "status": "failed", "error": {"message": "no face"}})
    assert not is_unknown_task(replace(answer, http=200)) and answer.status is TaskStatus.FAILED


@pytest.mark.parametrize("http", [405, 413, 429])
def test_task_without_an_error_is_never_refused(http: int) -> None:
    task = {"id": "a/b=c", "object": "image.generation.task", "status": "pending", "type": "image"}
    assert judge(task, http) is UNKNOWN
    assert judge({"id": "a/b=c", "error": {"message": "too many"}}, http) is REFUSED


def test_image_in_place_of_json_counts_only_where_whole() -> None:
    png = saved("PNG")
    assert judge(png) is MADE
    assert judge(png[:-1]) is judge(png[:-1], cut="the connection was cut") is Verdict.UNKNOWN


@pytest.mark.parametrize("http", [500, 503])
def test_torn_error_of_a_server_is_never_called_free(http: int) -> None:
    body = (
        b'{"error": {"message": "not valid", "code": "model_not_found", "type": "new_api_error"}}'
    )
    assert judge(body, http) is Verdict.REFUSED
    assert judge(body[:-1], http, cut="the connection was cut") is Verdict.UNKNOWN
