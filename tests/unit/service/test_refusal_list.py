"""The closed list of refusals, every member, and the words that say which kind each is."""

from __future__ import annotations

from typing import Any

import pytest

from seedream_api.errors import (
    ApiRefused,
    AuthenticationFailed,
    ContentRejected,
    InsufficientBalance,
    NotFound,
    RateLimited,
    ServiceBusy,
)
from seedream_api.service.refusals import (
    BEFORE_FORWARDING,
    OPEN_CODES,
    REFUSAL_CODES,
    classify_rejection,
    is_error_code,
    is_retryable,
    is_unreachable_image,
)
from seedream_api.service.stated_errors import ServiceError


def body(code: Any = "", kind: str = "", message: str = "no") -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": "", "code": code}}


# ---- the closed list ----

BEFORE = {
    "sensitive_words_detected": ContentRejected, "insufficient_user_quota": InsufficientBalance,
    "pre_consume_token_quota_failed": InsufficientBalance, "access_denied": AuthenticationFailed,
    "invalid_request": ApiRefused, "bad_request_body": ApiRefused,
    "convert_request_failed": ApiRefused, "count_token_failed": ApiRefused,
    "model_price_error": ApiRefused, "invalid_api_type": ApiRefused,
    "gen_relay_info_failed": ApiRefused, "read_request_body_failed": ApiRefused,
    "model_not_found": ServiceBusy, "channel:no_available_key": ServiceBusy,
    "channel:invalid_key": ServiceBusy, "channel:param_override_invalid": ServiceBusy,
    "channel:header_override_invalid": ServiceBusy, "channel:model_mapped_error": ServiceBusy,
    "token_concurrency_limit_reached": RateLimited,
}  # fmt: skip
ON_500 = {
    **BEFORE, "prompt_blocked": ContentRejected, "content_policy_violation": ContentRejected,
    "insufficient_quota": InsufficientBalance, "insufficient_quota_error": InsufficientBalance,
    "accountoverdueerror": InsufficientBalance, "authentication_error": AuthenticationFailed,
    "authenticationerror": AuthenticationFailed, "permission_error": AuthenticationFailed,
    "invalid_request_error": ApiRefused, "invalid_parameters": ApiRefused,
    "invalidparameter": ApiRefused, "request_too_large_error": ApiRefused,
}  # fmt: skip
LARGE = ("read_request_body_failed", "request_too_large_error")


def test_refusal_codes_are_the_closed_list() -> None:
    assert set(BEFORE) == set(BEFORE_FORWARDING) and set(ON_500) == set(REFUSAL_CODES)
    for code, kind in ON_500.items():
        for http in (200, 500):
            for error in (body(code.upper()), body("", code), body("x", code)):
                refusal = classify_rejection(http, error)
                assert type(refusal) is kind, (code, http)
                assert (refusal.key == "refused_too_large") == (code in LARGE)
        assert is_error_code(ServiceError("", code)) and is_error_code(ServiceError("", "", code))
        assert (classify_rejection(503, body(code)) is not None) == (code in BEFORE)


OPEN_ONES = (
    "paid_outcome_unknown", "idempotency_conflict", "do_request_failed", "bad_response",
    "bad_response_body", "bad_response_status_code", "read_response_body_failed", "empty_response",
    "channel:response_time_exceeded", "generation_timeout", "internal_server_error",
    "upstream_error", "service_unavailable_error",
)  # fmt: skip


def test_refusal_is_never_a_code_that_leaves_it_open() -> None:
    assert set(OPEN_ONES) == OPEN_CODES
    for code in OPEN_ONES:
        never = code in ("paid_outcome_unknown", "idempotency_conflict")
        for error in (body(code.upper()), body("", code)):
            assert classify_rejection(200, error) is None and classify_rejection(500, error) is None
            assert (classify_rejection(409, error) is None) == never
        assert not is_error_code(ServiceError("", code))
        both = body(code, "invalid_request_error")
        assert (classify_rejection(200, both) is None) == never


