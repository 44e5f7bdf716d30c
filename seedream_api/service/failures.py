"""Build exceptions from responses of the service, with the service's wording as the reason."""

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
from ..messages import Text, rewrite
from ..network.retry import parse_retry_after
from ..redaction import HiddenTexts, redact
from .refusals import build_refusal
from .responses import ServiceResponse, to_kept_response
from .verdicts import Verdict, find_stated_error, is_unknown_task, judge_submission


def parse_submission(
    response: ServiceResponse, secrets: HiddenTexts
) -> ServiceResponse | ApiRefused:
    """Return a response that accepts a paid request, or the error for a refusal.

    Raises:
        OutcomeUnknown: the response leaves the outcome open.
    """
    verdict = judge_submission(response)
    if verdict is Verdict.REFUSED:
        return to_refusal(response, secrets)
    if verdict is Verdict.UNKNOWN:
        raise to_unknown(response, secrets)
    return response


def to_refusal(response: ServiceResponse, secrets: HiddenTexts) -> ApiRefused:
    """Build the error for a response that was judged to be a refusal."""
    return build_refusal(
        response.http,
        find_stated_error(response),
        request_id=response.request_id,
        secrets=secrets,
    )


def to_unknown(response: ServiceResponse, secrets: HiddenTexts) -> OutcomeUnknown:
    """Build the error for a response that leaves the outcome open; it carries the response."""
    error = find_stated_error(response)
    description = f"HTTP {response.http}: {error}"
    if error.is_empty:
        description = response.cut or Text("unreadable_response", status=response.http)
    unknown = OutcomeUnknown(
        "outcome_unknown",
        request_id=response.request_id,
        http=response.http or None,
        reason=rewrite(description, lambda text: redact(text, secrets)),
    )
    unknown.possible_task_id = response.task_id or response.hint
    unknown.response = to_kept_response(response)
    return unknown


def to_poll_failure(
    response: ServiceResponse, headers: Mapping[str, str], *, task_id: str, secrets: HiddenTexts
) -> SeedreamError:
    """Build the error for a poll whose response does not state the task's status."""
    error = response.error or response.envelope_error
    reason = f"HTTP {response.http}" if error.is_empty else redact(str(error), secrets)
    if is_unknown_task(response):
        return TaskNotFound(
            "task_not_found", task_id=task_id, http=response.http or None, reason=reason
        )
    if response.http in (401, 403):
        refusal = to_refusal(response, secrets)
        if isinstance(refusal, AuthenticationFailed):
            return refusal
    failed = ReadFailed(
        "read_failed",
        task_id=task_id,
        request_id=response.request_id,
        http=response.http or None,
        reason=response.cut or reason,
    )
    failed.retry_after_s = parse_retry_after(headers, time.time())
    return failed
