"""Find the objects of a response that describe the task, and their ids, errors and counts.

A response may be wrapped several times, and may contain an older response of the provider; this
module decides which of these objects counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, cast

from .stated_errors import (
    NO_ERROR,
    ServiceError,
    find_fallback_error,
    find_text,
    is_fine,
    parse_error,
    to_text,
)
from .statuses import TaskStatus, find_raw_status, parse_status

Record = dict[str, Any]

MAX_WRAPPING = 4
CARRIERS = (
    "output", "outputs", "data", "result", "results", "response", "resp", "task", "job", "body",
    "payload", "Result", "Data", "Output",
)  # fmt: skip
"""Fields that hold the actual response, or a part of it, one level deeper."""
TASK_FIELDS = ("task_id", "taskId", "taskid", "TaskId", "taskID", "job_id", "jobId")
TASK_ID_PATTERN = re.compile(
    r"(?:task|tsk|job|cgt|img-?task)[-_:.](?!\S*\.(?:png|jpe?g|webp)\Z)\S{1,900}", re.IGNORECASE
)
_TASK_OBJECT = re.compile(r"task|job|image|generation", re.IGNORECASE)
"""What the ``object`` of a task contains; that of an error is "error"."""
_ID_PATTERN = re.compile(r"(?=[^\s]*\d)[A-Za-z0-9][\w.:-]{7,199}", re.ASCII)
MAX_ID_CHARACTERS = 1_000
_TASK_SIGNS = {"object", "created_at", "progress", "task_info"}
"""Fields that a task has and a wrapper does not."""


def find_records(payload: Any, depth: int) -> Iterator[Record]:
    """Yield the response's object and those that it wraps, the outermost first."""
    payload = parse_nested(payload)
    if not isinstance(payload, dict):
        return
    body = cast("Record", payload)
    yield body
    if depth > 0:
        for name in CARRIERS:
            yield from find_records(body.get(name), depth - 1)


def find_list_entries(records: list[Record]) -> list[Record]:
    """List the entries that may be tasks, as in ``data: [{"status": .., "task_id": ..}]``."""
    lists = [parse_nested(record.get(name)) for record in records for name in CARRIERS]
    return [
        cast("Record", entry)
        for entries in lists
        if isinstance(entries, list)
        for entry in cast("list[Any]", entries)[:50]
        if isinstance(entry, dict)
    ]


def parse_nested(value: Any) -> Any:
    """Parse JSON inside a text, as gateways nest it; return anything else unchanged."""
    for _ in range(MAX_WRAPPING):
        if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
            break
        try:
            value = json.loads(value, strict=False)
        except (ValueError, RecursionError):
            break
    return value


def find_status_record(records: list[Record]) -> Record:
    """Find the record whose status counts: one with a task id, else the innermost with an id.

    A relay's task may contain the provider's raw response, which may be older; a wrapper without
    an id describes the HTTP request and not the task.
    """
    words = [record for record in records if find_raw_status(record)]
    named = [record for record in words if find_text(record, TASK_FIELDS)]
    if named:
        return named[0]
    with_id = [record for record in words if to_text(record.get("id"))]
    found = with_id or words
    return found[-1] if found else {}


def find_status_entry(listed: list[Record]) -> Record:
    """Find an entry that is still running, else one that was completed, else one that failed."""
    ranks = {TaskStatus.COMPLETED: 1, TaskStatus.FAILED: 2}
    nothing: Record = {}
    words = [record for record in listed if find_raw_status(record)]
    return min(words, key=lambda each: ranks.get(_parse_record_status(each), 0), default=nothing)


def _parse_record_status(record: Record) -> TaskStatus:
    return parse_status(find_raw_status(record)) or TaskStatus.UNKNOWN


def find_error(records: list[Record]) -> ServiceError | None:
    """Find the error of the outermost record that states one."""
    return next((error for record in records if (error := parse_error(record))), None)


def find_envelope_error(records: list[Record], payload: Any) -> ServiceError:
    """Find code and message of the outermost record that states neither success nor nothing."""
    errors = (find_fallback_error(each) for each in records or [payload])
    return next((each for each in errors if not is_fine(each)), NO_ERROR)


def has_usage(record: Record) -> bool:
    """Return whether a record reports images made or credits used."""
    usage = record.get("usage")
    if not isinstance(usage, dict):
        return False
    usage = cast("Record", usage)
    amounts = (usage.get(name) for name in ("generated_images", "image_count", "credits_used"))
    return any(isinstance(amount, (int, float)) and amount > 0 for amount in amounts)


# --- ids ------------------------------------------------------------------------------------------


def find_ids(records: list[Record], listed: list[Record]) -> tuple[str | None, str | None, bool]:
    """Find the id of the task.

    Returns:
        The id, or ``None``; without an id, a possible one; and whether the id certainly belongs to
        a task.
    """
    for record in (*records, *listed):
        explicit = find_text(record, TASK_FIELDS)
        if explicit and len(explicit) <= MAX_ID_CHARACTERS:
            return explicit, None, True
    tasks = [record for record in records if find_raw_status(record) or _TASK_SIGNS & record.keys()]
    ordered = [*tasks, *reversed(records)]
    plain = [text for record in ordered for text in _read_id(record)]
    inner = [text for record in listed for text in _read_id(record)]
    texts = list(_iter_carried_texts(records))
    like = [text for text in (*plain, *inner, *texts) if TASK_ID_PATTERN.fullmatch(text)]
    objects = [text for record in ordered if _is_task_object(record) for text in _read_id(record)]
    found = (like or objects or plain or [None])[0]
    if found is not None:
        return found[:MAX_ID_CHARACTERS], None, bool(like or objects)
    hint = next((text for text in (*inner, *texts) if _ID_PATTERN.fullmatch(text)), None)
    return None, hint, False


def _is_task_object(record: Record) -> bool:
    return bool(_TASK_OBJECT.search(to_text(record.get("object"))))


def _read_id(record: Record) -> list[str]:
    text = to_text(record.get("id"))
    return [text] if text else []


def _iter_carried_texts(records: list[Record]) -> Iterator[str]:
    """Yield texts in place of the actual response: ``data: "task-1"``, ``data: ["task-1"]``."""
    for record in records:
        for name in CARRIERS:
            value = record.get(name)
            texts = cast("list[Any]", value)[:5] if isinstance(value, list) else [value]
            yield from (text.strip() for text in texts if isinstance(text, str))
