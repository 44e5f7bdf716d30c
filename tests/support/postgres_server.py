"""A real PostgreSQL server of this machine, for tests: Debian's package ``postgresql``."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from .removable import Removable

_DEBIAN = Path("/usr/lib/postgresql")
_QUICK = ("-c", "shared_buffers=16MB", "-c", "max_connections=60")
PASSWORD = "correct-horse-battery"


class PostgresServer(Removable):
    """A server in a temporary folder, with a free port of loopback, until its block ends.

    PostgreSQL refuses to run as root; then it runs as the user ``postgres`` of the package.

    Args:
        fsync: whether it waits for the disk.
    """

    def __init__(self, *, fsync: bool = False) -> None:
        self._options = (*_QUICK, "-c", f"fsync={'on' if fsync else 'off'}")
        self._folder = Path(tempfile.mkdtemp(prefix="seedream-pg-"))
        self._data = self._folder / "data"
        self._as_user = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres", "postgres")
        else:
            self._as_user = ()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        password = self._folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        try:
            self._run("initdb", "-U", "seedream", "-A", "scram-sha-256", "--no-sync",
                      f"--pwfile={password}", "-E", "UTF8", "--locale=C.UTF-8", "-D",
                      str(self._data))  # fmt: skip
            self.start()
        except BaseException:
            self.remove()
            raise

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://seedream:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def new_ledger(self) -> str:
        """Get the address of a database without a ledger in it."""
        self.execute("DROP SCHEMA IF EXISTS seedream CASCADE")
        return self.url()

    def start(self) -> None:
        options = f"-p {self.port} -h 127.0.0.1 -k {self._folder} {' '.join(self._options)}"
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._data), "-w", "-l", log, "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", mode, "stop")

    def remove(self) -> None:
        """Stop the server, unless it has stopped, and delete its data."""
        with suppress(AssertionError, subprocess.TimeoutExpired):
            self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run a statement as another client of the server."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def pgbench(self, *arguments: str) -> str:
        """Run PostgreSQL's benchmark and get what it prints."""
        return subprocess.run(
            (_find("pgbench"), *arguments, self.url()),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, check=True,
        ).stdout  # fmt: skip

    def cut_connections(self) -> int:
        """End the connections of every ledger; tell how many."""
        return len(self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'seedream'"
        ))  # fmt: skip

    def _run(self, program: str, *arguments: str) -> None:
        command = (*self._as_user, _find(program), *arguments)
        done = subprocess.run(
            command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False, timeout=60,
        ) if program != "pg_ctl" else self._run_quietly(command)  # fmt: skip
        assert done.returncode == 0, f"{program} failed: {done.stdout}"

    def _run_quietly(self, command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        """Run pg_ctl, whose server would keep a pipe open."""
        return subprocess.run(
            command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, text=True, check=False, timeout=60,
        )  # fmt: skip


def _find(program: str) -> str:
    """Find a program of PostgreSQL; Debian keeps them out of PATH."""
    found = shutil.which(program)
    if found:
        return found
    versions = sorted(_DEBIAN.glob(f"*/bin/{program}"), key=lambda path: int(path.parts[-3]))
    assert versions, f"{program} is missing: install PostgreSQL (Debian: apt install postgresql)"
    return str(versions[-1])
