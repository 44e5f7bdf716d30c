"""Distinguish a refusal, which is not charged, from a response that leaves the outcome open.

The closed list of refusals follows the error pages of the services (new-api ``types/error.go`` and
``middleware/utils.go``; Evolink's error codes; Ark ``docs/82379/1299023``):

* 301-308: the redirect was not followed; the address is wrong.
* 4xx except 408, unless the code shows that an earlier request was accepted.
* 200 with an error of the service: judged by the HTTP status in the error, if it has one.
* 500 with a code of :data:`REFUSAL_CODES`, or a moderation code in code, type or message.
* other 5xx except 502, 504 and from 520 up, which gateways produce: a code that the relay returns
  before forwarding (:data:`BEFORE_FORWARDING`), or its wording for *no channel*.

The kind of refusal is decided by the message first, then by the code, then by the status, because
relays wrap upstream errors in different codes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..errors import (
    ApiRefused,
    AuthenticationFailed,
    ContentRejected,
    InsufficientBalance,
    NotFound,
    RateLimited,
    ServiceBusy,
)
from ..messages import Text
from ..redaction import redact
from .stated_errors import ServiceError, find_fallback_error, parse_error

_Kind = tuple[type[ApiRefused], str]
_CONTENT: _Kind = (ContentRejected, "refused_content")
_BALANCE: _Kind = (InsufficientBalance, "refused_balance")
_KEY: _Kind = (AuthenticationFailed, "refused_key")
_PLAIN: _Kind = (ApiRefused, "refused")
_CHANNEL: _Kind = (ServiceBusy, "refused_channel")
_RATE: _Kind = (RateLimited, "refused_rate")
_LARGE: _Kind = (ApiRefused, "refused_too_large")
_REDIRECT: _Kind = (NotFound, "refused_redirect")

BEFORE_FORWARDING: Mapping[str, _Kind] = MappingProxyType({
    "sensitive_words_detected": _CONTENT,
    "insufficient_user_quota": _BALANCE,
    "pre_consume_token_quota_failed": _BALANCE,
    "access_denied": _KEY,
    "invalid_request": _PLAIN,
    "bad_request_body": _PLAIN,
    "convert_request_failed": _PLAIN,
    "count_token_failed": _PLAIN,
    "model_price_error": _PLAIN,
    "invalid_api_type": _PLAIN,
    "gen_relay_info_failed": _PLAIN,
    "read_request_body_failed": _LARGE,
    "model_not_found": _CHANNEL,
    "channel:no_available_key": _CHANNEL,
    "channel:invalid_key": _CHANNEL,
    "channel:param_override_invalid": _CHANNEL,
    "channel:header_override_invalid": _CHANNEL,
    "channel:model_mapped_error": _CHANNEL,
    "token_concurrency_limit_reached": _RATE,
})  # fmt: skip
"""Codes (lower case) that new-api returns before it forwards a request."""

REFUSAL_CODES: Mapping[str, _Kind] = MappingProxyType({
    **BEFORE_FORWARDING,
    "prompt_blocked": _CONTENT,
    "content_policy_violation": _CONTENT,
    "insufficient_quota": _BALANCE,
    "insufficient_quota_error": _BALANCE,
    "accountoverdueerror": _BALANCE,
    "authentication_error": _KEY,
    "authenticationerror": _KEY,
    "permission_error": _KEY,
    "invalid_request_error": _PLAIN,
    "invalid_parameters": _PLAIN,
    "invalidparameter": _PLAIN,
    "request_too_large_error": _LARGE,
})  # fmt: skip
"""Codes (lower case) that mean not accepted and not charged, with status 500 too."""

OPEN_CODES = frozenset({
    "paid_outcome_unknown", "idempotency_conflict", "do_request_failed", "bad_response",
    "bad_response_body", "bad_response_status_code", "read_response_body_failed", "empty_response",
    "channel:response_time_exceeded", "generation_timeout", "internal_server_error",
    "upstream_error", "service_unavailable_error",
})  # fmt: skip
"""Codes that do not say whether the request was forwarded and is being processed."""
_NEVER_FREE = frozenset({"paid_outcome_unknown", "idempotency_conflict"})
"""Codes that are not a refusal with a 4xx either: an earlier request with this key was accepted."""

_CONTENT_CODES = (
    "sensitivecontent", "riskdetection", "content_policy", "sensitive_words", "prompt_blocked",
)  # fmt: skip
"""Parts of moderation codes; relays wrap them, so the message is searched too."""
_CONTENT_WORDS = re.compile(
    r"sensitive (?:information|content|word)|content (?:policy|moderation|safety|filter)"
    r"|safety (?:system|policy|filter)|moderation|inappropriate|prohibited content|nsfw"
    r"|敏感|违规|违禁|内容安全|内容审核|审核未通过|审核不通过|不合规|涉黄|涉政"
)
_BALANCE_WORDS = re.compile(
    r"insufficient[ _](?:(?:user|account|token)[ _])?(?:balance|quota|credit|fund)|out of credit"
    r"|pre_consume_token_quota_failed|accountoverdue"
    r"|(?:balance|quota|credits?) (?:is |are )?(?:not enough|insufficient|exhausted|too low)"
    r"|not enough (?:balance|quota|credit)|exceeded your current quota|payment required"
    r"|(?:余额|额度|配额|积分|点数|资源包)[^，。,.;；]{0,8}(?:不足|不够|用尽|耗尽|用完|已用完)|欠费|请充值"
)
_CHANNEL_WORDS = re.compile(
    r"no (?:available |usable |enabled )?channel|no (?:available|usable) key"
    r"|channels? (?:is |are )?unavailable"
    r"|无可用的?(?:渠道|通道)|没有(?:可用的?)?(?:渠道|通道)|(?:渠道|通道)(?:不存在|不可用|已禁用|均不可用)"
    r"|暂无(?:可用)?(?:渠道|通道)"
)
_OPEN_WORDS = re.compile(
    r"time[d\- ]?\s?out|deadline exceeded|bad gateway|internal server error"
    r"|service (?:is )?(?:temporarily )?unavailable|超时|网关错误|服务器内部错误"
)
"""Wording of gateways: the request may have been forwarded and be processed."""

_UNREACHABLE_MARKS = (
    "imageurl", "image_url", "image url", "image_processing", "download", "fetch", "unreachable",
    "下载",
)  # fmt: skip
"""Parts of codes and messages about reference images that the service could not read."""

_NEVER_REPEAT_429 = ("quotaexceeded", "setlimitexceeded")
"""Codes of a 429 that state an operator's limit, so that waiting does not help."""

