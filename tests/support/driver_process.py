"""The driver as a child process, and the folders and sandbox that it runs with."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.fake_service import FakeService

DRIVER = Path(__file__).with_name("driver.py")

EVOLINK = {"model": "Seedream-4.0", "prompt": "A cat", "quality": "1K"}
GROUP = {**EVOLINK, "prompt": "2 images of a cat", "n": 2}
PREFERENTIAL = {"model": "Seedream-4.5-Preferential", "prompt": "A cat", "output_format": "jpeg"}


class Driver:
    """A running ``driver.py``; a context manager."""

    def __init__(self, mode: str = "fork") -> None:
        environ = {
            name: value for name, value in os.environ.items()
            if not name.startswith(("SEEDREAM_", "DEEPSPACE_"))
        }  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", str(DRIVER), mode],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ,
        )  # fmt: skip
        self.pid = 0
        """Of the run that started last."""

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin and self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def begin(self, job: dict[str, Any], *, first: bool = True) -> None:
        """Start a run; ``first`` if its process is new."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        if first:
            self.pid = self._answer()["pid"]

    def end(self) -> dict[str, Any]:
        """What became of the run."""
        outcome = self._answer()
        assert outcome["status"] != "broken", outcome["message"]
        return outcome

    def run(self, job: dict[str, Any]) -> dict[str, Any]:
        self.begin(job)
        return self.end()

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the driver ended"
        return json.loads(line)


@dataclass
class Place:
    """A new data folder, the service, and the driver that uses both."""

    folder: Path
    sandbox: FakeService
    driver: Driver
    request: dict[str, Any]
    files: tuple[Path, ...] = ()
    settings: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def database(self) -> Path:
        return self.home / "ledger.sqlite"

    def job(self, trace: str = "trace", **more: Any) -> dict[str, Any]:
        return {
            "home": str(self.home),
            "address": self.sandbox.url,
            "request": self.request,
            "files": [str(path) for path in self.files],
            "trace": str(self.folder / trace),
            "settings": self.settings,
            **more,
        }

    def run(self, trace: str = "trace", **more: Any) -> dict[str, Any]:
        return self.driver.run(self.job(trace, **more))

    def trace(self, name: str = "trace") -> list[str]:
        """The names of the steps of that run, the last one being where it was killed."""
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    @property
    def posts(self) -> int:
        return len(self.sandbox.posts)

    @property
    def downloads(self) -> int:
        return sum(request.path.startswith("/results/") for request in self.sandbox.requests)

    def images(self, outcome: dict[str, Any]) -> list[bytes]:
        return [Path(file).read_bytes() for file in outcome["files"]]

    def states(self) -> list[str]:
        """The states of all rows as they stand on the disk."""
        if not self.database.exists():
            return []
        # A copy, so that looking does not tidy up what a killed process left.
        copy = self.folder / "copy"
        copy.mkdir(exist_ok=True)
        for ending in ("", "-wal"):
            source = self.database.with_name(self.database.name + ending)
            target = copy / source.name
            target.unlink(missing_ok=True)
            if source.exists():
                target.write_bytes(source.read_bytes())
        (copy / f"{self.database.name}-shm").unlink(missing_ok=True)
        connection = sqlite3.connect(copy / self.database.name)
        try:
            found = connection.execute("SELECT state FROM requests ORDER BY id").fetchall()
        except sqlite3.OperationalError:
            return []  # killed before there was a table
        finally:
            connection.close()
        return [row[0] for row in found]


def sandbox_at(folder: Path, **more: Any) -> FakeService:
    """Return a sandbox, not started yet, whose tasks finish at once."""
    quick = {"preferential_seconds": 0, "task_seconds": 0, **more}
    return FakeService(folder / "sandbox_home", **quick)