@pytest.mark.parametrize("status", [301, 308, 400, 401, 402, 403, 404, 409, 413, 429, 499])
def test_refusal_inside_a_200_is_that_of_its_status(status: int) -> None:
    assert classify_rejection(200, body(status)) is not None
    assert classify_rejection(200, body(str(status))) is not None
    assert is_error_code(ServiceError("", str(status))) == (status >= 400)


@pytest.mark.parametrize("status", [300, 408, 500, 502, 503, 504, 520, 524, 599])
def test_refusal_inside_a_200_is_not_every_status(status: int) -> None:
    assert classify_rejection(200, body(status)) is None
    assert is_error_code(ServiceError("", str(status))) == (status >= 400)


@pytest.mark.parametrize("code", [199, 600, 40003, 7, "²", "4o2"])
def test_refusal_code_other_than_a_status_counts(code: Any) -> None:
    assert classify_rejection(200, body(code)) is not None
    assert not is_error_code(ServiceError("", str(code)))
    assert is_error_code(ServiceError("", " 400 ")) and is_error_code(ServiceError("", "599"))


@pytest.mark.parametrize(
    "words", ["it timed out", "the request time-out", "timeout", "deadline exceeded", "请求超时",
              "502 Bad Gateway", "Internal Server Error", "Service Unavailable", "网关错误",
              "the service is temporarily unavailable", "服务器内部错误"],
)  # fmt: skip
def test_refusal_inside_a_200_is_not_of_a_gateway(words: str) -> None:
    assert classify_rejection(200, body("x", "", words)) is None
    page = {"error": f"<html><title>{words}</title></html>"}
    assert classify_rejection(200, page) is None
    assert classify_rejection(400, body("x", "", words)) is not None


# ---- words decide before codes, in both languages ----

CONTENT_WORDS = (
    "it may contain sensitive information", "sensitive content", "a sensitive word",
    "content policy", "content moderation", "content safety", "content filter", "safety system",
    "safety policy", "safety filter", "failed moderation", "inappropriate", "prohibited content",
    "NSFW", "敏感词", "内容违规", "违禁词", "内容安全", "内容审核", "审核未通过", "审核不通过",
    "图片不合规", "涉黄", "涉政", "OutputImageSensitiveContentDetected", "InputTextRiskDetection",
)  # fmt: skip
BALANCE_WORDS = (
    "insufficient balance", "Insufficient user quota", "insufficient account credit",
    "insufficient_quota", "insufficient_user_quota", "pre_consume_token_quota_failed",
    "AccountOverdueError", "insufficient funds", "out of credits", "balance is not enough",
    "quota exhausted", "credits are too low", "not enough credit", "exceeded your current quota",
    "payment required", "余额不足", "用户额度不足", "用户额度剩余不足", "配额已用尽", "积分不够",
    "点数耗尽", "资源包已用完", "账户欠费", "请充值",
)  # fmt: skip
CHANNEL_WORDS = (
    "no available channel for model", "No channel", "no enabled channel", "no available key",
    "no usable key", "channel is unavailable", "channels unavailable", "当前分组无可用渠道",
    "无可用的通道", "没有可用的渠道", "没有渠道", "渠道不存在", "通道不可用", "渠道已禁用",
    "渠道均不可用", "暂无可用渠道", "暂无通道",
)  # fmt: skip


@pytest.mark.parametrize("code", ["403", "", "invalid_request_error", "upstream_error", "x"])
def test_refusal_words_decide_wherever_they_stand(code: str) -> None:
    for words, kind in (
        (CONTENT_WORDS, ContentRejected),
        (BALANCE_WORDS, InsufficientBalance),
        (CHANNEL_WORDS, ServiceBusy),
    ):
        for word in words:
            message = f"litellm.APIError: upstream said: {word} (request id: 2025)"
            for http in (400, 401, 403, 429):
                assert type(classify_rejection(http, body(code, "", message))) is kind, (word, http)


