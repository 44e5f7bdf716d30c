"""Read what a response says: a task id, a status, images, an error. Never raises.

The shapes are those of the service's main page and of every source that may shine through the
relay: the Evolink gateway, Ark, new-api, and wrapped forms of them. Images and ids are taken only
from the fields that carry results, never from an echo of the request.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

from ..network.bodies import Body
from .result_items import BYTES_FIELDS, ItemReader, ResultItem, plain_name
from .stated_errors import NO_ERROR, ServiceError, find_fallback_error, to_text
from .statuses import TaskStatus, find_raw_status, parse_progress, parse_status
from .task_fields import (
    LIKE_TASK,
    MAX_WRAPPING,
    TASK_FIELDS,
    counts_images,
    find_ids,
    find_listed,
    find_records,
    first_error,
    first_text,
    parse_nested,
    said_beside,
    speaking_of_list,
    speaking_record,
)

_PLACES = (
    "data", "results", "result_data", "images", "output", "outputs", "result", "image_list",
    "artifacts", "predictions", "candidates", "choices", "files", "urls", "output_images",
    "generated_images", "binary_data_base64",
)  # fmt: skip
"""Fields in which results stand; the first with images counts."""
_ALONE = frozenset({
    "url", "imageurl", "imageuri", "outputurl", "resulturl", "imgurl", "downloadurl",
    *BYTES_FIELDS,
})  # fmt: skip
"""Fields of one image without a list around it. ``image`` is a field of the request, too."""
_QUOTED_ID = re.compile(
    r"\\*[\"'](?:task_?id|id)\\*[\"']\s*[:=]\s*\\*[\"']([^\"'\\\s]{4,300})\\*[\"']", re.IGNORECASE
)
_MOST_VALUES = 100
"""JSON values of one body: a stream has one event for each image, and some more."""


@dataclass(frozen=True)
class ServiceResponse:
    """What a response holds; any of it may be missing."""

    task_id: str | None = None
    hint: str | None = None
    """What may be the id of a task; only a poll can tell."""
    status: TaskStatus | None = None
    word: str = ""
    progress: float | None = None
    items: tuple[ResultItem, ...] = ()
    names_results: bool = False
    """Whether a place for results was there at all, be it empty."""
    error: ServiceError | None = None
    said: ServiceError = NO_ERROR
    """Code and message beside the response proper: an error only where something else says so."""
    counts_images: bool = False
    """Whether it says that images were made or credits used, which is evidence of a charge."""
    is_whole: bool = True
    names_task: bool = False
    """Whether ``task_id`` stands in a field for tasks, or looks like the id of one."""
    request_id: str | None = None
    """The relay's id of the call, for its support."""
    http: int = 0
    cut: str | None = None
    """Why reading the response ended early, if it did."""
    body: bytes = field(default=b"", repr=False)
    """What was read, without compression and without the key."""

    @property
    def has_images(self) -> bool:
        return any(item.was_made for item in self.items)

    @property
    def has_unreadable(self) -> bool:
        return any(item.problem is not None for item in self.items)

    @property
    def item_error(self) -> ServiceError | None:
        """The first error among entries, where the service gives one for every entry."""
        errors = [item.error for item in self.items if item.error is not None]
        return errors[0] if errors and len(errors) == len(self.items) else None


def parse_value(payload: Any, reader: ItemReader | None = None) -> ServiceResponse:
    """Read one JSON value."""
    reader = reader or ItemReader()
    payload = _as_object(payload)
    records = list(find_records(payload, MAX_WRAPPING))
    listed = find_listed(records)
    speaking = speaking_record(records) or speaking_of_list(listed)
    items, names_results = _items(records, reader)
    task_id, hint, names_task = find_ids(records, listed)
    return ServiceResponse(
        task_id=task_id,
        hint=hint,
        names_task=names_task,
        status=parse_status(find_raw_status(speaking)),
        word=find_raw_status(speaking),
        progress=parse_progress(speaking.get("progress")),
        items=items,
        names_results=names_results,
        error=first_error([*records, *(listed if not items else [])]),
        said=said_beside(records, payload),
        counts_images=any(counts_images(record) for record in records),
    )


