"""The fake service: the sandbox's server with the controls that tests need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seedream_api.sandbox import Sandbox
from seedream_api.sandbox.generation import SandboxConfig

from .dispatcher import FaultyDispatcher
from .expiring_links import ExpiringResults
from .fault_queue import FaultQueue
from .file_store import FileStore
from .files_api import FilesApi
from .request_log import LoggedRequest
from .service import FakeServiceRules


class FakeService(Sandbox):
    """A sandbox whose requests are logged and whose faults are scripted.

    Requests, faults and counters belong to this object and end with it.

    Args:
        link_life_s: seconds after which a result link is refused; None: never.
        options: see `Sandbox`.
    """

    _dispatcher: FaultyDispatcher
    _rules: FakeServiceRules

    def __init__(self, home: Path, *, link_life_s: float | None = None, **options: Any) -> None:
        self.faults = FaultQueue()
        """What goes wrong."""
        self._link_life_s = link_life_s
        super().__init__(home, **options)

    def _build_dispatcher(self, folder: Path, config: SandboxConfig) -> FaultyDispatcher:
        self._rules = FakeServiceRules(folder, config, lambda: self.url, self._link_life_s)
        return FaultyDispatcher(self._rules, self.faults, config.now)

    def charge(self, images: int) -> None:
        """Count images as charged that no client of the test requested."""
        self._rules.generation.images_made += images

    @property
    def requests(self) -> list[LoggedRequest]:
        """Every request whose body was read to its end, oldest first; copies."""
        return self._dispatcher.log.snapshot()

    @property
    def posts(self) -> list[LoggedRequest]:
        """The generation requests that reached the service, refused ones included.

        Excludes those that a scripted fault processed or dropped in the service's place.
        """
        return [
            request
            for request in self.requests
            if request.taken and self._rules.find_route(request.method, request.path) == "generate"
        ]

    @property
    def images_made(self) -> int:
        """Images that this object has generated, and would have billed."""
        return self._rules.generation.images_made

    @property
    def files(self) -> FilesApi:
        """Evolink's files API, at this service's own address."""
        return self._rules.files

    @property
    def file_store(self) -> FileStore:
        """The files that the files API and the image hosts have stored."""
        return self._rules.file_store

    @property
    def results(self) -> ExpiringResults:
        """The result links; a test may change their life and clock."""
        return self._rules.results

    def finish_tasks(self) -> None:
        """Let every unfinished task be finished at the next poll (while held: after `release`)."""
        self._rules.generation.finish_tasks()

    def hold(self) -> None:
        """Take generation requests without responding, and let no task finish."""
        self._rules.generation.is_held = True
        self._dispatcher.hold()

    def release(self) -> None:
        """End `hold`: held replies are sent, tasks continue."""
        self._rules.generation.is_held = False
        self._dispatcher.release()

    def release_responses(self) -> None:
        """Send held replies while tasks stay held."""
        self._dispatcher.release()
