"""Find the objects of a response that speak of the task, and what they say: ids, words, counts.

A response may be wrapped several times, and may hold an older response of the provider. Which of
these objects counts is decided here.
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
"""Fields that hold the response proper, or part of it, one level deeper."""
TASK_FIELDS = ("task_id", "taskId", "taskid", "TaskId", "taskID", "job_id", "jobId")
LIKE_TASK = re.compile(
    r"(?:task|tsk|job|cgt|img-?task)[-_:.](?!\S*\.(?:png|jpe?g|webp)\Z)\S{1,900}", re.IGNORECASE
)
_LIKE_ID = re.compile(r"(?=[^\s]*\d)[A-Za-z0-9][\w.:-]{7,199}", re.ASCII)
MAX_ID_CHARACTERS = 1_000
_TASK_SIGNS = {"object", "created_at", "progress", "task_info"}
"""Fields that a task has and a wrapping does not."""


def find_records(payload: Any, depth: int) -> Iterator[Record]:
    """The object of the response and those it wraps, the outermost first."""
    payload = parse_nested(payload)
    if not isinstance(payload, dict):
        return
    body = cast("Record", payload)
    yield body
    if depth > 0:
        for name in CARRIERS:
            yield from find_records(body.get(name), depth - 1)


def find_listed(records: list[Record]) -> list[Record]:
    """Objects in lists of results that may be tasks: ``data: [{"status": .., "task_id": ..}]``."""
    lists = [parse_nested(record.get(name)) for record in records for name in CARRIERS]
    return [
        cast("Record", entry)
        for entries in lists
        if isinstance(entries, list)
        for entry in cast("list[Any]", entries)[:50]
        if isinstance(entry, dict)
    ]


def parse_nested(value: Any) -> Any:
    """JSON inside a text, as gateways nest it."""
    for _ in range(MAX_WRAPPING):
        if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
            break
        try:
            value = json.loads(value, strict=False)
        except (ValueError, RecursionError):
            break
    return value


def speaking_record(records: list[Record]) -> Record:
    """The record whose status counts: one that names its task, else the innermost with an id.

    A relay's task may hold the provider's raw response, which may be older; a wrapping without an
    id speaks of the call and not of the task.
    """
    words = [record for record in records if find_raw_status(record)]
    named = [record for record in words if first_text(record, TASK_FIELDS)]
    if named:
        return named[0]
    with_id = [record for record in words if to_text(record.get("id"))]
    found = with_id or words
    return found[-1] if found else {}


def speaking_of_list(listed: list[Record]) -> Record:
    """Of several tasks or entries, one that still runs; else one that was completed."""
    ranks = {TaskStatus.COMPLETED: 1, TaskStatus.FAILED: 2}
    nothing: Record = {}
    words = [record for record in listed if find_raw_status(record)]
    return min(words, key=lambda each: ranks.get(_status(each), 0), default=nothing)


def _status(record: Record) -> TaskStatus:
    return parse_status(find_raw_status(record)) or TaskStatus.UNKNOWN


def first_error(records: list[Record]) -> ServiceError | None:
    """The error that the outermost of the records states."""
    return next((error for record in records if (error := parse_error(record))), None)


def said_beside(records: list[Record], payload: Any) -> ServiceError:
    """Code and message of the outermost record that has some, unless they say that all is well."""
    said = (find_fallback_error(each) for each in records or [payload])
    return next((each for each in said if not is_fine(each)), NO_ERROR)


def counts_images(record: Record) -> bool:
    """Whether a record says that images were made or credits used."""
    usage = record.get("usage")
    if not isinstance(usage, dict):
        return False
    usage = cast("Record", usage)
    amounts = (usage.get(name) for name in ("generated_images", "image_count", "credits_used"))
    return any(isinstance(amount, (int, float)) and amount > 0 for amount in amounts)


# --- ids ------------------------------------------------------------------------------------------


def find_ids(records: list[Record], listed: list[Record]) -> tuple[str | None, str | None, bool]:
    """The id of the task, or else what may be one; and whether it surely belongs to a task."""
    for record in (*records, *listed):
        explicit = first_text(record, TASK_FIELDS)
        if explicit and len(explicit) <= MAX_ID_CHARACTERS:
            return explicit, None, True
    tasks = [record for record in records if find_raw_status(record) or _TASK_SIGNS & record.keys()]
    ordered = [*tasks, *reversed(records)]
    plain = [text for record in ordered if (text := to_text(record.get("id")))]
    inner = [text for record in listed if (text := to_text(record.get("id")))]
    texts = list(_bare_texts(records))
    like = [text for text in (*plain, *inner, *texts) if LIKE_TASK.fullmatch(text)]
    found = (like or plain or [None])[0]
    if found is not None:
        return found[:MAX_ID_CHARACTERS], None, bool(like)
    hint = next((text for text in (*inner, *texts) if _LIKE_ID.fullmatch(text)), None)
    return None, hint, False


def _bare_texts(records: list[Record]) -> Iterator[str]:
    """Texts that stand where the response proper does: ``data: "task-1"``, ``data: ["task-1"]``."""
    for record in records:
        for name in CARRIERS:
            value = record.get(name)
            texts = cast("list[Any]", value)[:5] if isinstance(value, list) else [value]
            yield from (text.strip() for text in texts if isinstance(text, str))


def first_text(record: Record, names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := to_text(record.get(name)))), "")