def _as_object(payload: Any) -> dict[str, Any]:
    """A list or a text that stands alone, as if a wrapping held it."""
    payload = parse_nested(payload)
    is_list = isinstance(payload, list) and any(
        isinstance(entry, (dict, str)) for entry in cast("list[Any]", payload)
    )
    if is_list or isinstance(payload, str):
        return {"data": payload}
    return cast("dict[str, Any]", payload) if isinstance(payload, dict) else {}


def parse_response(body: Body, reader: ItemReader | None = None) -> ServiceResponse:
    """Read every JSON value of a body as one answer: events and appended JSON tell one story."""
    reader = replace(reader or ItemReader(), blobs=body.blobs)
    responses = [parse_value(value, reader) for value in body.values[:_MOST_VALUES]]
    merged = responses[0] if responses else ServiceResponse()
    for answer in responses[1:]:
        merged = _merged(merged, answer)
    hint = merged.hint
    if merged.task_id is None and hint is None and not merged.has_images:
        found = _QUOTED_ID.search(body.text)
        hint = found[1] if found else None
    said = merged.said if body.values else find_fallback_error(body.text)
    return replace(merged, hint=hint, said=said, is_whole=body.is_whole)


def _merged(first: ServiceResponse, then: ServiceResponse) -> ServiceResponse:
    """Two parts of one response: of a status the later counts, images add up."""
    known = {(item.url, item.data) for item in first.items if item.was_made}
    more = [item for item in then.items if (item.url, item.data) not in known]
    if first.has_images:  # the closing event of a stream has no images, and need not
        more = [item for item in more if item.was_made or item.error is not None]
    items = (*(first.items if first.has_images or not then.has_images else ()), *more)
    return replace(
        then,
        task_id=first.task_id or then.task_id,
        hint=first.hint or then.hint,
        status=then.status or first.status,
        word=then.word or first.word,
        items=tuple(replace(item, position=place) for place, item in enumerate(items)),
        names_results=first.names_results or then.names_results,
        names_task=first.names_task or then.names_task,
        error=first.error or then.error,
        said=then.said if first.said.is_empty else first.said,
        counts_images=first.counts_images or then.counts_images,
    )


# --- results --------------------------------------------------------------------------------------


def _items(
    records: list[dict[str, Any]], reader: ItemReader
) -> tuple[tuple[ResultItem, ...], bool]:
    """The result items, and whether any place for them was there."""
    places = list(_places(records, reader))
    read = [items for place in places if (items := reader.items(place))]
    with_images = (items for items in read if any(item.was_made for item in items))
    most = max(with_images, key=lambda items: sum(item.was_made for item in items), default=None)
    return most or next(iter(read), ()), bool(places)


def _places(records: list[dict[str, Any]], reader: ItemReader) -> Iterator[list[Any]]:
    for record in reversed(records):  # the innermost first: a wrapping repeats it at most
        for name in _PLACES:
            value = parse_nested(record.get(name))
            if isinstance(value, list):
                yield _without_tasks(cast("list[Any]", value), reader)
            elif isinstance(value, str) and reader.has_image(value):
                yield [value]
    if first_error(records) is None:  # beside an error, a single address leads to its explanation
        yield from ([alone] for record in reversed(records) if (alone := _alone(record)))
    for record in records[1:]:  # inside a wrapping only: outside it is a field of the request
        if isinstance(record.get("image_urls"), list):
            yield record["image_urls"]


def _alone(record: dict[str, Any]) -> dict[str, Any]:
    """The fields of one image that stand in the response without a list around them."""
    return {name: value for name, value in record.items() if plain_name(name) in _ALONE and value}


def _without_tasks(entries: list[Any], reader: ItemReader) -> list[Any]:
    return [entry for entry in entries if not _is_task(entry, reader)]


def _is_task(entry: Any, reader: ItemReader) -> bool:
    """Whether an entry of a list is a task and not an image."""
    if isinstance(entry, str):
        return bool(LIKE_TASK.fullmatch(entry.strip()))
    if not isinstance(entry, dict):
        return False
    entry = cast("dict[str, Any]", entry)
    id_of_task = LIKE_TASK.fullmatch(to_text(entry.get("id")))
    names_task = bool(first_text(entry, TASK_FIELDS) or id_of_task)
    return names_task and not reader.has_image(entry)
