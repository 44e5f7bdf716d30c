"""The task as one poll returns it."""

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
"""Error codes of tasks that cannot be errors of the poll (Evolink's error codes)."""


@dataclass(frozen=True)
class Task:
    """A task as one poll returned it."""

    id: str
    status: TaskStatus
    raw_status: str
    """The service's word for the status."""
    progress: float | None = None
    """Percent, 0-100, or ``None`` if the service reports none."""
    items: tuple[ResultItem, ...] = ()
    error: ServiceError | None = None
    response: ServiceResponse | None = field(default=None, repr=False, compare=False)
    """The response to the poll; it is kept with the row if no image can be read from it."""

    @property
    def has_images(self) -> bool:
        """Whether the poll returned an image."""
        return any(item.was_made for item in self.items)


def to_task(response: ServiceResponse, task_id: str, http: int = 200) -> Task | None:
    """Convert the response to a poll; ``None`` if it does not state the task's status.

    A task is completed if the response says so, or if it has images and no status. A task has
    failed if the response says so, or if it has an error.

    Args:
        http: the HTTP status of the response.
    """
    status = _find_status(response, task_id)
    if status is None:
        return None
    is_ended = status.is_terminal and response.task_id == task_id
    if not 200 <= http < 300 and not is_ended:
        return None
    error = response.error
    if status is TaskStatus.FAILED and error is None and not response.envelope_error.is_empty:
        error = response.envelope_error
    return Task(
        id=task_id,
        status=status,
        raw_status=response.raw_status or status.value,
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
