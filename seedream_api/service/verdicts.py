"""Decide what a response to a paid request means; no other module decides it.

A request counts as not charged only if the service refused it in a form that ``refusals.py``
lists, and as made only if an image can be fetched. Anything else may have been charged, and the
request is never sent again.
"""

from __future__ import annotations

import re
from enum import Enum

from .refusals import is_error_code, is_refusal
from .responses import ServiceResponse
from .stated_errors import NO_ERROR, ServiceError

_CALL_ID = re.compile(r"req(?:uest)?(?:id)?[-_:]", re.IGNORECASE)


class Verdict(Enum):
    """What a response to a paid request means."""

    MADE = "made"
    """It has URLs or bytes of images."""
    ACCEPTED = "accepted"
    """It has a task to poll."""
    REFUSED = "refused"
    """The service refused the request; nothing was charged."""
    EMPTY = "empty"
    """It has results, but none contains a readable image; it may have been charged."""
    UNKNOWN = "unknown"
    """Anything else; it may have been charged."""


def judge_submission(response: ServiceResponse) -> Verdict:
    """Decide by evidence: images, then the id of a task, then the service's own refusal."""
    is_success = 200 <= response.http < 300
    still_runs = response.status is not None and not response.status.is_terminal
    if response.has_images and not (response.task_id and still_runs):
        return Verdict.MADE
    if response.task_id and is_success and response.is_whole and response.error is None:
        return Verdict.ACCEPTED
    if _may_be_task(response, is_success):
        return Verdict.UNKNOWN
    error = find_stated_error(response)
    if is_refusal(response.http, error) and not _may_be_charged(response):
        return Verdict.REFUSED
    has_nothing = response.has_evidence or error.is_empty
    is_empty = is_success and response.names_results and has_nothing
    return Verdict.EMPTY if is_empty and response.is_whole else Verdict.UNKNOWN


def _may_be_charged(response: ServiceResponse) -> bool:
    """Return whether something besides a stated refusal suggests that the request was processed.

    Of a redirect and a 4xx the status alone says no. Any other error counts only in a complete
    response without a trace of a result; the id beside a server error must be that of the HTTP
    request.
    """
    if 301 <= response.http < 500:
        return False
    if not response.is_whole or response.has_evidence:
        return True
    is_call_id = response.task_id == response.request_id or _CALL_ID.match(response.task_id or "")
    has_id = bool(response.hint or (response.task_id and not is_call_id))
    return response.http >= 500 and has_id


def _may_be_task(response: ServiceResponse, is_success: bool) -> bool:
    """Return whether a response contains a task id besides its error, which a free poll resolves.

    Outside a 2xx, a plain ``id`` next to an error is usually the id of the HTTP request.
    """
    if is_success:
        return bool(response.task_id or response.hint)
    # A type alone may be the task's: "image".
    states_nothing = response.error is None and not (
        response.envelope_error.message or response.envelope_error.code
    )
    return response.names_task or (response.task_id is not None and states_nothing)


def find_stated_error(response: ServiceResponse) -> ServiceError:
    """Find the error that the service states; empty if it states none."""
    error = response.error or response.item_error
    has_code = error is not None and is_error_code(error)
    if is_error_code(response.envelope_error) and not has_code:
        return response.envelope_error  # the more specific of two errors
    if error is None and not 200 <= response.http < 300:
        error = response.envelope_error
    return error or NO_ERROR


_UNKNOWN_TASK_CODES = frozenset({
    "task_not_exist", "task_not_found", "task_not_exists", "tasknotfound", "tasknotexist",
    "resource_not_found", "task_expired", "no_such_task",
})  # fmt: skip
_UNKNOWN_TASK_WORDS = re.compile(
    r"(?:task|job)[^.,;]{0,60}(?:not[ _]?(?:be )?(?:found|exist)|n['o\u2019]t exist|unknown)"
    r"|(?:task|job)[^.,;]{0,60}expired"
    r"|(?:no such|unknown|cannot find) (?:task|job)"
    r"|任务[^，。；]{0,40}(?:不存在|未找到|找不到|没有找到|已过期|无效)"
    r"|(?:不存在|找不到|未找到)[^，。；]{0,8}任务"
)


def is_unknown_task(response: ServiceResponse) -> bool:
    """Return whether the response to a poll states that the service does not know the task."""
    if response.http in (404, 410):
        return True
    error = response.error or response.envelope_error
    if error.code.lower() in _UNKNOWN_TASK_CODES or error.type.lower() in _UNKNOWN_TASK_CODES:
        return True
    has_failed = (
        400 <= response.http < 500
        or response.error is not None
        or is_error_code(response.envelope_error)
    )
    return has_failed and bool(_UNKNOWN_TASK_WORDS.search(error.message.lower()))
