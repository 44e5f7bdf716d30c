"""Parse a response into a task id, a status, images and an error; never raise.

The parser accepts the shapes of the service's documentation and of every API behind the relay:
the Evolink gateway, Ark, new-api, and wrapped forms of them. It takes images and ids only from
fields that carry results, never from an echo of the request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

from ..kept_response import KeptResponse
from ..network.bodies import Body
from .result_items import BYTES_FIELDS, ItemReader, ResultItem, normalize_field_name
from .stated_errors import NO_ERROR, ServiceError, find_fallback_error, find_text, to_text
from .statuses import TaskStatus, find_raw_status, parse_progress, parse_status
from .stray_images import has_stray_image
from .task_fields import (
    MAX_WRAPPING,
    TASK_FIELDS,
    TASK_ID_PATTERN,
    find_envelope_error,
    find_error,
    find_ids,
    find_list_entries,
    find_records,
    find_status_entry,
    find_status_record,
    has_usage,
    parse_nested,
)

_RESULT_FIELDS = (
    "data", "results", "result_data", "images", "output", "outputs", "result", "image_list",
    "artifacts", "predictions", "candidates", "choices", "files", "urls", "output_images",
    "generated_images", "binary_data_base64",
)  # fmt: skip
"""Fields that hold results, in order of precedence."""
_LONE_FIELDS = frozenset({
    "url", "imageurl", "imageuri", "outputurl", "resulturl", "imgurl", "downloadurl",
    *BYTES_FIELDS,
})  # fmt: skip
"""Fields of a single image outside a list; not ``image``, which is a field of the request too."""
_QUOTED_ID = re.compile(
    r"\\*[\"'](?:task_?id|id)\\*[\"']\s*[:=]\s*\\*[\"']([^\"'\\\s]{4,300})\\*[\"']", re.IGNORECASE
)
_MOST_VALUES = 100
"""JSON values read from one body; a stream has one event per image and a few more."""


@dataclass(frozen=True)
class ServiceResponse:
    """What a response states; any part may be missing."""

    task_id: str | None = None
    hint: str | None = None
    """A possible task id, which only a poll can confirm."""
    status: TaskStatus | None = None
    raw_status: str = ""
    progress: float | None = None
    items: tuple[ResultItem, ...] = ()
    names_results: bool = False
    """Whether the response has a field for results, even an empty one."""
    error: ServiceError | None = None
    envelope_error: ServiceError = NO_ERROR
    """Code and message outside an ``error`` field: an error only if something else confirms it."""
    has_usage: bool = False
    """Whether it reports images made or credits used, which is evidence of a charge."""
    has_stray_image: bool = False
    """Whether a field that is not read as a result may hold an image."""
    is_whole: bool = True
    names_task: bool = False
    """Whether ``task_id`` comes from a field for task ids, or has the form of one."""
    request_id: str | None = None
    """The relay's id of the HTTP request, for its support."""
    http: int = 0
    cut: str | None = None
    """Why reading the response ended early, if it did."""
    body: bytes = field(default=b"", repr=False)
    """The body as received, decompressed and without the key."""

    @property
    def has_images(self) -> bool:
        return any(item.was_made for item in self.items)

    @property
    def has_unreadable(self) -> bool:
        return any(item.problem is not None for item in self.items)

    @property
    def has_evidence(self) -> bool:
        """Whether anything suggests that an image was made, or charged for."""
        return self.has_usage or self.has_unreadable or self.has_stray_image

    @property
    def item_error(self) -> ServiceError | None:
        """The first entry's error, if every entry has one."""
        errors = [item.error for item in self.items if item.error is not None]
        return errors[0] if errors and len(errors) == len(self.items) else None


def to_kept_response(response: ServiceResponse) -> KeptResponse:
    """Convert a response to the form in which the ledger keeps it."""
    return KeptResponse(response.http, response.body, response.cut or "")


def parse_value(payload: Any, reader: ItemReader | None = None) -> ServiceResponse:
    """Parse one JSON value."""
    reader = reader or ItemReader()
    payload = _to_object(payload)
    records = list(find_records(payload, MAX_WRAPPING))
    entries = find_list_entries(records)
    status_record = find_status_record(records) or find_status_entry(entries)
    items, names_results = _find_items(records, reader)
    task_id, hint, names_task = find_ids(records, entries)
    return ServiceResponse(
        task_id=task_id,
        hint=hint,
        names_task=names_task,
        status=parse_status(find_raw_status(status_record)),
        raw_status=find_raw_status(status_record),
        progress=parse_progress(status_record.get("progress")),
        items=items,
        names_results=names_results,
        error=find_error([*records, *(entries if not items else [])]),
        envelope_error=find_envelope_error(records, payload),
        has_usage=any(has_usage(record) for record in records),
        has_stray_image=has_stray_image(payload, reader.blobs),
    )


