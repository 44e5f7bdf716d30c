"""Tasks: what one poll of a task shows."""

from __future__ import annotations

from dataclasses import dataclass, field

from .responses import ServiceResponse
from .result_items import ResultItem
from .stated_errors import ServiceError
from .statuses import TaskStatus

FAILED_TASK_CODES = frozenset({
    "content_policy_violation", "image_processing_error", "image_dimension_mismatch",
    "request_cancelled", "generation_failed_no_content", "generation_timeout",
})  # fmt: skip
"""Codes of a task's error that cannot be the error of the poll itself (Evolink's error codes)."""


@dataclass(frozen=True)
class Task:
    """A task as one poll of it showed."""

    id: str
    status: TaskStatus
    raw_status: str
    """The service's own word for the status."""
    progress: float | None = None
    """Percent, 0-100, or ``None`` where the service gives none."""
    items: tuple[ResultItem, ...] = ()
    error: ServiceError | None = None
    response: ServiceResponse | None = field(default=None, repr=False, compare=False)
    """The response it was read from; kept beside the row where no image can be read from it."""

    @property
    def has_images(self) -> bool:
        return any(item.was_made for item in self.items)


def to_task(response: ServiceResponse, task_id: str, http: int = 200) -> Task | None:
    """Read the response to a poll; ``None`` where it does not say how the task is.

    Completed needs a word that says so, or images and no word at all. Failed needs a word that
    says so, or the service's error.
    """
    status = _find_status(response, task_id)
    if status is None:
        return None
    is_ended = status.is_terminal and response.task_id == task_id
    if not 200 <= http < 300 and not is_ended:
        return None
    error = response.error
    if status is TaskStatus.FAILED and error is None and not response.said.is_empty:
        error = response.said
    return Task(
        id=task_id,
        status=status,
        raw_status=response.word or status.value,
        progress=response.progress,
        items=response.items,
        error=error,
        response=response,
    )


def _find_status(response: ServiceResponse, task_id: str) -> TaskStatus | None:
    if response.status in (None, TaskStatus.FAILED) and response.has_images:
        return TaskStatus.COMPLETED
    error = response.error
    if response.status is None:
        is_its_own = error is not None and (
            response.task_id == task_id or error.code.lower() in FAILED_TASK_CODES
        )
        return TaskStatus.FAILED if is_its_own else None
    if response.status is TaskStatus.UNKNOWN and error is not None and not response.has_images:
        return TaskStatus.FAILED
    return response.status
