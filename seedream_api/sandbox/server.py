"""The sandbox itself: a server on loopback, with the controls that tests need."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any

from ..catalog import MODELS, Model
from .accounts import ACCOUNTS, Account
from .desk import Desk
from .files_api import FilesApi
from .handler import Handler
from .journal import TakenRequest
from .orders import Terms
from .script import Faults
from .service import Service, route_of
from .tasks import private_folder

LOG = logging.getLogger("seedream.sandbox")

LOOPBACK = "127.0.0.1"
_LEAVING_SECONDS = 5.0


class Sandbox:
    """The service's stand-in on loopback, built from what the service and its neighbours document.

    Use it as a context manager, or call `start` and `stop`. Requests, faults and counters belong to
    this object; tasks, results and uploads live below ``home / "sandbox"`` and outlive it.

    Args:
        home: the folder to keep things in.
        port: 0 takes a free one; a stopped sandbox that starts again keeps its port.
        strict: refuse also what only a neighbouring source doubts (`Model.doubted`).
        models: the models that it serves.
        preferential_seconds: how long a Preferential answer takes.
        task_seconds: how long a task takes by ``now``, from creation to completion.
        keys: the keys that it knows; default: `ACCOUNTS`.
        now: the clock that tasks and links live by, in seconds since the epoch.
        link_life_s: seconds after which a result link is refused; None: never.
    """

    def __init__(
        self,
        home: Path,
        *,
        port: int = 0,
        strict: bool = False,
        models: Mapping[str, Model] = MODELS,
        preferential_seconds: float = 0.3,
        task_seconds: float = 1.5,
        keys: Mapping[str, Account] | None = None,
        now: Callable[[], float] = time.time,
        link_life_s: float | None = None,
    ) -> None:
        terms = Terms(models, strict, preferential_seconds, task_seconds, link_life_s, now)
        accounts = ACCOUNTS if keys is None else keys
        self.faults = Faults()
        """The script of what goes wrong."""
        folder = private_folder(private_folder(home) / "sandbox")
        self._service = Service(folder, terms, accounts, lambda: self.url)
        self._desk = Desk(self._service, self.faults, now)
        self._port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Sandbox:
        """Listen and serve; returns this sandbox.

        Raises:
            OSError: the port is taken.
        """
        if self._server is None:
            self._desk.open()
            self._server = _Server((LOOPBACK, self._port), partial(Handler, self._desk))
            self._port = self._server.server_address[1]
            serve = partial(self._server.serve_forever, poll_interval=0.02)
            self._thread = threading.Thread(target=serve, name="seedream-sandbox", daemon=True)
            self._thread.start()
        return self

    def stop(self) -> None:
        """Close the port and every connection; answers that are held or late are never sent."""
        if self._server and self._thread:
            self._desk.close()
            self._server.leave()
            self._thread.join()
            self._server = self._thread = None

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port; the one that was asked for until `start` has bound one."""
        return self._port

    @property
    def url(self) -> str:
        """The service's address, without a slash at its end."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def requests(self) -> list[TakenRequest]:
        """Every request whose body was read to its end, oldest first; copies."""
        return self._desk.journal.snapshot()

    @property
    def posts(self) -> list[TakenRequest]:
        """The generation requests that reached the service, refused ones included.

        Not here: what a scripted fault answered or dropped in its place.
        """
        return [
            request
            for request in self.requests
            if request.taken and route_of(request.method, request.path) == "generate"
        ]

    @property
    def images_made(self) -> int:
        """Images that this object has generated, and would have billed."""
        return self._service.orders.images_made

    @property
    def files(self) -> FilesApi:
        """The stand-in of Evolink's files API, at this sandbox's own address."""
        return self._service.files

    def finish_tasks(self) -> None:
        """Let every unfinished task be finished at the next look (after `release`, while held)."""
        self._service.orders.finish_tasks()

    def hold(self) -> None:
        """From now on generation requests are taken but not answered, and no task finishes."""
        self._service.orders.held = True
        self._desk.hold()

    def release(self) -> None:
        """End `hold`: held answers are sent, tasks go on."""
        self._service.orders.held = False
        self._desk.release()


class _Server(ThreadingHTTPServer):
    """A thread a connection; all of them end when the server leaves."""

    daemon_threads = True
    request_queue_size = 256
    # On Windows the option would let another program share the port.
    allow_reuse_address = os.name != "nt"

    def __init__(self, address: tuple[str, int], handler: Callable[..., Handler]) -> None:
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Bind without the name look-up of `HTTPServer`, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection while it lives."""
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close the connection and forget it."""
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A defect of the sandbox: told in the log, not on stderr."""
        LOG.error("a request could not be answered", exc_info=True)

    def leave(self) -> None:
        """Stop listening, cut every connection, and wait until their threads are through."""
        self.shutdown()
        self.server_close()
        with self._changed:
            for connection in self._open:
                with suppress(OSError):  # It is closed already.
                    connection.shutdown(socket.SHUT_RDWR)
            if not self._changed.wait_for(lambda: not self._open, _LEAVING_SECONDS):
                LOG.debug("%d connections were still busy", len(self._open))
