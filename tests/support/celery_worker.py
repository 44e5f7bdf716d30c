"""Celery workers of the examples as processes that may be killed, and a client for their tasks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import psutil

from .clean_environment import clean_environment
from .paths import PACK_ROOT

WINDOW = 60
"""How many results are asked for at a time."""


class Worker:
    """A worker of one machine: a main process with children, which share a data folder.

    Args:
        folder: of the machine; the data folder and the images are in it.
        module: of ``examples/``.
        processes: how many tasks run at once.
        redelivery_s: after how many seconds Redis delivers a task again that is not finished.
    """

    def __init__(
        self,
        folder: Path,
        module: str,
        environ: Mapping[str, str],
        processes: int = 2,
        redelivery_s: int = 3,
    ) -> None:
        options = {
            "visibility_timeout": redelivery_s, "unacked_mutex_expire": redelivery_s,
            "unacked_restore_interval": 1, "unacked_restore_throttle": 1,
        }  # fmt: skip
        self.folder = folder
        self._log_path = folder / "celery.log"
        self._command = (
            sys.executable, "-m", "celery", "-A", module, "worker", "--pool", "prefork",
            "--concurrency", str(processes), "--hostname", f"{folder.name}@%h",
            "--loglevel", "INFO", "--without-gossip", "--without-mingle", "--without-heartbeat",
            "--", "worker_lost_wait=0.5", f"broker_transport_options=(json){json.dumps(options)}",
        )  # fmt: skip
        self._environ = {
            **clean_environment(),
            "PYTHONPATH": os.pathsep.join([str(PACK_ROOT / "examples"), str(PACK_ROOT)]),
            "SEEDREAM_HOME": str(folder / "home"),
            **environ,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._opened: IO[bytes] | None = None

    @property
    def log(self) -> str:
        return self._log_path.read_text("utf-8", "replace")

    def start(self) -> Worker:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._opened = self._log_path.open("ab")
        self._process = subprocess.Popen(
            self._command, cwd=self.folder, env=self._environ, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=self._opened, stderr=subprocess.STDOUT,
        )  # fmt: skip
        return self

    def kill_child(self) -> None:
        """Kill one of the processes that run tasks, with SIGKILL."""
        assert self._process
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self._process.pid).children()[:1]:
                child.kill()

    def kill(self) -> None:
        """Kill all processes of the machine at once, with SIGKILL."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
        if self._opened is not None:
            self._opened.close()

    def restart(self) -> None:
        self.kill()
        self.start()


@contextmanager
def open_client(url: str) -> Iterator[Any]:
    """Open a client of the broker, which also stores the results."""
    from celery import Celery

    app = Celery("client", broker=url, backend=url)
    try:
        yield app
    finally:
        app.backend.result_consumer.stop()
        app.backend.client.close()
        app.close()


def wait_for(
    results: Sequence[Any], events: Sequence[Callable[[], object]] = (), patience_s: float = 60
) -> None:
    """Wait until all results are there, and run the events at even points of the progress.

    The task of a killed process may be put behind all others, so results are not waited for in
    order.

    Raises:
        TimeoutError: no further result arrived within ``patience_s``.
    """
    pending, waiting, points = [*results], deque(events), len(events) + 1
    ends = time.monotonic() + patience_s
    while pending:
        left = [one for one in pending[:WINDOW] if not one.ready()]
        arrived = len(pending[:WINDOW]) - len(left)
        pending = [*left, *pending[WINDOW:]]
        done = len(results) - len(pending)
        while waiting and done * points >= (points - len(waiting)) * len(results):
            waiting.popleft()()
        if arrived:
            ends = time.monotonic() + patience_s
        elif time.monotonic() > ends:
            raise TimeoutError(f"{len(pending)} of {len(results)} results did not arrive")
        time.sleep(0.02)
