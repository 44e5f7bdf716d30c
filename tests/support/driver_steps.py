"""Count the steps of a paid request, and break one: in the database, in files, on the network.

The code under test contains nothing for it: ``sqlite3``, ``os`` and the transport are wrapped.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import resource
import signal
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from seedream_api.network.transport import Transport

CHANGES = ("INSERT", "UPDATE", "DELETE", "CREATE")
CONNECT = sqlite3.connect


class Steps:
    """Number the steps from 1, write each to the trace, and stop the run at the given one.

    Args:
        kill_at: the step at which the process is killed.
        full_from: the number or the beginning of the name of the step from which on no write
            succeeds.
        full_for: how many writes fail; 0 for all.
        how: ``raise`` (as SQLite and the system do it), ``pages`` (SQLite's own limit), ``size``
            (the system's limit of a file's size), ``broken`` (the ledger's file is).
    """

    def __init__(
        self,
        trace: str,
        *,
        kill_at: int = 0,
        full_from: int | str = 0,
        full_for: int = 0,
        how: str = "raise",
    ) -> None:
        self._trace = os.open(trace, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        self._kill_at, self._full_from, self._left, self.how = kill_at, full_from, full_for, how
        self._lock = threading.Lock()
        self._count = 0
        self.is_full = False
        self.inside = threading.local()

    def __call__(self, name: str) -> None:
        with self._lock:
            self._count += 1
            with contextlib.suppress(OSError):  # the limit of a file's size is this file's too
                os.write(self._trace, f"{name}\n".encode())
            if self._count == self._kill_at:
                keep_coverage()
                os.kill(os.getpid(), signal.SIGKILL)
            wanted = self._full_from
            if wanted == self._count or (isinstance(wanted, str) and wanted and name == wanted):
                self._fill()

    def _fill(self) -> None:
        self.is_full = True
        if self.how == "size":
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def may_write(self) -> bool:
        """Whether the disk takes the next write."""
        with self._lock:
            if not self.is_full:
                return True
            if self._left:
                self._left -= 1
                if self._left == 0:
                    self.is_full = False
                    resource.setrlimit(resource.RLIMIT_FSIZE, (-1, resource.RLIM_INFINITY))
            return self.how not in ("raise", "broken")


class Connection(sqlite3.Connection):
    """A connection whose commits are steps, named after what they write."""

    steps: Steps
    changes: list[str]

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        word = sql.split(None, 1)[0]
        if word == "BEGIN":
            self.changes = []
            self._limit_pages()
        elif word in CHANGES:
            # A migration may fill a column that it adds.
            change = "schema" if "schema" in self.changes else _change(sql, parameters)
            self.changes += [] if change in self.changes else [change]
        elif word == "COMMIT" and self.changes:
            return self._committed(f"commit {'+'.join(self.changes)}")
        return super().execute(sql, parameters)

    def _committed(self, name: str) -> sqlite3.Cursor:
        self.steps(f"{name}: before")
        if not self.steps.may_write():
            if self.steps.how == "broken":
                broken = sqlite3.DatabaseError("database disk image is malformed")
                broken.sqlite_errorcode = 11  # type: ignore[misc]
                raise broken
            super().execute("ROLLBACK")  # so does SQLite itself when the disk is full
            raise sqlite3.OperationalError("database or disk is full")
        done = super().execute("COMMIT")
        self.steps(f"{name}: after")
        return done

    def _limit_pages(self) -> None:
        if self.steps.how == "pages":
            # SQLite takes the present size for the least.
            super().execute(f"PRAGMA max_page_count = {1 if self.steps.is_full else 2**31 - 2}")


def _change(sql: str, parameters: Any) -> str:
    """A short name for one statement: ``requests=sending``, ``images.sha256``."""
    if sql.lstrip().startswith("CREATE") or "INTO given_urls" in sql:  # a migration's
        return "schema"
    table = re.search(r"(?:INTO|UPDATE|FROM)\s+(\w+)", sql)
    name = table.group(1) if table else "?"
    inserted = re.search(r"VALUES \('(\w+)'", sql)
    if inserted or re.search(r"SET state = :state", sql):
        return f"{name}={inserted.group(1) if inserted else parameters['state']}"
    column = re.search(r"SET (\w+) =", sql)
    return f"{name}.{column.group(1)}" if column else name


def keep_coverage() -> None:
    """Where coverage measures, it writes down what it has seen: this process is at its end."""
    sqlite3.connect = CONNECT
    if "coverage" in sys.modules and (measured := sys.modules["coverage"].Coverage.current()):
        measured.save()


def wrap_files(steps: Steps) -> None:
    """Make every rename and fsync of Python's a step."""

    def wrapped(real: Callable[..., Any], word: str, name_of: Callable[..., str]) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            if getattr(steps.inside, "now", False):  # Path.replace calls os.replace
                return real(*args, **kwargs)
            steps.inside.now = True
            try:
                name = f"{word} {name_of(*args)}"
                steps(f"{name}: before")
                if not steps.may_write() and steps.how == "raise":
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                done = real(*args, **kwargs)
                steps(f"{name}: after")
                return done
            finally:
                steps.inside.now = False

        return call

    def target(_source: Any, target: Any) -> str:
        return _kind(Path(target))

    def opened(descriptor: int) -> str:
        return _kind(Path(f"/proc/self/fd/{descriptor}").readlink())

    Path.replace = wrapped(Path.replace, "rename", target)  # type: ignore[method-assign]
    os.replace = wrapped(os.replace, "rename", target)
    os.rename = wrapped(os.rename, "rename", target)
    os.fsync = wrapped(os.fsync, "fsync", opened)


def _kind(path: Path) -> str:
    return "folder" if path.is_dir() else f"*{path.suffix}"


def wrap_http(steps: Steps) -> None:
    """Make every request and every response a step."""
    post_once, ask, open_ = Transport.post_once, Transport.ask, Transport.open

    async def counted_post(self: Transport, url: str, **rest: Any) -> Any:
        before = rest.pop("before_first_byte")

        async def first_byte() -> None:
            await before()
            steps("POST: first byte")

        steps("POST: connecting")
        answer = await post_once(self, url, before_first_byte=first_byte, **rest)
        steps("POST: answered")
        return answer

    async def counted_ask(self: Transport, url: str, **rest: Any) -> Any:
        what = "upload" if rest.get("method") == "POST" else "poll"
        steps(f"{what}: sent")
        answer = await ask(self, url, **rest)
        steps(f"{what}: answered")
        return answer

    @contextlib.asynccontextmanager
    async def counted_open(self: Transport, url: str, **rest: Any) -> AsyncIterator[Any]:
        steps("download: sent")
        async with open_(self, url, **rest) as answer:
            steps("download: answered")
            yield answer
        steps("download: read")

    Transport.post_once = counted_post  # type: ignore[method-assign]
    Transport.ask = counted_ask  # type: ignore[method-assign]
    Transport.open = counted_open  # type: ignore[method-assign]


def wrap_database(steps: Steps) -> None:
    Connection.steps = steps

    def traced(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        return CONNECT(*args, factory=Connection, **kwargs)

    sqlite3.connect = traced