def _to_object(payload: Any) -> dict[str, Any]:
    """Wrap a top-level list or text in an object."""
    payload = parse_nested(payload)
    is_list = isinstance(payload, list) and any(
        isinstance(entry, (dict, str)) for entry in cast("list[Any]", payload)
    )
    if is_list or isinstance(payload, str):
        return {"data": payload}
    return cast("dict[str, Any]", payload) if isinstance(payload, dict) else {}


def parse_response(body: Body, reader: ItemReader | None = None) -> ServiceResponse:
    """Parse a body; merge the values of an event stream or concatenated JSON into one response."""
    reader = replace(reader or ItemReader(), blobs=body.blobs)
    responses = [parse_value(value, reader) for value in body.values[:_MOST_VALUES]]
    merged = responses[0] if responses else ServiceResponse()
    for response in responses[1:]:
        merged = _merge(merged, response)
    hint = merged.hint
    if merged.task_id is None and hint is None and not merged.has_images:
        found = _QUOTED_ID.search(body.text)
        hint = found[1] if found else None
    envelope_error = merged.envelope_error if body.values else find_fallback_error(body.text)
    return replace(merged, hint=hint, envelope_error=envelope_error, is_whole=body.is_whole)


def _merge(first: ServiceResponse, then: ServiceResponse) -> ServiceResponse:
    """Merge two parts of one response: the later status counts, and the images add up."""
    known = [item for item in first.items if item.was_made]
    more = [item for item in then.items if not any(_is_repeated(item, one) for one in known)]
    if first.has_images:  # the last event of a stream repeats no images
        more = [item for item in more if item.was_made or item.error is not None]
    kept = first.items if first.has_images or not then.has_images else ()
    items = (*(_find_longest(item, then.items) for item in kept), *more)
    return replace(
        then,
        task_id=first.task_id or then.task_id,
        hint=first.hint or then.hint,
        status=then.status or first.status,
        raw_status=then.raw_status or first.raw_status,
        items=tuple(replace(item, position=place) for place, item in enumerate(items)),
        names_results=first.names_results or then.names_results,
        names_task=first.names_task or then.names_task,
        error=first.error or then.error,
        envelope_error=then.envelope_error
        if first.envelope_error.is_empty
        else first.envelope_error,
        has_usage=first.has_usage or then.has_usage,
        has_stray_image=first.has_stray_image or then.has_stray_image,
    )


def _is_repeated(item: ResultItem, known: ResultItem) -> bool:
    """Return whether an item repeats a known one: with the same URL, or bytes that were cut."""
    if item.url is not None and item.url == known.url:
        return True
    if item.data is None or known.data is None:
        return False
    return item.data.startswith(known.data) or known.data.startswith(item.data)


def _find_longest(item: ResultItem, others: Iterable[ResultItem]) -> ResultItem:
    """Return the item, or the one that repeats it with more bytes: what came first may be cut."""
    repeated = [one for one in others if item.was_made and _is_repeated(one, item)]
    return max(item, *repeated, key=lambda one: len(one.data or b"")) if repeated else item


# --- results --------------------------------------------------------------------------------------


def _find_items(
    records: list[dict[str, Any]], reader: ItemReader
) -> tuple[tuple[ResultItem, ...], bool]:
    """Return the result items, and whether there is any field for them."""
    fields = list(_find_places(records, reader))
    found = [items for place in fields if (items := reader.read_items(place))]
    with_images = (items for items in found if any(item.was_made for item in items))
    most = max(with_images, key=lambda items: sum(item.was_made for item in items), default=None)
    return most or next(iter(found), ()), bool(fields)


def _find_places(records: list[dict[str, Any]], reader: ItemReader) -> Iterator[list[Any]]:
    for record in reversed(records):  # innermost first, as a wrapper can only repeat it
        for name in _RESULT_FIELDS:
            value = parse_nested(record.get(name))
            if isinstance(value, list):
                yield _drop_tasks(cast("list[Any]", value), reader)
            elif isinstance(value, str) and reader.has_image(value):
                yield [value]
    if find_error(records) is None:  # next to an error, a single URL leads to its documentation
        yield from (
            [alone] for record in reversed(records) if (alone := _select_lone_fields(record))
        )
    for record in records[1:]:  # wrapped only: at the top level it echoes the request
        if isinstance(record.get("image_urls"), list):
            yield record["image_urls"]


def _select_lone_fields(record: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a single image outside a list."""
    return {
        name: value
        for name, value in record.items()
        if normalize_field_name(name) in _LONE_FIELDS and value
    }


def _drop_tasks(entries: list[Any], reader: ItemReader) -> list[Any]:
    return [entry for entry in entries if not _is_task(entry, reader)]


def _is_task(entry: Any, reader: ItemReader) -> bool:
    """Return whether an entry of a list is a task and not an image."""
    if isinstance(entry, str):
        return bool(TASK_ID_PATTERN.fullmatch(entry.strip()))
    if not isinstance(entry, dict):
        return False
    entry = cast("dict[str, Any]", entry)
    id_of_task = TASK_ID_PATTERN.fullmatch(to_text(entry.get("id")))
    names_task = bool(find_text(entry, TASK_FIELDS) or id_of_task)
    return names_task and not reader.has_image(entry)