@pytest.mark.parametrize("words", CHANNEL_WORDS)
def test_refusal_without_a_channel_is_known_by_words(words: str) -> None:
    for http in (500, 501, 503, 519):
        refusal = classify_rejection(http, body("", "new_api_error", words))
        assert type(refusal) is ServiceBusy and is_retryable(refusal) == (http == 503)
    for http in (502, 504, 520, 524):
        assert classify_rejection(http, body("", "new_api_error", words)) is None


def test_refusal_code_about_the_account_wins_over_other_words() -> None:
    rate = classify_rejection(
        429, body("token_concurrency_limit_reached", "", "insufficient balance")
    )
    assert type(rate) is RateLimited
    channel = classify_rejection(500, body("model_not_found", "", "insufficient balance"))
    assert type(channel) is ServiceBusy
    for code in ("invalid_request", "access_denied", "insufficient_quota"):
        refusal = classify_rejection(400, body(code, "", "insufficient balance"))
        assert type(refusal) is InsufficientBalance


@pytest.mark.parametrize(
    ("http", "kind", "key"),
    [
        (401, AuthenticationFailed, "refused_key"),
        (402, InsufficientBalance, "refused_balance"),
        (403, AuthenticationFailed, "refused_key"),
        (404, NotFound, "refused_not_found"),
        (413, ApiRefused, "refused_too_large"),
        (429, RateLimited, "refused_rate"),
        (400, ApiRefused, "refused"),
        (418, ApiRefused, "refused"),
    ],
)
def test_refusal_without_words_is_that_of_its_status(http: int, kind: Any, key: str) -> None:
    for status, error in ((http, body()), (200, body(http)), (http, body("invalid_request"))):
        refusal = classify_rejection(status, error)
        assert type(refusal) is kind and refusal.key == key
        assert refusal.values["http"] == status


def test_refusal_403_with_a_quota_code_is_not_about_the_key() -> None:
    assert type(classify_rejection(403, body("QuotaExceeded"))) is InsufficientBalance
    assert type(classify_rejection(403, body("insufficient_quota"))) is InsufficientBalance
    assert type(classify_rejection(403, body("model_not_found"))) is AuthenticationFailed


def test_refusal_redirect_takes_precedence_over_its_words() -> None:
    for http in (301, 308):
        refusal = classify_rejection(http, body("", "", "no available channel, 余额不足, 敏感"))
        assert refusal is not None and refusal.key == "refused_redirect"


# ---- references that cannot be read ----


@pytest.mark.parametrize(
    "text",
    ["InvalidImageURL", "image_url", "the image URL", "image_processing_error", "Download failed",
     "cannot fetch", "unreachable", "图片下载失败"],
)  # fmt: skip
def test_reference_that_cannot_be_read_is_noticed(text: str) -> None:
    assert is_unreachable_image(text) and not is_unreachable_image("the size is wrong")


@pytest.mark.parametrize(
    "code",
    ["SensitiveContent", "RiskDetection", "content_policy", "sensitive_words", "prompt_blocked"],
)
def test_refusal_with_a_wrapped_moderation_code_is_one(code: str) -> None:
    for http in (200, 500):
        refusal = classify_rejection(
            http, body("bad_response", "upstream_error", f"({code}X) 2025")
        )
        assert type(refusal) is ContentRejected
    assert classify_rejection(503, body("", "", code)) is None


def test_refusal_with_a_status_of_success_in_it_is_stated() -> None:
    for code in (200, 299):
        refusal = classify_rejection(200, body(code, "x_error"))
        assert type(refusal) is ApiRefused and " s: " not in refusal.message("en")


def test_refusal_status_counts_before_the_one_in_its_body() -> None:
    assert type(classify_rejection(400, body(429))) is ApiRefused
    assert type(classify_rejection(200, body(429))) is RateLimited
