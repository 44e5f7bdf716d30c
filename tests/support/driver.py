"""Run paid requests in a process that can be killed, or find its disk full, at any step.

``driver.py fork`` runs every job in a forked child, so that no run pays for the imports again;
``driver.py stay`` runs all of them in one process with one session, as ComfyUI does. A job is a
line of JSON on stdin, its result a line on stdout. Only this program counts and breaks the steps;
the code under test contains nothing for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import importlib
import json
import os
import re
import resource
import signal
import sqlite3
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from seedream_api import (
    Request,
    SeedreamError,
    Session,
    collect,
    file_reference,
    generate,
    load_settings,
)
from seedream_api.network.transport import Transport

for name in ("httpcore", "anyio._backends._asyncio", "PIL.JpegImagePlugin", "PIL.PngImagePlugin"):
    importlib.import_module(name)  # imported late by a paid request; here once for all children
for name in ("uploads.inline", "uploads.sandbox_host"):
    importlib.import_module(f"seedream_api.{name}")
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


class Clock:
    """Time that a sleep moves on by as much as it was to last, in no time."""

    def __init__(self) -> None:
        self.slept = 0.0

    def now(self) -> float:
        return time.monotonic() + self.slept

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds
        await asyncio.sleep(min(seconds, 0.002))


def session_of(job: dict[str, Any]) -> Session:
    environ = {
        "DEEPSPACE_BASE_URL": job["address"],
        "DEEPSPACE_API_KEY": "sk-sandbox-free",
        # Copies are made beside the request, so that no two runs have the same order of steps.
        "SEEDREAM_KEEP_REFERENCES": "off",
        **job.get("settings", {}),
    }
    clock, shift = Clock(), float(job.get("shift_s", 0))
    return Session(
        load_settings(job["home"], environ),
        clock=clock.now,
        sleep=clock.sleep,
        now=lambda: time.time() + shift,
    )


async def walk(job: dict[str, Any], session: Session) -> dict[str, Any]:
    """One generation, or one collected task, as JSON values."""
    try:
        if "collect" in job:
            result = await collect(job["collect"], session)
        else:
            files = [file_reference(Path(path), 1) for path in job.get("files", [])]
            request = Request(**job["request"], references=tuple(files))
            result = await generate(request, session, wait=job.get("wait", True))
    except SeedreamError as error:
        return failure(error)
    return {
        "status": result.status,
        "origin": result.origin.value,
        "task_id": result.task_id,
        "charged": result.charged_images,
        "images": [image.sha256 for image in result.images],
        "files": [str(image.path) for image in result.images],
        "failures": [failed.reason for failed in result.failures],
    }


def failure(error: SeedreamError) -> dict[str, Any]:
    return {
        "status": error.status,
        "error": type(error).__name__,
        "key": error.key,
        "charge": error.charge.value,
        "task_id": error.task_id,
        "exit_code": error.exit_code,
        "message": error.message("en"),
    }


async def run(job: dict[str, Any]) -> dict[str, Any]:
    try:
        async with session_of(job) as session:
            return await walk(job, session)
    except SeedreamError as error:
        return failure(error)


def without_rights() -> None:
    """Drop the capabilities with which root writes where file modes forbid it."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        if libc.capset(header, (ctypes.c_uint32 * 6)()) != 0:
            raise OSError(ctypes.get_errno(), "capset")


def child(job: dict[str, Any]) -> None:
    """Run one job and end without cleaning up after the parent."""
    try:
        steps = Steps(job["trace"], **job.get("steps", {}))
        wrap_database(steps)
        wrap_files(steps)
        wrap_http(steps)
        if job.get("without_rights"):
            without_rights()
        outcome = asyncio.run(run(job))
    except BaseException:  # noqa: BLE001 - told to the test, which fails
        outcome = {"status": "broken", "message": traceback.format_exc()}
    resource.setrlimit(resource.RLIMIT_FSIZE, (-1, resource.RLIM_INFINITY))
    keep_coverage()
    os.write(job["pipe"], json.dumps(outcome).encode())
    os._exit(0)


def forking() -> None:
    for line in sys.stdin:
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            child({**json.loads(line), "pipe": writer})
        os.close(writer)
        tell({"pid": pid})
        with os.fdopen(reader, "rb") as pipe:
            outcome = pipe.read()
        _, status = os.waitpid(pid, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        tell({"status": "killed"} if killed else json.loads(outcome))


async def staying() -> None:
    """The first job opens the session."""
    session: Session | None = None
    while line := await asyncio.to_thread(sys.stdin.readline):
        job = json.loads(line)
        if session is None:
            session = await session_of(job).__aenter__()
            tell({"pid": os.getpid()})
        tell(await walk(job, session))
    if session is not None:
        await session.close()


def tell(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1] == "fork":
        forking()
    else:
        asyncio.run(staying())
