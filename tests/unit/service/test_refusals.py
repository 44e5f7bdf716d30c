"""A refusal, which is never charged, distinguished from a response that leaves the outcome open."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from seedream_api.errors import (
    ApiRefused,
    AuthenticationFailed,
    Charge,
    ContentRejected,
    InsufficientBalance,
    NotFound,
    RateLimited,
    ServiceBusy,
)
from seedream_api.messages import MESSAGES
from seedream_api.service.refusals import (
    REFUSAL_CODES,
    classify_rejection,
    is_moderation,
    is_retryable,
)
from seedream_api.service.stated_errors import ServiceError

KEY = "sk-1234567890abcdefghijkl"


def body(code: Any = "", kind: str = "", message: str = "no") -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": "", "code": code}}


NEW_API = [
    (400, "", "new_api_error", ApiRefused),
    (400, "invalid_request", "", ApiRefused),
    (400, "bad_request_body", "new_api_error", ApiRefused),
    (400, "convert_request_failed", "new_api_error", ApiRefused),
    (400, "sensitive_words_detected", "new_api_error", ContentRejected),
    (500, "sensitive_words_detected", "new_api_error", ContentRejected),
    (500, "prompt_blocked", "new_api_error", ContentRejected),
    (401, "", "new_api_error", AuthenticationFailed),
    (403, "insufficient_user_quota", "new_api_error", InsufficientBalance),
    (403, "pre_consume_token_quota_failed", "new_api_error", InsufficientBalance),
    (403, "access_denied", "new_api_error", AuthenticationFailed),
    (403, "", "new_api_error", AuthenticationFailed),
    (404, "", "invalid_request_error", NotFound),
    (413, "read_request_body_failed", "new_api_error", ApiRefused),
    (429, "", "new_api_error", RateLimited),
    (429, "bad_response_status_code", "upstream_error", RateLimited),
    (429, "token_concurrency_limit_reached", "", RateLimited),
    (503, "model_not_found", "new_api_error", ServiceBusy),
    (503, "channel:no_available_key", "new_api_error", ServiceBusy),
    (500, "insufficient_user_quota", "new_api_error", InsufficientBalance),
]
EVOLINK = [
    (400, 400, "invalid_request_error", ApiRefused),
    (401, 401, "authentication_error", AuthenticationFailed),
    (402, 402, "insufficient_quota_error", InsufficientBalance),
    (403, 403, "permission_error", AuthenticationFailed),
    (404, 404, "not_found_error", NotFound),
    (413, 413, "request_too_large_error", ApiRefused),
    (429, 429, "rate_limit_error", RateLimited),
    (400, "content_policy_violation", "", ContentRejected),
    (400, "invalid_parameters", "", ApiRefused),
]
ARK = [
    (400, "MissingParameter.prompt", "BadRequest", ApiRefused),
    (400, "InvalidParameter", "", ApiRefused),
    (400, "InvalidParameter.OversizedImage", "", ApiRefused),
    (400, "InvalidImageURL.EmptyURL", "", ApiRefused),
    (400, "InputTextSensitiveContentDetected", "", ContentRejected),
    (400, "InputImageSensitiveContentDetected.PrivacyInformation", "", ContentRejected),
    (400, "SensitiveContentDetected.SevereViolation", "", ContentRejected),
    (400, "InputTextRiskDetection", "", ContentRejected),
    (400, "OutputImageRiskDetection", "", ContentRejected),
    (401, "AuthenticationError", "", AuthenticationFailed),
    (403, "AccountOverdueError", "", InsufficientBalance),
    (403, "AccessDenied", "", AuthenticationFailed),
    (404, "InvalidEndpointOrModel.NotFound", "", NotFound),
    (404, "ModelNotOpen", "", NotFound),
    (429, "RateLimitExceeded.EndpointRPMExceeded", "", RateLimited),
    (429, "ModelAccountRpmRateLimitExceeded", "", RateLimited),
    (429, "ServerOverloaded", "", RateLimited),
    (429, "QuotaExceeded", "", RateLimited),
    (429, "SetLimitExceeded", "", RateLimited),
]


@pytest.mark.parametrize(("http", "code", "kind", "expected"), [*NEW_API, *EVOLINK, *ARK])
def test_every_documented_refusal_gets_its_own_error(
    http: int, code: Any, kind: str, expected: type[ApiRefused]
) -> None:
    refusal = classify_rejection(http, body(code, kind))
    assert type(refusal) is expected
    assert refusal.charge is Charge.NONE and refusal.exit_code == 3


OPEN = [
    (500, "do_request_failed", "new_api_error"),
    (500, "bad_response_body", "new_api_error"),
    (500, "empty_response", "new_api_error"),
    (500, "get_channel_failed", "new_api_error"),
    (500, 500, "internal_server_error"),
    (500, "InternalServiceError", ""),
    (502, 502, "upstream_error"),
    (502, "bad_response_status_code", "upstream_error"),
    (503, 503, "service_unavailable_error"),
    (504, "", ""),
    (524, "", ""),
    (408, "", "new_api_error"),
    (408, "invalid_request_error", ""),
]


@pytest.mark.parametrize(("http", "code", "kind"), OPEN)
def test_what_may_still_be_generated_stays_open(http: int, code: Any, kind: str) -> None:
    assert classify_rejection(http, body(code, kind)) is None


@pytest.mark.parametrize("http", [408, 500, 502, 503, 504, 520, 524])
@pytest.mark.parametrize("text", ["", "<html>Bad gateway</html>", None, [], {}])
def test_gateways_page_leaves_the_outcome_open(http: int, text: Any) -> None:
    assert classify_rejection(http, text) is None


@pytest.mark.parametrize("http", [100, 101, 201, 204, 300, 309])
def test_responses_without_success_or_error_stay_open(http: int) -> None:
    assert classify_rejection(http, body("invalid_request")) is None


@pytest.mark.parametrize("http", [301, 302, 303, 307, 308])
def test_redirect_is_refused_and_names_the_address(http: int) -> None:
    refusal = classify_rejection(http, "https://elsewhere.example.com/v1")
    assert refusal is not None and refusal.key == "refused_redirect"
    assert "elsewhere.example.com" in str(refusal) and not is_retryable(refusal)


@pytest.mark.parametrize("http", [400, 405, 409, 415, 418, 422, 451, 499])
@pytest.mark.parametrize("text", ["", "Bad Request", None, {}, {"detail": "no"}])
def test_any_other_4xx_is_a_refusal_whatever_its_body(http: int, text: Any) -> None:
    refusal = classify_rejection(http, text)
    assert type(refusal) is ApiRefused and refusal.values["http"] == http


def test_503_without_a_channel_is_known_by_its_words_too() -> None:
    message = "No available channel for model Seedream-4.5 under group default"
    assert type(classify_rejection(503, body("", "new_api_error", message))) is ServiceBusy


@pytest.mark.parametrize(
    "payload",
    [
        body("InvalidParameter", "", "size"),
        {"error": "no"},
        {"success": False, "message": "no"},
        {"success": False, "msg": "no", "code": 40003},
        {"status": "FAILURE", "fail_reason": "no"},
    ],
)
def test_200_with_an_error_is_a_refusal(payload: Any) -> None:
    refusal = classify_rejection(200, payload)
    assert refusal is not None and refusal.values["http"] == 200


def test_moderation_is_found_in_a_wrapped_message_too() -> None:
    message = "upstream: OutputImageSensitiveContentDetected (request id: 2025)"
    assert type(classify_rejection(500, body("bad_response", "upstream_error", message))) is (
        ContentRejected
    )
    assert is_moderation(ServiceError("", "content_policy_violation"))
    assert not is_moderation(ServiceError("the server broke", "server_error"))


# ---- repeating ----


@pytest.mark.parametrize(
    ("http", "code", "kind"),
    [
        (429, "", "new_api_error"),
        (429, 429, "rate_limit_error"),
        (429, "ServerOverloaded", ""),
        (503, "model_not_found", "new_api_error"),
        (503, "channel:no_available_key", ""),
    ],
)
def test_definite_refusal_may_be_repeated(http: int, code: Any, kind: str) -> None:
    refusal = classify_rejection(http, body(code, kind))
    assert refusal is not None and is_retryable(refusal)


@pytest.mark.parametrize(
    ("http", "code", "kind"),
    [
        *((http, code, kind) for http, code, kind, _ in [*NEW_API, *EVOLINK, *ARK]
          if http not in (429, 503)),
        (429, "QuotaExceeded", ""),
        (429, "SetLimitExceeded", ""),
        (429, "insufficient_quota", ""),
        (404, "model_not_found", ""),
    ],
)  # fmt: skip
def test_nothing_else_is_repeated(http: int, code: Any, kind: str) -> None:
    refusal = classify_rejection(http, body(code, kind))
    assert refusal is not None and not is_retryable(refusal)


# ---- what the person reads ----


def test_request_id_code_and_reason_reach_the_message() -> None:
    refusal = classify_rejection(
        400, body("InvalidParameter", "", "size is odd"), request_id="req-77"
    )
    assert refusal is not None and refusal.request_id == "req-77"
    for language in ("en", "zh"):
        text = refusal.message(language)
        assert "HTTP 400" in text and "InvalidParameter" in text and "size is odd" in text


@pytest.mark.parametrize("field", ["message", "code", "type"])
def test_key_is_taken_out_of_the_services_words(field: str) -> None:
    odd_key = "no-usual-shape-77"
    for secret in (KEY, odd_key):
        error = {"message": "", "code": "", "type": "", field: f"bad {secret} given"}
        refusal = classify_rejection(401, {"error": error}, secrets=(secret,))
        assert refusal is not None and secret not in str(refusal)
        assert secret not in repr(refusal.to_record())


def test_signed_urls_are_taken_out_of_the_services_words() -> None:
    message = "cannot fetch https://bucket.example.com/ref.png?X-Signature=abcdef"
    refusal = classify_rejection(400, body("InvalidImageURL", "", message))
    assert refusal is not None
    assert "abcdef" not in str(refusal) and "bucket.example.com/ref.png" in str(refusal)


@pytest.mark.parametrize("text", ["", None, {}, "   "])
def test_refusal_without_words_says_so(text: Any) -> None:
    refusal = classify_rejection(400, text)
    assert refusal is not None and "no reason given" in refusal.message("en")


def test_words_of_a_loose_body_are_kept_and_bounded() -> None:
    assert "plainly no" in str(classify_rejection(400, {"message": "plainly no"}))
    assert "plainly no" in str(classify_rejection(400, {"detail": "plainly no", "code": 7}))
    assert len(str(classify_rejection(400, "x" * 100_000))) < 2_000


def test_codes_are_lower_case_and_have_a_message() -> None:
    assert len(REFUSAL_CODES) > 20
    for code, (_, key) in REFUSAL_CODES.items():
        assert code == code.lower() and key in MESSAGES


@given(
    http=st.integers(100, 599),
    payload=st.none() | st.text() | st.dictionaries(st.text(), st.text())
    | st.builds(body, st.none() | st.integers() | st.text(), st.text(), st.text()),
)  # fmt: skip
def test_every_refusal_has_both_languages(http: int, payload: Any) -> None:
    refusal = classify_rejection(http, payload)
    if 400 <= http < 500 and http != 408:
        assert refusal is not None
    if refusal is not None:
        assert refusal.message("en") and refusal.message("zh")
        assert not is_retryable(refusal) or http in (429, 503) or isinstance(refusal, RateLimited)
