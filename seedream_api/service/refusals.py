"""Tell a refusal, which is not charged, from a response that leaves the outcome open.

The closed list, after ``design.md`` and the services' own error pages (new-api ``types/error.go``
and ``middleware/utils.go``; Evolink's error codes; Ark ``docs/82379/1299023``):

* 301-308: a redirect was not taken; the address is wrong.
* any 4xx but 408, unless its code says that the outcome is open (:data:`OPEN_CODES`).
* 200 with the service's error: judged by the HTTP status in it, where it names one.
* 500 with a code of :data:`REFUSAL_CODES`, or with a moderation code in code, type or message.
* any other 5xx, but for 502, 504 and 520 and above, which are the gateway's own: a code that the
  relay gives before it forwards (:data:`BEFORE_FORWARDING`), or its words for *no channel*.

Which *kind* of refusal it is, and so the advice, is decided by words before codes before status:
relays wrap the errors of others in codes of their own.
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
from .models import ServiceError
from .stated_errors import find_fallback_error, parse_error

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
"""Codes (lower case) that new-api gives before anything is forwarded."""

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
"""Codes (lower case) that mean: not accepted, not charged; on 500 too."""

OPEN_CODES = frozenset({
    "paid_outcome_unknown", "idempotency_conflict", "do_request_failed", "bad_response",
    "bad_response_body", "bad_response_status_code", "read_response_body_failed", "empty_response",
    "channel:response_time_exceeded", "generation_timeout", "internal_server_error",
    "upstream_error", "service_unavailable_error",
})  # fmt: skip
"""Codes that say nothing about whether the request was forwarded and is being worked on."""
_NEVER_FREE = frozenset({"paid_outcome_unknown", "idempotency_conflict"})
"""Those of them that are no refusal on a 4xx either: an earlier request with this key was taken."""

_CONTENT_CODES = (
    "sensitivecontent", "riskdetection", "content_policy", "sensitive_words", "prompt_blocked",
)  # fmt: skip
"""Parts of moderation codes; relays re-wrap them, so they are looked for in the message too."""
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
"""Words of gateways: the request may have been forwarded and be worked on."""

_UNREACHABLE_MARKS = (
    "imageurl", "image_url", "image url", "image_processing", "download", "fetch", "unreachable",
    "下载",
)  # fmt: skip
"""Parts of codes and messages about references that the service could not read."""

_NEVER_REPEAT_429 = ("quotaexceeded", "setlimitexceeded")
"""429 codes that are an operator's limit: waiting does not help."""

_BY_STATUS: Mapping[int, _Kind] = MappingProxyType({
    401: _KEY,
    402: _BALANCE,
    404: (NotFound, "refused_not_found"),
    413: _LARGE,
    429: _RATE,
})  # fmt: skip
_GATEWAY = frozenset({502, 504})


def is_moderation(error: ServiceError) -> bool:
    """Whether an error of the service speaks of content rules."""
    text = _text(error)
    return _has_content_code(text) or bool(_CONTENT_WORDS.search(text))


def is_unreachable_image(text: str) -> bool:
    """Whether an error may mean that a reference's URL no longer serves it.

    A wrong yes costs an upload, which is free; a wrong no would refuse the same request for days.
    """
    return any(mark in text.lower() for mark in _UNREACHABLE_MARKS)


def is_refusal(http: int, error: ServiceError) -> bool:
    """Whether a response to a paid request is on the closed list of refusals.

    Args:
        http: the HTTP status; of a 200 with an error, 200.
        error: what the service stated; empty where it stated nothing.
    """
    codes = _codes(error)
    if 301 <= http <= 308:
        return True
    if 400 <= http < 500:
        return http != 408 and not codes & _NEVER_FREE
    if http == 200:
        return _is_stated(error)
    if http < 500 or http in _GATEWAY or http >= 520:
        return False
    if _CHANNEL_WORDS.search(error.message.lower()):
        return True
    if http == 500:
        return bool(codes & REFUSAL_CODES.keys()) or _has_content_code(_text(error))
    return bool(codes & BEFORE_FORWARDING.keys())


def _is_stated(error: ServiceError) -> bool:
    """Whether an error inside a 200 is a refusal: as the status in it would be."""
    codes = _codes(error)
    if error.is_empty or codes & _NEVER_FREE:
        return False
    if codes & REFUSAL_CODES.keys() or _has_content_code(_text(error)):
        return True
    inner = _status_in(error)
    if inner is not None and not 200 <= inner < 300:
        return is_refusal(inner, error)
    return not codes & OPEN_CODES and not _OPEN_WORDS.search(_text(error))


def is_error_code(said: ServiceError) -> bool:
    """Whether a code that stands beside the response proper, and not in an error, states one."""
    status = _status_in(said)
    codes = _codes(said)
    return (
        (status is not None and status >= 400)
        or bool(codes & REFUSAL_CODES.keys())
        or any(_has_content_code(code) for code in codes)
    )


def classify_rejection(
    http: int, body: Any, *, request_id: str | None = None, secrets: tuple[str, ...] = ()
) -> ApiRefused | None:
    """The refusal that a response means, or ``None`` where it is not on the closed list.

    Args:
        body: the parsed JSON body, or its text where it is not JSON.
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
    """The error to raise for a refusal.

    Args:
        secrets: texts to take out of the service's own words.
    """
    error_type, key = _kind(http, error)
    label = redact(error.code or error.type, secrets)
    return error_type(
        key,
        request_id=request_id,
        http=http,
        code=f", {label}" if label else "",
        reason=redact(error.message or label, secrets) or Text("no_reason"),
    )


def _kind(http: int, error: ServiceError) -> _Kind:
    text = _text(error)
    by_code = REFUSAL_CODES.get(error.code.lower()) or REFUSAL_CODES.get(error.type.lower())
    if 301 <= http <= 308:
        return _REDIRECT
    if _has_content_code(text) or _CONTENT_WORDS.search(text):
        return _CONTENT
    if _BALANCE_WORDS.search(text) and by_code in (None, _PLAIN, _KEY, _BALANCE):
        return _BALANCE
    if _CHANNEL_WORDS.search(text):
        return _CHANNEL
    status = http if http >= 400 else (_status_in(error) or http)
    if status == 403 and by_code is not _BALANCE:
        return _BALANCE if "quota" in error.code.lower() else _KEY
    if status in _BY_STATUS and by_code in (None, _PLAIN):
        return _BY_STATUS[status]
    return by_code or _PLAIN


def is_retryable(refusal: ApiRefused) -> bool:
    """Whether the same request may be sent again soon: 429, and 503 without a channel."""
    if isinstance(refusal, RateLimited):
        code = refusal.code.lower()
        return not any(mark in code for mark in _NEVER_REPEAT_429)
    return isinstance(refusal, ServiceBusy) and refusal.http_status == 503


def _text(error: ServiceError) -> str:
    return f"{error.code} {error.type} {error.message}".lower()


def _codes(error: ServiceError) -> set[str]:
    return {error.code.lower(), error.type.lower()} - {""}


def _has_content_code(text: str) -> bool:
    return any(code in text for code in _CONTENT_CODES)


def _status_in(error: ServiceError) -> int | None:
    """The HTTP status that an error's code is, if it is one."""
    code = error.code.strip()
    return int(code) if code.isascii() and code.isdigit() and 200 <= int(code) <= 599 else None
