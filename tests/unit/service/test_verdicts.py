"""What a response to a paid request means, and whether a poll says that the task is unknown."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from seedream_api.network.transport import HttpResponse
from seedream_api.service.reading import parse_http_response
from seedream_api.service.refusals import BEFORE_FORWARDING, OPEN_CODES
from seedream_api.service.responses import ServiceResponse, parse_value
from seedream_api.service.result_items import ItemReader, ResultItem, Unreadable
from seedream_api.service.stated_errors import NO_ERROR, ServiceError
from seedream_api.service.statuses import TaskStatus
from seedream_api.service.verdicts import (
    Verdict,
    find_stated_error,
    is_unknown_task,
    judge_submission,
)
from support.crafted_images import saved

BASE = "https://api.example.com"
URL = "https://example.com/image.png"
IMAGE = {"url": URL}
MADE, ACCEPTED, REFUSED, EMPTY, UNKNOWN = (
    Verdict.MADE, Verdict.ACCEPTED, Verdict.REFUSED, Verdict.EMPTY, Verdict.UNKNOWN,
)  # fmt: skip


def respond(payload: Any, http: int = 200, **fields: Any) -> ServiceResponse:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return parse_http_response(HttpResponse(http, {}, body, **fields), ItemReader(BASE), "")


def judge(payload: Any, http: int = 200, **fields: Any) -> Verdict:
    return judge_submission(respond(payload, http, **fields))


def test_verdicts_have_the_names_that_tests_and_logs_show() -> None:
    assert [each.value for each in Verdict] == ["made", "accepted", "refused", "empty", "unknown"]


# ---- images ----


@pytest.mark.parametrize("http", [200, 201, 202, 299, 400, 404, 429, 500, 502, 504, 524])
def test_verdict_made_whatever_the_status(http: int) -> None:
    assert judge({"data": [IMAGE]}, http) is MADE


@pytest.mark.parametrize(
    "beside",
    [
        {"error": {"code": "InvalidParameter", "message": "one of two failed"}},
        {"error": {"code": "content_policy_violation"}},
        {"code": 402, "message": "balance"},
        {"success": False},
        {"status": "failed"},
        {"status": "completed", "id": "task-1"},
        {"id": "task-1"},
        {"usage": {"generated_images": 0}},
    ],
)
def test_verdict_made_whatever_stands_beside_an_image(beside: Any) -> None:
    assert judge({**beside, "data": [IMAGE]}) is MADE


def test_verdict_made_of_one_readable_entry_among_others() -> None:
    assert judge({"data": [None, {}, {"error": {"code": "InvalidParameter"}}, IMAGE]}) is MADE


def test_verdict_made_of_a_torn_response_with_an_image() -> None:
    assert judge(b'{"data": [{"url": "' + URL.encode() + b'"}, {"url": "https://ex') is MADE
    assert judge({"data": [IMAGE]}, cut="the connection was cut") is MADE


@pytest.mark.parametrize("word", ["queued", "processing", "moderating"])
def test_verdict_of_a_running_task_with_images_is_accepted(word: str) -> None:
    assert judge({"id": "task-1", "status": word, "data": [IMAGE]}) is ACCEPTED
    assert judge({"status": word, "data": [IMAGE]}) is MADE  # without an id there is no poll


# ---- task ids ----

TASKS: tuple[Any, ...] = (
    {"id": "task-1"},
    {"task_id": "x"},
    {"code": 200, "data": [{"status": "submitted", "task_id": "task-1"}]},
    {"data": ["task-1"]},
    {"data": "task-1"},
    {"code": 0, "message": "ok", "data": {"id": "task-1", "status": "queued"}},
    {"id": "task-1", "data": []},
    {"id": "task-1", "error": {"code": 0, "message": "ok"}},
    {"id": "task-1", "error": {"code": 200, "message": "success"}},
    {"id": "task-1", "error": "success"},
    {"id": "task-1", "error": {"type": "warning", "message": "this model is deprecated soon"}},
    {"id": "task-1", "error": "Warning: the size was adjusted"},
    {"id": "task-1", "error": None},
)


@pytest.mark.parametrize("payload", TASKS)
@pytest.mark.parametrize("http", [200, 202])
def test_verdict_accepted_of_every_form_with_a_task(payload: Any, http: int) -> None:
    assert judge(payload, http) is ACCEPTED


@pytest.mark.parametrize(
    "error",
    [
        {"code": "InvalidParameter", "message": "size"},
        {"code": "content_policy_violation"},
        {"code": 402, "message": "balance"},
        "the last attempt failed",
    ],
)
def test_verdict_of_a_task_id_beside_an_error_is_unknown(error: Any) -> None:
    answer = respond({"id": "task-1", "error": error})
    assert judge_submission(answer) is UNKNOWN and answer.task_id == "task-1"
    assert judge({"data": [{"id": "9f8c2a54-1f0e", "error": error}], "error": error}) is not REFUSED


@pytest.mark.parametrize("payload", [{"id": "task-1"}, {"task_id": "task-1"}])
def test_verdict_of_a_torn_response_with_a_task_is_unknown(payload: Any) -> None:
    torn = json.dumps(payload).encode()[:-1]
    assert judge(torn) is UNKNOWN and respond(torn).task_id == "task-1"
    assert judge(torn + b', "error": {"code": "InvalidParameter"') is UNKNOWN


def test_verdict_of_what_may_be_an_id_is_unknown() -> None:
    """A poll is free: it settles what became of it."""
    error = {"error": {"code": "InvalidParameter"}}
    assert judge({"data": "9f8c2a54-1f0e-4c3b", **error}) is UNKNOWN
    assert judge(b'{"error": {"code": "InvalidParameter"}} "task_id": "abcd-77"') is UNKNOWN


@pytest.mark.parametrize("http", [400, 429, 500, 503])
def test_verdict_outside_2xx_needs_the_id_of_a_task(http: int) -> None:
    error = {"error": {"code": "model_not_found", "message": "no"}}
    assert judge({"task_id": "9f8c2a54", **error}, http) is UNKNOWN
    assert judge({"id": "task-9f8c2a54", **error}, http) is UNKNOWN
    assert judge({"id": "9f8c2a54", "object": "image.generation", **error}, http) is UNKNOWN
    call_id = judge({"id": "req-9f8c2a54", "object": "error", **error}, http)
    assert call_id is judge(error, http) is REFUSED


def test_verdict_outside_2xx_of_an_id_without_words_is_unknown() -> None:
    assert judge({"id": "9f8c2a54"}, 400) is UNKNOWN
    assert judge({"id": "9f8c2a54", "message": "bad size"}, 400) is REFUSED
    assert judge({"id": "9f8c2a54", "error": "bad size"}, 400) is REFUSED
    assert judge({}, 400) is REFUSED


# ---- refusals ----


@pytest.mark.parametrize(
    "payload",
    [
        {"error": {"code": "InvalidParameter", "message": "size"}},
        {"error": "the size is wrong"},
        {"success": False, "message": "no"},
        {"code": 402, "message": "余额不足"},
        {"code": "402", "message": "balance"},
        {"code": "sensitive_words_detected", "message": "no"},
        {"code": 429, "msg": "slow down", "data": None},
        {"code": 400, "msg": "bad", "data": []},
        {"data": [{"error": {"code": "OutputImageSensitiveContentDetected"}}]},
        {"data": [{"error": "the image was refused"}, {"error": "the image was refused"}]},
        {"status": "failed", "error": {"code": "InvalidParameter"}},
    ],
)
def test_verdict_refused_where_the_service_says_so(payload: Any) -> None:
    assert judge(payload) is REFUSED


@pytest.mark.parametrize("http", [400, 401, 402, 403, 404, 409, 413, 422, 429, 451, 499])
@pytest.mark.parametrize("payload", [b"", b"<html><title>no</title></html>", {"message": "no"}])
def test_verdict_refused_of_a_4xx_whatever_its_body(http: int, payload: Any) -> None:
    assert judge(payload, http) is REFUSED


@pytest.mark.parametrize("http", [301, 302, 303, 307, 308])
def test_verdict_refused_of_a_redirect(http: int) -> None:
    moved = HttpResponse(http, {"location": "https://other.example.com/v1"}, b"")
    answer = parse_http_response(moved, ItemReader(BASE), "")
    assert judge_submission(answer) is REFUSED
    assert find_stated_error(answer).message == "https://other.example.com/v1"


GATEWAYS = (502, 504, 520, 521, 522, 523, 524, 525, 527, 530, 599)


@pytest.mark.parametrize("http", GATEWAYS)
@pytest.mark.parametrize("code", [*sorted(BEFORE_FORWARDING), "content_policy_violation", 402])
def test_verdict_of_a_gateway_status_is_never_refused(http: int, code: Any) -> None:
    for payload in (
        {"error": {"code": code, "type": "invalid_request_error", "message": "no"}},
        {"error": {"type": code, "message": "upstream said content_policy: 余额不足"}},
        {"code": code, "message": "no available channel"},
    ):
        assert judge(payload, http) is UNKNOWN


@pytest.mark.parametrize("http", [501, 503, 505, 507, 508, 511, 519])
def test_verdict_above_500_takes_only_what_precedes_forwarding(http: int) -> None:
    for code in BEFORE_FORWARDING:
        assert judge({"error": {"code": code}}, http) is REFUSED
    for code in ("content_policy_violation", "insufficient_quota", "InvalidParameter", 402, ""):
        assert judge({"error": {"code": code, "message": "no"}}, http) is UNKNOWN


@pytest.mark.parametrize("http", [408, 500, 502, 503, 504, 524])
def test_verdict_of_a_page_of_a_gateway_is_unknown(http: int) -> None:
    for page in (b"", b"<html><title>Bad gateway</title></html>", b"upstream timed out", b"{}"):
        assert judge(page, http) is UNKNOWN


@pytest.mark.parametrize("code", sorted(OPEN_CODES))
def test_verdict_of_a_code_that_leaves_it_open_is_unknown(code: str) -> None:
    for http in (200, 500, 503):
        assert judge({"error": {"code": code, "message": "no"}}, http) is UNKNOWN
    assert judge({"error": {"code": "x", "message": "the upstream timed out"}}) is UNKNOWN


@pytest.mark.parametrize("http", [408, 500, 502, 524])
def test_verdict_of_a_200_counts_the_status_in_it(http: int) -> None:
    assert judge({"error": {"code": http, "message": "no"}}) is UNKNOWN
    assert judge({"code": http, "message": "no"}) is UNKNOWN


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