_BY_STATUS: Mapping[int, _Kind] = MappingProxyType({
    401: _KEY,
    402: _BALANCE,
    404: (NotFound, "refused_not_found"),
    413: _LARGE,
    429: _RATE,
})  # fmt: skip
_GATEWAY = frozenset({502, 504})


def is_moderation(error: ServiceError) -> bool:
    """Return whether an error of the service is about content rules."""
    text = _to_search_text(error)
    return _has_content_code(text) or bool(_CONTENT_WORDS.search(text))


def is_unreachable_image(text: str) -> bool:
    """Return whether an error may mean that a reference's URL no longer works.

    A false positive costs one free upload; a false negative makes the same request fail for days.
    """
    return any(mark in text.lower() for mark in _UNREACHABLE_MARKS)


def is_refusal(http: int, error: ServiceError) -> bool:
    """Return whether a response to a paid request is on the closed list of refusals.

    Args:
        http: the HTTP status of the response.
        error: the error that the service stated; empty if it stated none.
    """
    codes = _get_codes(error)
    if 301 <= http <= 308:
        return True
    if 400 <= http < 500:
        return http != 408 and not codes & _NEVER_FREE
    if http == 200:
        return _is_stated_refusal(error)
    if http < 500 or http in _GATEWAY or http >= 520:
        return False
    if codes & BEFORE_FORWARDING.keys() or _CHANNEL_WORDS.search(error.message.lower()):
        return True
    has_code = bool(codes & REFUSAL_CODES.keys()) or _has_content_code(_to_search_text(error))
    return http == 500 and has_code


