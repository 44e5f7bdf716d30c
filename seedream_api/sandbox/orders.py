"""Both families' orders: taken, written down, and told about."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from ..catalog import Family, Model
from .accounts import owner_of
from .checks import Order
from .faults import EmptyCompleted, Fault, PartialGroup
from .replies import Reply, ark_refusal, json_reply, relay_refusal
from .results import Results
from .tasks import Progress, Record, RecordStore, new_id, progress_of

MODERATED, FAILS = "[moderated]", "[fails]"
"""Words in a prompt: the model's moderation refuses it; the model fails."""

_ITEM_ERROR = {"code": "InternalServiceError", "message": "This image could not be generated."}


@dataclass(frozen=True)
class Terms:
    """How a sandbox behaves; durations in seconds, ``now`` in seconds since the epoch."""

    models: Mapping[str, Model]
    strict: bool
    preferential_seconds: float
    task_seconds: float
    link_life_s: float | None
    now: Callable[[], float]


class Orders:
    """Takes checked orders, and answers for them."""

    def __init__(
        self, store: RecordStore, results: Results, terms: Terms, address: Callable[[], str]
    ) -> None:
        self._store = store
        self._results = results
        self._terms = terms
        self._address = address
        self._lock = threading.Lock()
        self._made: dict[str, int] = {}
        self._seen_done: set[str] = set()
        self.held = False
        """While true, no task that is unfinished finishes."""

    @property
    def images_made(self) -> int:
        """Images generated, and so billed, through this object."""
        with self._lock:
            return sum(self._made.values())

    def place(
        self, order: Order, body: dict[str, Any], thumbnails: list[bytes], key: str,
        fault: Fault | None,
    ) -> Reply:  # fmt: skip
        """Take an order, charge it, and answer in its family's shape (main page).

        Raises:
            Refusal: the prompt makes a Preferential model refuse (400) or fail (500).
        """
        at_once = order.model.family is Family.PREFERENTIAL
        if at_once:
            _refuse_at_once(order.prompt)
        record = self._record(order, body, thumbnails, key, fault)
        self._store.put(record)
        with self._lock:
            self._made[record.id] = record.images
        created = int(record.created)
        if at_once:
            answer = {"data": self._data(record), "created": created, "model": record.model}
            return json_reply(answer, wait_s=self._terms.preferential_seconds)
        kind = "image.generation"
        answer = {"id": record.id, "object": kind, "model": record.model, "created_at": created}
        return json_reply(answer)

    def task(self, task_id: str, key: str, fault: Fault | None) -> Reply:
        """A polled task in one of the main page's four shapes.

        Raises:
            Refusal: 404 for a task that does not exist, or was made with another key.
        """
        record = self._store.get(task_id) if task_id.startswith("task-") else None
        if record is None or record.owner != owner_of(key):
            code, kind = HTTPStatus.NOT_FOUND.value, "not_found_error"
            raise relay_refusal(404, "Task not found or expired", code=code, kind=kind)
        return json_reply(self._told(self._marked(record, fault)))

    def look(self, record: Record) -> Progress:
        """Where a task stands now."""
        with self._lock:
            frozen = self.held and record.id not in self._seen_done
            at = progress_of(record, self._terms.now(), frozen=frozen)
            if at.percent == 100:
                self._seen_done.add(record.id)
            return at

    def finish_tasks(self) -> None:
        """Let every unfinished task be done now."""
        now = self._terms.now()
        for record in self._store.all():
            if progress_of(record, now).percent < 100:
                self._store.change(record.id, finished=now)

    def _record(
        self, order: Order, body: dict[str, Any], thumbnails: list[bytes], key: str,
        fault: Fault | None,
    ) -> Record:  # fmt: skip
        at_once = order.model.family is Family.PREFERENTIAL
        names = [hashlib.sha256(data).hexdigest() for data in thumbnails]
        for name, data in zip(names, thumbnails, strict=True):
            self._store.put_thumbnail(name, data)
        asked = {**body, order.model.reference_field: names}  # By content: a URL changes.
        return Record(
            id=new_id("pic" if at_once else "task"),
            owner=owner_of(key),
            model=order.model.id,
            prompt=order.prompt,
            tier=order.tier,
            ratio=order.ratio,
            count=order.count,
            extension=_extension(order, at_once),
            watermark=order.watermark,
            thumbnails=tuple(names),
            digest=hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest(),
            created=self._terms.now(),
            seconds=0.0 if at_once else self._terms.task_seconds,
            failure=None if at_once else _failure(order.prompt),
            failed_items=fault.failed if isinstance(fault, PartialGroup) else (),
            empty=isinstance(fault, EmptyCompleted),
        )

    def _data(self, record: Record) -> list[dict[str, Any]]:
        """The results in their order; a failed one keeps its place, without ``url`` (Ark)."""
        if record.empty:
            return []
        return [
            {"error": _ITEM_ERROR}
            if index in record.failed_items
            else {"url": self._results.link(record, index, self._address())}
            for index in range(record.count)
        ]

    def _marked(self, record: Record, fault: Fault | None) -> Record:
        if isinstance(fault, PartialGroup):
            changed = self._store.change(record.id, failed_items=fault.failed)
        elif isinstance(fault, EmptyCompleted):
            changed = self._store.change(record.id, empty=True)
        else:
            return record
        with self._lock:
            if changed and record.id in self._made:
                self._made[record.id] = changed.images
        return changed or record

    def _told(self, record: Record) -> dict[str, Any]:
        at = self.look(record)
        told: dict[str, Any] = {"id": record.id, "status": at.status}
        created = {"created_at": int(record.created)}
        if at.status == "processing":
            return {**told, "progress": at.percent, **created, "started_at": int(at.started)}
        if at.status == "completed":
            output = {"output": {"data": self._data(record)}}
            return {**told, **output, **created, "completed_at": int(at.done)}
        if at.status == "failed" and record.failure:
            message, kind = record.failure
            return {**told, "error": {"message": message, "type": kind}, **created}
        return {**told, **created}


def _refuse_at_once(prompt: str) -> None:
    if MODERATED in prompt:
        message = "The request failed because the input text may contain sensitive information."
        raise ark_refusal(400, "InputTextSensitiveContentDetected", message)
    if FAILS in prompt:
        raise ark_refusal(500, "InternalServiceError", "The service encountered an internal error.")


def _failure(prompt: str) -> tuple[str, str] | None:
    if MODERATED in prompt:
        message = "content_policy_violation: the prompt was refused by the content policy"
        return message, "upstream_error"
    return ("The model failed to generate the image", "server_error") if FAILS in prompt else None


def _extension(order: Order, at_once: bool) -> str:
    """As in the main page's examples: .jpeg at once, .jpg from a task."""
    if order.output_format == "png":
        return "png"
    return "jpeg" if at_once else "jpg"
