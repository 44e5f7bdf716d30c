"""Decide what a response to a paid request means: the only place where that is decided.

*Free* only where the service itself said no, in a form of the closed list of ``refusals.py``.
*Made* only where an image can be had. Everything else may have been charged, and the request is
never sent again.
"""

from __future__ import annotations

import re
from enum import Enum

from .refusals import is_error_code, is_refusal
from .responses import ServiceResponse
from .stated_errors import NO_ERROR, ServiceError


class Verdict(Enum):
    """What a response to a paid request means."""

    MADE = "made"
    """There are images to fetch, or their bytes."""
    ACCEPTED = "accepted"
    """There is a task to poll."""
    REFUSED = "refused"
    """The service said no; nothing was charged."""
    EMPTY = "empty"
    """It names results, and no image can be read from them: it may have been charged."""
    UNKNOWN = "unknown"
    """Anything else: it may have been charged."""


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
    error = stated_error(response)
    has_evidence = response.counts_images or response.has_unreadable
    if is_refusal(response.http, error) and not (
        is_success and (has_evidence or not response.is_whole)
    ):
        return Verdict.REFUSED
    is_empty = is_success and response.names_results and (has_evidence or error.is_empty)
    return Verdict.EMPTY if is_empty and response.is_whole else Verdict.UNKNOWN


def _may_be_task(response: ServiceResponse, is_success: bool) -> bool:
    """Whether a response names a task beside its error: a free poll tells what became of it.

    Outside a 2xx, a plain ``id`` beside an error is most often the id of the call.
    """
    if is_success:
        return bool(response.task_id or response.hint)
    # A type alone is the task's own: "image".
    states_nothing = response.error is None and not (response.said.message or response.said.code)
    return response.names_task or (response.task_id is not None and states_nothing)


def stated_error(response: ServiceResponse) -> ServiceError:
    """The error that the service states; empty where it states none."""
    error = response.error or response.item_error
    has_code = error is not None and is_error_code(error)
    if is_error_code(response.said) and not has_code:
        return response.said  # of two errors, the one that says which
    if error is None and not 200 <= response.http < 300:
        error = response.said
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
    """Whether the response to a poll says that the service does not know the task."""
    if response.http in (404, 410):
        return True
    error = response.error or response.said
    if error.code.lower() in _UNKNOWN_TASK_CODES or error.type.lower() in _UNKNOWN_TASK_CODES:
        return True
    has_failed = (
        400 <= response.http < 500 or response.error is not None or is_error_code(response.said)
    )
    return has_failed and bool(_UNKNOWN_TASK_WORDS.search(error.message.lower()))
