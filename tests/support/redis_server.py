"""A real Redis server of this machine, for tests: Debian's package ``redis-server``."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path

from .comfy_launch import free_port
from .removable import Removable

PATIENCE_S = 20.0


class RedisServer(Removable):
    """A server in a temporary folder that writes nothing to disk, with a free port of loopback.

    It runs until its block ends.
    """

    def __init__(self) -> None:
        program = shutil.which("redis-server")
        assert program, "redis-server is missing: install Redis (Debian: apt install redis-server)"
        self._folder = Path(tempfile.mkdtemp(prefix="seedream-redis-"))
        self._databases = count()
        self.port = free_port()
        command = (
            program, "--bind", "127.0.0.1", "--port", str(self.port), "--save", "",
            "--dir", str(self._folder), "--databases", "64",
        )  # fmt: skip
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            self._wait_until_it_responds()
        except BaseException:
            self.remove()
            raise

    def new_url(self) -> str:
        """Get the address of a database that nothing else uses."""
        return f"redis://127.0.0.1:{self.port}/{next(self._databases)}"

    def remove(self) -> None:
        """Stop the server, unless it has stopped, and delete its folder."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait_until_it_responds(self) -> None:
        ends = time.monotonic() + PATIENCE_S
        while not self._responds():
            assert self._process.poll() is None and time.monotonic() < ends, "Redis did not start"
            time.sleep(0.02)

    def _responds(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True
