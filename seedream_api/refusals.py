"""Tells a refusal, which is never charged, from an answer that leaves the outcome open.

Refused is any 4xx but 408, a 200 with an error and no image, and a 5xx whose body carries a code
that is known to mean *not accepted*: relays answer 500 for their own word filter.
Codes: new-api ``types/error.go`` and ``middleware/utils.go``; Evolink's error-code page; Ark
``docs/82379/1299023``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from .answers import read_error
from .errors import (
    ApiRefused,
    AuthenticationFailed,
    ContentRejected,
    InsufficientBalance,
    NotFound,
    RateLimited,
    ServiceBusy,
)
from .models import ServiceError
from .redaction import scrub

_Kind = tuple[type[ApiRefused], str]
_CONTENT: _Kind = (ContentRejected, "refused_content")
_BALANCE: _Kind = (InsufficientBalance, "refused_balance")
_KEY: _Kind = (AuthenticationFailed, "refused_key")
_PLAIN: _Kind = (ApiRefused, "refused")
_CHANNEL: _Kind = (ServiceBusy, "refused_channel")
_RATE: _Kind = (RateLimited, "refused_rate")

REFUSAL_CODES: Mapping[str, _Kind] = MappingProxyType({
    "sensitive_words_detected": _CONTENT,
    "prompt_blocked": _CONTENT,
    "content_policy_violation": _CONTENT,
    "insufficient_user_quota": _BALANCE,
    "insufficient_quota": _BALANCE,
    "insufficient_quota_error": _BALANCE,
    "pre_consume_token_quota_failed": _BALANCE,
    "accountoverdueerror": _BALANCE,
    "access_denied": _KEY,
    "authentication_error": _KEY,
    "authenticationerror": _KEY,
    "permission_error": _KEY,
    "invalid_request": _PLAIN,
    "invalid_request_error": _PLAIN,
    "invalid_parameters": _PLAIN,
    "invalidparameter": _PLAIN,
    "bad_request_body": _PLAIN,
    "convert_request_failed": _PLAIN,
    "read_request_body_failed": (ApiRefused, "refused_too_large"),
    "request_too_large_error": (ApiRefused, "refused_too_large"),
    "model_not_found": _CHANNEL,
    "channel:no_available_key": _CHANNEL,
    "channel:invalid_key": _CHANNEL,
    "token_concurrency_limit_reached": _RATE,
})  # fmt: skip
"""Codes (lower case) that mean: not accepted, not charged, whatever the HTTP status."""

_CONTENT_MARKS = (
    "sensitivecontent", "riskdetection", "content_policy", "sensitive_words", "prompt_blocked",
)  # fmt: skip
"""Parts of moderation codes; relays re-wrap them, so they are looked for in the message too."""

_UNREACHABLE_MARKS = (
    "imageurl", "image_url", "image url", "image_processing", "download", "fetch", "unreachable",
    "下载",
)  # fmt: skip
"""Parts of codes and messages about references that the service could not read."""

_NEVER_REPEAT_429 = ("quotaexceeded", "setlimitexceeded", "insufficient_quota")
"""429 codes that are an operator's limit: waiting does not help."""

_BY_STATUS: Mapping[int, _Kind] = MappingProxyType({
    401: _KEY,
    402: _BALANCE,
    403: _KEY,
    404: (NotFound, "refused_not_found"),
    413: (ApiRefused, "refused_too_large"),
    429: _RATE,
})  # fmt: skip


def is_moderation(error: ServiceError) -> bool:
    """Whether an error of the service speaks of content rules."""
    text = f"{error.code} {error.type} {error.message}".lower()
    return any(mark in text for mark in _CONTENT_MARKS)


def is_unreachable_image(text: str) -> bool:
    """Whether an error may mean that a reference's URL no longer serves it.

    A wrong yes costs an upload, which is free; a wrong no would refuse the same request for days.
    """
    return any(mark in text.lower() for mark in _UNREACHABLE_MARKS)


def read_refusal(
    http: int, body: Any, *, request_id: str | None = None, secrets: tuple[str, ...] = ()
) -> ApiRefused | None:
    """The refusal that an answer to a POST means, or ``None`` where the outcome stays open.

    Args:
        http: the HTTP status; 200 where the body carried an error and no image.
        body: the parsed JSON body, or its text where it is no JSON.
        secrets: texts to take out of the service's own words.
    """
    error = read_error(body) or _loose_error(body)
    kind = _kind(http, error)
    if kind is None:
        return None
    error_type, key = kind
    label = scrub(error.code or error.type, secrets)
    return error_type(
        key,
        request_id=request_id,
        http=http,
        code=f", {label}" if label else "",
        reason=scrub(error.message or label or "no reason given", secrets),
        waited=0,
    )


def _kind(http: int, error: ServiceError) -> _Kind | None:
    by_code = REFUSAL_CODES.get(error.code.lower()) or REFUSAL_CODES.get(error.type.lower())
    if http >= 500:
        if is_moderation(error):
            return _CONTENT
        if "no available channel" in error.message.lower():
            return _CHANNEL
        return by_code
    if http == 408 or not (http == 200 or 400 <= http < 500):
        return None
    if is_moderation(error):
        return _CONTENT
    if http == 403 and by_code is not _BALANCE and "quota" not in error.code.lower():
        return _KEY
    if http in _BY_STATUS and (by_code is None or by_code is _PLAIN):
        return _BY_STATUS[http]
    return by_code or _PLAIN


def may_repeat(refusal: ApiRefused) -> bool:
    """Whether the same request may be sent again soon: 429, and 503 without a channel."""
    if isinstance(refusal, RateLimited):
        code = str(refusal.values.get("code", "")).lower()
        return not any(mark in code for mark in _NEVER_REPEAT_429)
    return isinstance(refusal, ServiceBusy) and refusal.values.get("http") == 503


def _loose_error(body: Any) -> ServiceError:
    """The words of an error body in no known shape."""
    if isinstance(body, dict):
        body = cast("dict[str, Any]", body)
        for name in ("message", "msg", "detail", "error_description"):
            if isinstance(body.get(name), str) and body[name].strip():
                code = body.get("code")
                return ServiceError(body[name].strip(), str(code) if code is not None else "")
        return ServiceError("")
    return ServiceError(body.strip()[:300] if isinstance(body, str) else "")
