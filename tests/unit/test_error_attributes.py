"""What every error says to a program: code, status, field, request id, charge, time to wait."""

from __future__ import annotations

import copy
import pickle

import pytest

from seedream_api import (
    ApiRefused,
    Charge,
    InvalidRequest,
    OutcomeUnknown,
    RateLimited,
    ReadFailed,
    Request,
    SeedreamError,
    WaitTimedOut,
)
from seedream_api.errors import from_record
from seedream_api.redaction import HiddenTexts
from seedream_api.service.failures import to_poll_failure, to_unknown
from seedream_api.service.refusals import build_refusal
from seedream_api.service.responses import ServiceResponse
from seedream_api.service.stated_errors import ServiceError

ATTRIBUTES = ("code", "http_status", "field", "request_id", "charge", "retry_after_s")


def attributes(error: SeedreamError) -> dict[str, object]:
    return {name: getattr(error, name) for name in ATTRIBUTES}


def test_error_without_a_response_has_empty_attributes() -> None:
    assert attributes(SeedreamError("no_home")) == {
        "code": "",
        "http_status": None,
        "field": None,
        "request_id": None,
        "charge": Charge.NONE,
        "retry_after_s": None,
    }


def test_error_of_a_refusal_has_the_services_code() -> None:
    stated = ServiceError("too low", "insufficient_user_quota")
    refusal = build_refusal(403, stated, request_id="req-1")
    assert (refusal.code, refusal.http_status) == ("insufficient_user_quota", 403)
    assert refusal.request_id == "req-1" and ", insufficient_user_quota" in str(refusal)
    again = from_record(refusal.to_record())
    assert isinstance(again, ApiRefused) and attributes(again) == attributes(refusal)


def test_error_of_our_checks_has_the_field() -> None:
    with pytest.raises(InvalidRequest) as caught:
        Request(model="Seedream-4.5", prompt="A cat", n="2")  # type: ignore[arg-type]
    assert caught.value.field == "n"


def test_error_of_an_unclear_response_has_its_status() -> None:
    unknown = to_unknown(ServiceResponse(http=502, request_id="req-2"), HiddenTexts())
    assert isinstance(unknown, OutcomeUnknown)
    assert (unknown.http_status, unknown.request_id) == (502, "req-2")


def test_error_of_a_poll_says_how_long_to_wait() -> None:
    response = ServiceResponse(http=503, request_id="req-3")
    failed = to_poll_failure(
        response, {"retry-after": "7"}, task_id="task-1", secrets=HiddenTexts()
    )
    assert isinstance(failed, ReadFailed)
    assert (failed.http_status, failed.retry_after_s) == (503, 7.0)


def test_wait_timed_out_is_a_timeout_error() -> None:
    error = WaitTimedOut("wait_timed_out", task_id="task-1", word="queued", waited=5)
    assert isinstance(error, TimeoutError) and isinstance(error, SeedreamError)
    assert error.errno is None and "task-1" in str(error) and error.args == ()
    for same in (copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301
        assert str(same) == str(error) and same.charge is Charge.RUNNING
    error.args = ("a host's words",)
    assert str(pickle.loads(pickle.dumps(error))) == "a host's words"  # noqa: S301


def test_rate_limit_keeps_its_charge_and_has_no_time_by_default() -> None:
    assert RateLimited("no_home").retry_after_s is None
