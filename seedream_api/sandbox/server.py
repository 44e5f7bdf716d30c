"""The sandbox's server on loopback."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any

from typing_extensions import Self

from ..catalog import MODELS, Model
from ..config.paths import make_private_folder
from .accounts import ACCOUNTS, Account
from .connection import Connection
from .dispatcher import Dispatcher
from .generation import SandboxConfig
from .service import Service

LOG = logging.getLogger("seedream.sandbox")

LOOPBACK = "127.0.0.1"
_CLOSE_SECONDS = 5.0


class Sandbox:
    """A free local replacement for the service.

    Use it as a context manager, or call `start` and `stop`. Tasks, results and uploads are stored
    in ``home / "sandbox"`` and outlive this object.

    Args:
        home: the data folder.
        port: 0 takes a free one; a stopped sandbox that starts again keeps its port.
        strict: also reject what other documents do not confirm (`Model.doubted`).
        models: the models that it serves.
        preferential_seconds: how long a Preferential response takes.
        task_seconds: how long a task takes by ``now``, from creation to completion.
        keys: the accounts by key; default: `ACCOUNTS`.
        now: the clock of the tasks, in seconds since the epoch.
        simulated: words of `SIMULATIONS`: in what it differs from the documented service.
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
        simulated: Collection[str] = (),
    ) -> None:
        accounts = ACCOUNTS if keys is None else keys
        config = SandboxConfig(
            models,
            strict,
            preferential_seconds,
            task_seconds,
            accounts,
            now,
            frozenset(simulated),
        )
        make_private_folder(home)
        self._port = port
        self._dispatcher = self._build_dispatcher(home / "sandbox", config)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def _build_dispatcher(self, folder: Path, config: SandboxConfig) -> Dispatcher:
        return Dispatcher(Service(folder, config, lambda: self.url))

    def start(self) -> Self:
        """Listen and serve; returns this sandbox.

        Raises:
            OSError: the port is in use.
        """
        if self._server is None:
            self._dispatcher.open()
            connect = partial(Connection, self._dispatcher.serve)
            self._server = _Server((LOOPBACK, self._port), connect)
            self._port = self._server.server_address[1]
            serve = partial(self._server.serve_forever, poll_interval=0.02)
            self._thread = threading.Thread(target=serve, name="seedream-sandbox", daemon=True)
            self._thread.start()
        return self

    def stop(self) -> None:
        """Close the port and every connection; replies that are still waiting are never sent."""
        if self._server and self._thread:
            self._dispatcher.close()
            self._server.close()
            self._thread.join()
            self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port; before `start`, the requested one."""
        return self._port

    @property
    def url(self) -> str:
        """The service's address, without a slash at its end."""
        return f"http://{LOOPBACK}:{self._port}"


class _Server(ThreadingHTTPServer):
    """One thread per connection; `close` ends all of them."""

    daemon_threads = True
    request_queue_size = 256
    # On Windows the option would let another program share the port.
    allow_reuse_address = os.name != "nt"

    def __init__(self, address: tuple[str, int], connect: Callable[..., Connection]) -> None:
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(address, connect)

    def server_bind(self) -> None:
        """Bind without the name look-up of `HTTPServer`, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection and keep it for `close`."""
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log a defect of the sandbox; nothing goes to stderr."""
        LOG.error("a request failed inside the sandbox", exc_info=True)

    def close(self) -> None:
        """Stop listening, cut every connection, and wait until their threads end."""
        self.shutdown()
        self.server_close()
        with self._changed:
            for connection in self._open:
                with suppress(OSError):  # It is closed already.
                    connection.shutdown(socket.SHUT_RDWR)
            if not self._changed.wait_for(lambda: not self._open, _CLOSE_SECONDS):
                LOG.debug("%d connections were still busy", len(self._open))
