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
from ..network.retry import retry_after_s
from ..redaction import scrub
from .refusals import refusal_of
from .responses import Answer
from .verdicts import is_unknown_task, stated_error


def as_refusal(answer: Answer, secret: str) -> ApiRefused:
    """The error for a response that is judged to be a refusal."""
    return refusal_of(
        answer.http, stated_error(answer), request_id=answer.request_id, secrets=(secret,)
    )


def as_unknown(answer: Answer, secret: str) -> OutcomeUnknown:
    """The error for a response that leaves the outcome open; it carries what was read."""
    error = stated_error(answer)
    said = f"HTTP {answer.http}: {error}"
    if error.is_empty:
        said = answer.cut or f"a response that cannot be read, HTTP {answer.http}"
    unknown = OutcomeUnknown(
        "outcome_unknown", request_id=answer.request_id, reason=scrub(said, (secret,)), entry="ID"
    )
    unknown.hint = answer.task_id or answer.hint
    unknown.answer = answer
    return unknown


def as_poll_failure(
    answer: Answer, headers: Mapping[str, str], *, task_id: str, secret: str
) -> SeedreamError:
    """The error for a poll whose response does not say how the task is."""
    error = answer.error or answer.said
    reason = f"HTTP {answer.http}" if error.is_empty else scrub(str(error), (secret,))
    if is_unknown_task(answer):
        return TaskNotFound("task_not_found", task_id=task_id, reason=reason)
    if answer.http in (401, 403):
        refusal = as_refusal(answer, secret)
        if isinstance(refusal, AuthenticationFailed):
            return refusal
    failed = ReadFailed("read_failed", task_id=task_id, reason=answer.cut or reason)
    failed.retry_after_s = retry_after_s(headers, time.time())
    return failed
