"""Start a program of the system with a configuration of the test's own; end it afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

STARTS_WITHIN_S = 15.0
_FOLDERS = "/usr/sbin:/usr/local/sbin:/sbin"


def program(name: str) -> str:
    """Where it is installed; a missing one fails the test, because CI installs it."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_FOLDERS}")
    if found is None:
        pytest.fail(f"{name} is not installed; .ci/run installs it (apt-get install {name})")
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@contextlib.contextmanager
def refusing_port() -> Iterator[int]:
    """A port that refuses connections and that no other program takes meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@contextlib.contextmanager
def running(name: str, *arguments: str | Path, port: int, folder: Path) -> Iterator[None]:
    """Run it in the foreground until the block ends, once it listens on ``port``."""
    log = folder / f"{name}.log"
    with log.open("wb") as told:
        process = subprocess.Popen(
            [program(name), *map(str, arguments)],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=told, stderr=told,
        )  # fmt: skip
        try:
            _wait_until_open(process, port, log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_open(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    pytest.fail(f"{log.stem} did not start:\n{log.read_text(errors='replace')[-2_000:]}")
