"""The exceptions that responses become, in the service's own words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from seedream_api.errors import (
    ApiRefused,
    AuthenticationFailed,
    Charge,
    OutcomeUnknown,
    ReadFailed,
    TaskNotFound,
)
from seedream_api.network.transport import HttpResponse
from seedream_api.redaction import HiddenTexts
from seedream_api.service.failures import to_poll_failure, to_refusal, to_unknown
from seedream_api.service.reading import parse_http_response
from seedream_api.service.responses import ServiceResponse, to_kept_response
from seedream_api.service.result_items import ItemReader

KEY = "sk-secret-77"
SECRETS = HiddenTexts((KEY,))


def respond(payload: Any, http: int, **fields: Any) -> ServiceResponse:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    headers = {"x-request-id": "req-7"}
    return parse_http_response(HttpResponse(http, headers, body, **fields), ItemReader(), "")


def test_refusal_has_the_words_and_the_id_of_the_call() -> None:
    error = {"error": {"code": "InvalidParameter", "message": f"size of {KEY}"}}
    refusal = to_refusal(respond(error, 400), SECRETS)
    assert type(refusal) is ApiRefused and refusal.charge is Charge.NONE
    assert refusal.request_id == "req-7" and refusal.values["http"] == 400
    assert "size of" in str(refusal) and KEY not in str(refusal)


@pytest.mark.parametrize(
    ("payload", "http", "cut", "said"),
    [
        ({"error": {"code": "do_request_failed", "message": "m"}}, 500, None,
         "HTTP 500: m (do_request_failed)"),
        (b"<html><title>502 Bad Gateway</title></html>", 502, None, "HTTP 502: 502 Bad Gateway"),
        (b"", 200, None, "a response that cannot be read, HTTP 200"),
        (b"", 200, "the connection was cut", "the connection was cut"),
        ({"error": {"message": "m"}}, 500, "the connection was cut", "HTTP 500: m"),
        ({"error": {"message": f"m {KEY}"}}, 500, None, "HTTP 500: m "),
    ],
)  # fmt: skip
def test_unknown_outcome_says_what_was_read(payload: Any, http: int, cut: Any, said: str) -> None:
    answer = respond(payload, http, cut=cut)
    unknown = to_unknown(answer, SECRETS)
    assert isinstance(unknown, OutcomeUnknown) and unknown.charge is not Charge.NONE
    assert said in unknown.message("en")
    assert KEY not in str(unknown) and "--forget ID" in unknown.message("en")
    assert (
        unknown.request_id == "req-7"
        and unknown.response == to_kept_response(answer)
        and unknown.possible_task_id is None
    )


def find_task_id(payload: Any) -> str | None:
    return to_unknown(respond(payload, 200), SECRETS).possible_task_id


def test_unknown_outcome_has_the_id_that_was_found() -> None:
    assert find_task_id({"id": "task-1", "error": "m"}) == "task-1"
    assert find_task_id({"data": "9f8c2a54-77"}) == "9f8c2a54-77"


def poll_failure(answer: ServiceResponse, headers: dict[str, str] | None = None) -> Any:
    return to_poll_failure(answer, headers or {}, task_id="task-7", secrets=SECRETS)


@pytest.mark.parametrize(
    ("payload", "http"),
    [
        (b"", 404),
        ({"error": {"code": "task_not_exist", "message": "m"}}, 400),
        ({"message": "task not found"}, 400),
        ({"code": "task_not_exist", "message": "任务不存在"}, 200),
    ],
)
def test_poll_of_a_task_that_is_not_known_says_so(payload: Any, http: int) -> None:
    failed = poll_failure(respond(payload, http))
    assert type(failed) is TaskNotFound and "task-7" in str(failed)


@pytest.mark.parametrize("http", [401, 403])
def test_poll_with_a_wrong_key_says_so(http: int) -> None:
    failed = poll_failure(respond({"error": {"message": f"bad key {KEY}"}}, http))
    assert type(failed) is AuthenticationFailed and KEY not in str(failed)
    balance = poll_failure(respond({"error": {"message": "insufficient balance"}}, http))
    assert type(balance) is ReadFailed


@pytest.mark.parametrize(
    ("payload", "http", "cut", "said"),
    [
        ({"error": {"message": f"m {KEY}"}}, 500, None, "m "),
        ({"message": "busy"}, 503, None, "busy"),
        (b"", 400, None, "HTTP 400"),
        (b"", 200, "the connection was cut", "the connection was cut"),
    ],
)
def test_poll_that_fails_may_be_repeated(payload: Any, http: int, cut: Any, said: str) -> None:
    failed = poll_failure(respond(payload, http, cut=cut), {"retry-after": "7"})
    assert type(failed) is ReadFailed and failed.retry_after_s == 7.0
    assert said in failed.message("en") and KEY not in str(failed)
    assert failed.task_id == "task-7"
    assert poll_failure(respond(payload, http, cut=cut)).retry_after_s is None
