"""Generate for both families: take valid requests, store them, and report on their tasks."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from ..catalog import Family, Model
from .accounts import Account, hash_key
from .exchange import HttpRequest, Reply, ark_refusal, json_reply, relay_refusal
from .prompt_parsing import FAILS, MODERATED
from .request_fields import GenerationRequest
from .results import Results
from .tasks import StoredTask, TaskProgress, TaskStore, new_id, progress_at

SIMULATIONS = (
    "inline-evolink", "no-inline", "no-models-list", "no-balance", "dashboard-balance",
    "small-bodies", "signed-links",
)  # fmt: skip
"""Evolink takes data URIs; no family takes them; the list of models or the balance does not exist;
only the dashboard has the balance; bodies over 1 MB are refused; result links state in their
signature that they last an hour."""
SIGNED_LIFE_S = 3600
_ITEM_ERROR = {"code": "InternalServiceError", "message": "This image could not be generated."}


@dataclass(frozen=True)
class SandboxConfig:
    """How a sandbox behaves; durations in seconds, ``now`` in seconds since the epoch."""

    models: Mapping[str, Model]
    strict: bool
    preferential_seconds: float
    task_seconds: float
    accounts: Mapping[str, Account]
    now: Callable[[], float]
    simulated: frozenset[str] = frozenset()
    """Words of `SIMULATIONS`: in what it differs from the documented service."""


class Generation:
    """Takes generation requests and reports their results."""

    def __init__(
        self, store: TaskStore, results: Results, config: SandboxConfig, address: Callable[[], str]
    ) -> None:
        self.images_made: int = 0
        """Images generated, and so billed, by this object."""
        self._store = store
        self._results = results
        self._config = config
        self._address = address
        self._lock = threading.Lock()

    def submit(
        self, asked: GenerationRequest, request: HttpRequest, thumbnails: list[bytes], key: str
    ) -> Reply:
        """Charge a request and respond in its family's shape (main page).

        Raises:
            Refusal: the prompt makes a Preferential model reject it (400) or fail (500).
        """
        is_immediate = asked.model.family is Family.PREFERENTIAL
        if is_immediate:
            _check_outcome(asked.prompt)
        task = self.build_task(asked, request, thumbnails, key)
        self._store.put(task)
        with self._lock:
            self.images_made += task.images
        created = int(task.created)
        if is_immediate:
            body = {"data": self._list_results(task), "created": created, "model": task.model}
            return json_reply(body, wait_s=self._config.preferential_seconds)
        kind = "image.generation"
        return json_reply(
            {"id": task.id, "object": kind, "model": task.model, "created_at": created}
        )

    def poll(self, task_id: str, key: str) -> Reply:
        """Report a task in one of the main page's four shapes.

        Raises:
            Refusal: 404 if the task does not exist or belongs to another key.
        """
        task = self._store.get(task_id) if task_id.startswith("task-") else None
        if task is None or task.owner != hash_key(key):
            code, kind = HTTPStatus.NOT_FOUND.value, "not_found_error"
            raise relay_refusal(404, "Task not found or expired", code=code, kind=kind)
        return json_reply(self._describe(task))

    def progress(self, task: StoredTask) -> TaskProgress:
        """Return the task's state now."""
        return progress_at(task, self._config.now())

    def build_task(
        self, asked: GenerationRequest, request: HttpRequest, thumbnails: list[bytes], key: str
    ) -> StoredTask:
        """Build the task to store for a request."""
        is_immediate = asked.model.family is Family.PREFERENTIAL
        # References count by content, since URLs change.
        hashes = [hashlib.sha256(data).hexdigest() for data in thumbnails]
        identity: dict[str, Any] = {**(request.json or {}), asked.model.reference_field: hashes}
        return StoredTask(
            id=new_id("pic" if is_immediate else "task"),
            owner=hash_key(key),
            model=asked.model.id,
            prompt=asked.prompt,
            tier=asked.tier,
            ratio=asked.ratio,
            count=asked.count,
            extension=_choose_extension(asked.output_format, is_immediate),
            watermark=asked.watermark,
            references=tuple(base64.b64encode(data).decode() for data in thumbnails),
            digest=hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest(),
            created=self._config.now(),
            seconds=0.0 if is_immediate else self._config.task_seconds,
            is_transparent=asked.is_transparent,
            failure=None if is_immediate else _find_failure(asked.prompt),
        )

    def _list_results(self, task: StoredTask) -> list[dict[str, Any]]:
        """List the results in order; a failed one keeps its place, without ``url`` (Ark)."""
        return [
            {"error": _ITEM_ERROR}
            if index in task.failed_items
            else {"url": self._results.link(task, index, self._address()) + self._sign()}
            for index in range(task.count)
        ]

    def _sign(self) -> str:
        if "signed-links" not in self._config.simulated:
            return ""
        signed_at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._config.now()))
        return f"?X-Amz-Date={signed_at}&X-Amz-Expires={SIGNED_LIFE_S}"

    def _describe(self, task: StoredTask) -> dict[str, Any]:
        at = self.progress(task)
        told: dict[str, Any] = {"id": task.id, "status": at.status}
        created = {"created_at": int(task.created)}
        if at.status == "processing":
            return {**told, "progress": at.percent, **created, "started_at": int(at.started)}
        if at.status == "completed":
            output = {"output": {"data": self._list_results(task)}}
            return {**told, **output, **created, "completed_at": int(at.done)}
        if at.status == "failed" and task.failure:
            message, kind = task.failure
            return {**told, "error": {"message": message, "type": kind}, **created}
        return {**told, **created}


def _check_outcome(prompt: str) -> None:
    if MODERATED in prompt:
        message = "The request failed because the input text may contain sensitive information."
        raise ark_refusal(400, "InputTextSensitiveContentDetected", message)
    if FAILS in prompt:
        raise ark_refusal(500, "InternalServiceError", "The service encountered an internal error.")


def _find_failure(prompt: str) -> tuple[str, str] | None:
    if MODERATED in prompt:
        message = "content_policy_violation: the prompt was refused by the content policy"
        return message, "upstream_error"
    return ("The model failed to generate the image", "server_error") if FAILS in prompt else None


def _choose_extension(output_format: str, is_immediate: bool) -> str:
    """Choose as the main page's examples do: .jpeg immediately, .jpg from a task."""
    if output_format == "png":
        return "png"
    return "jpeg" if is_immediate else "jpg"
