"""The exceptions that responses of the service become, in the service's own words."""

from __future__ import annotations

import time
from collections.abc import Mapping

from ..errors import (
    ApiRefused,
    AuthenticationFailed,
    OutcomeUnknown,
    ReadFailed,
    SeedreamError,
    TaskNotFound,
)
from ..kept_response import KeptResponse
from ..messages import Text, rewrite
from ..network.retry import retry_after_s
from ..redaction import redact
from .refusals import build_refusal
from .responses import ServiceResponse
from .verdicts import is_unknown_task, stated_error


def to_refusal(response: ServiceResponse, secret: str) -> ApiRefused:
    """The error for a response that is judged to be a refusal."""
    return build_refusal(
        response.http, stated_error(response), request_id=response.request_id, secrets=(secret,)
    )


def to_unknown(response: ServiceResponse, secret: str) -> OutcomeUnknown:
    """The error for a response that leaves the outcome open; it carries what was read."""
    error = stated_error(response)
    said = f"HTTP {response.http}: {error}"
    if error.is_empty:
        said = response.cut or Text("unreadable_response", status=response.http)
    unknown = OutcomeUnknown(
        "outcome_unknown",
        request_id=response.request_id,
        reason=rewrite(said, lambda text: redact(text, (secret,))),
    )
    unknown.possible_task_id = response.task_id or response.hint
    unknown.response = to_kept_response(response)
    return unknown


def to_kept_response(response: ServiceResponse) -> KeptResponse:
    """What is kept of a response that cannot be read."""
    return KeptResponse(response.http, response.body, response.cut or "")


def to_poll_failure(
    response: ServiceResponse, headers: Mapping[str, str], *, task_id: str, secret: str
) -> SeedreamError:
    """The error for a poll whose response does not say how the task is."""
    error = response.error or response.said
    reason = f"HTTP {response.http}" if error.is_empty else redact(str(error), (secret,))
    if is_unknown_task(response):
        return TaskNotFound("task_not_found", task_id=task_id, reason=reason)
    if response.http in (401, 403):
        refusal = to_refusal(response, secret)
        if isinstance(refusal, AuthenticationFailed):
            return refusal
    failed = ReadFailed("read_failed", task_id=task_id, reason=response.cut or reason)
    failed.retry_after_s = retry_after_s(headers, time.time())
    return failed
