"""What a response to a paid request means, and whether a poll says that the task is unknown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from seedream_api.network.transport import HttpResponse
from seedream_api.service.reading import parse_http_response
from seedream_api.service.refusals import BEFORE_FORWARDING, OPEN_CODES
from seedream_api.service.result_items import ItemReader
from seedream_api.service.verdicts import (
    Verdict,
    find_stated_error,
    judge_submission,
)
from support.verdict_kit import ACCEPTED, BASE, MADE, REFUSED, UNKNOWN, URL, judge, respond

IMAGE = {"url": URL}


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


@pytest.mark.parametrize(
    "rest",
    [
        {"data": ["a/b=c+d"]},
        {"data": [{}]},
        {"data": ["9f8c2a54-1f0e"]},
        {"data": {"id": "9f8c2a54"}},
        {"id": "9f8c2a54"},
        {"usage": {"generated_images": 1}},
    ],
)
def test_verdict_of_500_with_a_trace_of_a_result_is_unknown(rest: dict[str, Any]) -> None:
    error = {"error": {"code": "InvalidParameter", "message": "size"}}
    assert judge({**error, **rest}, 500) is UNKNOWN
    assert judge({**error, "data": []}, 500) is judge({**error, "data": None}, 500) is REFUSED
    for http in (301, 400, 499):
        assert judge({**error, **rest}, http) is REFUSED
    early = {"error": {"code": "insufficient_user_quota"}}
    assert judge({**early, **rest}, 503) is UNKNOWN and judge(early, 503) is REFUSED


@pytest.mark.parametrize("http", [200, 500])
@pytest.mark.parametrize(
    "rest",
    [
        {"type": "partial", "item": {"url": "https://cdn.example.com/0.png"}},
        {"frame": ["see https://cdn.example.com/0.png"]},
        {"preview": "data:image/png;base64,iVBORw0KGgo="},
        {"blob": "iVBORw0KGgo" * 40},
        {"preview": {"png": "iVBORw0KGgo" * 40_000}},
        {"preview": "https://cdn.example.com/" + "a" * 400_000},
        {"preview": "see " * 20_000},
    ],
)
def test_error_beside_a_stray_image_is_not_a_refusal(rest: dict[str, Any], http: int) -> None:
    error = {"error": {"code": "InvalidParameter", "message": "see https://docs.example.com"}}
    assert judge({**error, **rest}, http) is not REFUSED
    about = {"documentation_url": "https://docs.example.com", "request": {"image": "https://a.b/c"}}
    assert judge({**error, **about}, http) is REFUSED
