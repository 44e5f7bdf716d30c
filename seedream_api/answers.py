"""Reads what the service answers, tolerantly: by the answer's shape, not by the model's name.

The shapes are those of the main page and of every source that may shine through the relay: the
Evolink gateway, Ark, new-api and wrapped forms of them. URLs are taken only from the places where
results stand, never from an echoed request.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from .models import ResultItem, ServiceError, Task, TaskStatus

_WORDS: Mapping[TaskStatus, frozenset[str]] = {
    TaskStatus.QUEUED: frozenset(
        {
            "queued",
            "pending",
            "submitted",
            "not_start",
            "created",
            "waiting",
            "in_queue",
            "accepted",
        }
    ),
    TaskStatus.PROCESSING: frozenset(
        {"processing", "running", "in_progress", "started", "generating"}
    ),
    TaskStatus.COMPLETED: frozenset(
        {"completed", "complete", "succeeded", "success", "succeed", "done", "finished"}
    ),
    TaskStatus.FAILED: frozenset(
        {"failed", "failure", "fail", "error", "cancelled", "canceled", "expired", "rejected"}
    ),
}
_RESULT_LISTS = ("data", "results", "result_data", "images")
_URL_FIELDS = ("url", "image_url")
_MAX_WRAPPING = 3
_MOST_ENTRIES = 1_000
"""Of one list. The service makes 15 images at most; millions of entries would take minutes."""


@dataclass(frozen=True)
class Answer:
    """What an answer holds: a task id, a status, images, an error; any of them may be missing."""

    task_id: str | None
    status: TaskStatus | None
    word: str
    progress: float | None
    items: tuple[ResultItem, ...]
    names_results: bool
    """Whether a place for results was there at all, be it empty."""
    error: ServiceError | None
    request_id: str | None = None
    """The relay's id of the call, for its support."""

    @property
    def has_images(self) -> bool:
        return any(item.was_made for item in self.items)

    def as_task(self, task_id: str) -> Task | None:
        """The answer of a poll, or ``None`` where it says nothing about a task."""
        status = self.status
        if self.has_images and status is not TaskStatus.PROCESSING:
            status = TaskStatus.COMPLETED
        if status is None:
            return None
        return Task(
            id=task_id,
            status=status,
            word=self.word or status.value,
            progress=self.progress,
            items=self.items,
            error=self.error,
        )


def read_answer(payload: Any) -> Answer:
    """What ``payload``, any JSON value, says. Never raises: an unreadable answer has no parts."""
    body = _unwrapped(payload)
    word = _text(body.get("status")) or _text(body.get("task_status")) or _text(body.get("state"))
    items, names_results = _items(body)
    return Answer(
        # Where both stand, "id" is the number of a row in the relay's own database.
        task_id=_text(body.get("task_id")) or _text(body.get("id")) or None,
        status=_status(word) if word else None,
        word=word,
        progress=_progress(body.get("progress")),
        items=items,
        names_results=names_results,
        error=read_error(body),
    )


def read_error(body: Any) -> ServiceError | None:
    """The error of an answer in any of the known shapes, or ``None``."""
    if not isinstance(body, dict):
        return None
    body = cast("dict[str, Any]", body)
    error = body.get("error")
    if isinstance(error, dict):
        error = cast("dict[str, Any]", error)
        found = ServiceError(
            _text(error.get("message")) or _text(error.get("msg")),
            _text(error.get("code")),
            _text(error.get("type")),
        )
        return found if found.message or found.code or found.type else None
    if isinstance(error, str) and error.strip():
        return ServiceError(error.strip(), _text(body.get("code")))
    reason = _text(body.get("fail_reason"))
    if reason:
        return ServiceError(reason, _text(body.get("code")))
    if body.get("success") is False:
        return ServiceError(
            _text(body.get("message")) or _text(body.get("msg")), _text(body.get("code"))
        )
    return None


def _unwrapped(payload: Any) -> dict[str, Any]:
    """``{"code": .., "data": {..}}`` is some gateways' wrapping of the real answer."""
    body = cast("dict[str, Any]", payload) if isinstance(payload, dict) else {}
    for _ in range(_MAX_WRAPPING):
        inner = body.get("data")
        if not isinstance(inner, dict):
            break
        inner = cast("dict[str, Any]", inner)
        outer = {name: value for name, value in body.items() if name != "data"}
        if _text(outer.get("task_id")) and _text(outer.get("status")):
            # new-api's task: its data is the provider's raw answer, which may be an older one.
            body = {**inner, **outer}
            continue
        is_task = bool(_text(outer.get("task_id")) or _text(outer.get("id")))
        # A wrapping's own code, message and status speak of the call, not of the task.
        if outer.get("success") is not False and not is_task:
            outer = {name: value for name, value in outer.items() if name == "error"}
        body = {**outer, **inner}
    return body


def _items(body: dict[str, Any]) -> tuple[tuple[ResultItem, ...], bool]:
    """The result items, and whether any place for them was there."""
    places: list[Any] = []
    output = body.get("output")
    if isinstance(output, dict):
        output = cast("dict[str, Any]", output)
        places += [output.get(name) for name in _RESULT_LISTS]
    else:
        places.append(output)
    places += [body.get(name) for name in _RESULT_LISTS]
    lists = [cast("list[Any]", place) for place in places if isinstance(place, list)]
    read = [
        tuple(_item(i, entry) for i, entry in enumerate(entries[:_MOST_ENTRIES]))
        for entries in lists
    ]
    with_images = next((items for items in read if any(i.was_made for i in items)), None)
    first_filled = next((items for items in read if items), ())
    return with_images or first_filled, bool(lists)


def _item(position: int, entry: Any) -> ResultItem:
    if isinstance(entry, str):
        entry = {"url": entry}
    if not isinstance(entry, dict):
        return ResultItem(position, error=ServiceError("an entry that is no image"))
    entry = cast("dict[str, Any]", entry)
    for name in _URL_FIELDS:
        url = _text(entry.get(name))
        if url.lower().startswith(("http://", "https://")):
            return ResultItem(position, url=url)
        if url.startswith("data:"):
            entry = {**entry, "b64_json": url}
    data = _base64(_text(entry.get("b64_json")))
    if data:
        return ResultItem(position, data=data)
    error = read_error(entry) or ServiceError("an entry without an image")
    return ResultItem(position, error=error)


def _base64(text: str) -> bytes | None:
    """Bytes from plain base64 or a data URI; ``None`` where it is neither."""
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return base64.b64decode(text, validate=False) or None
    except (binascii.Error, ValueError):
        return None


def _status(word: str) -> TaskStatus:
    plain = word.strip().lower().replace("-", "_").replace(" ", "_")
    return next((status for status, words in _WORDS.items() if plain in words), TaskStatus.UNKNOWN)


def _progress(value: Any) -> float | None:
    """Percent from a number or a text such as ``"50%"``."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = value.strip().rstrip("%")
    try:
        percent = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return min(100.0, max(0.0, percent)) if percent == percent else None


def _text(value: Any) -> str:
    """Texts and numbers as text; anything else, and the empty text, as absent."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""
