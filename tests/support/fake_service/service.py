"""The sandbox's service with image hosts, expiring links, and tasks that faults can mark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from seedream_api.sandbox.exchange import HttpRequest, Reply
from seedream_api.sandbox.generation import Generation, SandboxConfig
from seedream_api.sandbox.request_fields import GenerationRequest
from seedream_api.sandbox.service import TASKS, Service
from seedream_api.sandbox.tasks import StoredTask, TaskProgress

from .byte_ranges import select_range
from .expiring_links import ExpiringResults
from .faults import EmptyCompleted, Fault, PartialGroup
from .file_store import PREFIX as HOSTED, FileStore
from .files_api import UPLOAD as FILES, FilesApi
from .image_hosts import PATHS as HOSTS, ImageHosts
from .request_log import LoggedRequest

MAX_FORM_BYTES = 101 * 1024 * 1024
"""Largest upload to a files API or an image host, which judge the file in it themselves."""


class FakeGeneration(Generation):
    """Generation that can be held, finished early, and marked by a fault."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.is_held = False
        """While true, no unfinished task finishes."""
        self._finished: set[str] = set()

    def build_task(
        self, asked: GenerationRequest, request: HttpRequest, thumbnails: list[bytes], key: str
    ) -> StoredTask:
        """Build the task, marked by the request's fault."""
        task = super().build_task(asked, request, thumbnails, key)
        fault = request.fault_object if isinstance(request, LoggedRequest) else None
        return replace(task, **_marks_of(fault))

    def progress(self, task: StoredTask) -> TaskProgress:
        """Return the task's state; held tasks stay unfinished."""
        at = super().progress(task)
        with self._lock:
            if at.percent == 100 and self.is_held and task.id not in self._finished:
                return replace(at, status="processing", percent=99)
            if at.percent == 100:
                self._finished.add(task.id)
        return at

    def mark(self, task_id: str, fault: Fault | None) -> None:
        """Mark a stored task for good, if ``fault`` is of that kind."""
        marks, before = _marks_of(fault), self._store.get(task_id)
        if not marks or before is None:
            return
        after = self._store.change(task_id, **marks)
        if after:
            with self._lock:
                self.images_made += after.images - before.images

    def finish_tasks(self) -> None:
        """Finish every unfinished task now."""
        for task in self._store.all():
            if super().progress(task).percent < 100:
                self._store.change(task.id, seconds=0.0)


def _marks_of(fault: Fault | None) -> dict[str, Any]:
    if isinstance(fault, PartialGroup):
        return {"failed_items": fault.failed}
    return {"count": 0} if isinstance(fault, EmptyCompleted) else {}


class FakeServiceRules(Service):
    """The service's rules with the routes that only tests use."""

    def __init__(
        self, folder: Path, config: SandboxConfig, address: Callable[[], str],
        link_life_s: float | None,
    ) -> None:  # fmt: skip
        super().__init__(folder, config, address)
        self.results: ExpiringResults = ExpiringResults(folder, self.store, link_life_s, config.now)
        self.generation: FakeGeneration = FakeGeneration(self.store, self.results, config, address)
        self.file_store = FileStore(address, config.now)
        self.files = FilesApi(self.file_store)
        hosts = ImageHosts(self.file_store)
        self._public_routes.update(
            files=self.files.upload,
            host=lambda request: hosts.upload(urlsplit(request.path).path, request),
            hosted=lambda request: self.file_store.serve(urlsplit(request.path).path),
        )

    def find_route(self, method: str, target: str) -> str:
        """Return the route of a request."""
        path = urlsplit(target).path
        if method == "POST" and path in (FILES, *HOSTS):
            return "files" if path == FILES else "host"
        if method in ("GET", "HEAD") and path.startswith(HOSTED):
            return "hosted"
        return super().find_route(method, target)

    def body_limit(self, route: str) -> int:
        """Return the most bytes that a body on ``route`` may have."""
        return MAX_FORM_BYTES if route in ("files", "host") else super().body_limit(route)

    def respond(self, route: str, request: HttpRequest) -> Reply:
        """Return the reply; of a file, the requested byte range."""
        reply = super().respond(route, request)
        if route in ("image", "reference", "hosted") and reply.status == 200:
            return select_range(reply, request.headers)
        return reply

    def _poll(self, request: HttpRequest, key: str) -> Reply:
        if isinstance(request, LoggedRequest):
            task_id = unquote(urlsplit(request.path).path.removeprefix(TASKS))
            self.generation.mark(task_id, request.fault_object)
        return super()._poll(request, key)