def _is_stated_refusal(error: ServiceError) -> bool:
    """Return whether an error inside a 200 is a refusal, judged by the status that it states."""
    codes = _get_codes(error)
    if error.is_empty or codes & _NEVER_FREE:
        return False
    if codes & REFUSAL_CODES.keys() or _has_content_code(_to_search_text(error)):
        return True
    inner = _parse_inner_status(error)
    if inner is not None and not 200 <= inner < 300:
        return is_refusal(inner, error)
    return not codes & OPEN_CODES and not _OPEN_WORDS.search(_to_search_text(error))


def is_error_code(error: ServiceError) -> bool:
    """Return whether a code outside an ``error`` field states an error all the same."""
    status = _parse_inner_status(error)
    codes = _get_codes(error)
    return (
        (status is not None and status >= 400)
        or bool(codes & REFUSAL_CODES.keys())
        or any(_has_content_code(code) for code in codes)
    )


def classify_rejection(
    http: int, body: Any, *, request_id: str | None = None, secrets: tuple[str, ...] = ()
) -> ApiRefused | None:
    """Build the error for a response; ``None`` if it is not on the closed list of refusals.

    Args:
        http: the HTTP status of the response.
        body: the parsed JSON body, or its text if it is not JSON.
        secrets: texts to remove from the service's message.
    """
    error = parse_error(body) or find_fallback_error(body)
    if not is_refusal(http, error):
        return None
    return build_refusal(http, error, request_id=request_id, secrets=secrets)


def build_refusal(
    http: int,
    error: ServiceError,
    *,
    request_id: str | None = None,
    secrets: tuple[str, ...] = (),
) -> ApiRefused:
    """Build the error to raise for a refusal.

    Args:
        secrets: texts to remove from the service's message.
    """
    error_type, key = _classify(http, error)
    label = redact(error.code or error.type, secrets)
    return error_type(
        key,
        request_id=request_id,
        http=http,
        code=f", {label}" if label else "",
        reason=redact(error.message or label, secrets) or Text("no_reason"),
    )


def _classify(http: int, error: ServiceError) -> _Kind:
    text = _to_search_text(error)
    by_code = REFUSAL_CODES.get(error.code.lower()) or REFUSAL_CODES.get(error.type.lower())
    if 301 <= http <= 308:
        return _REDIRECT
    if _has_content_code(text) or _CONTENT_WORDS.search(text):
        return _CONTENT
    if _BALANCE_WORDS.search(text) and by_code in (None, _PLAIN, _KEY, _BALANCE):
        return _BALANCE
    if _CHANNEL_WORDS.search(text):
        return _CHANNEL
    status = http if http >= 400 else (_parse_inner_status(error) or http)
    if status == 403 and by_code is not _BALANCE:
        return _BALANCE if "quota" in error.code.lower() else _KEY
    if status in _BY_STATUS and by_code in (None, _PLAIN):
        return _BY_STATUS[status]
    return by_code or _PLAIN


def is_retryable(refusal: ApiRefused) -> bool:
    """Return whether the same request may be sent again soon: 429, and 503 without a channel."""
    if isinstance(refusal, RateLimited):
        code = refusal.code.lower()
        return not any(mark in code for mark in _NEVER_REPEAT_429)
    return isinstance(refusal, ServiceBusy) and refusal.http_status == 503


def _to_search_text(error: ServiceError) -> str:
    return f"{error.code} {error.type} {error.message}".lower()


def _get_codes(error: ServiceError) -> set[str]:
    return {error.code.lower(), error.type.lower()} - {""}


def _has_content_code(text: str) -> bool:
    return any(code in text for code in _CONTENT_CODES)


def _parse_inner_status(error: ServiceError) -> int | None:
    """Return the HTTP status that an error's code states, if it is one."""
    code = error.code.strip()
    return int(code) if code.isascii() and code.isdigit() and 200 <= int(code) <= 599 else None
