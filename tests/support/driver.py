"""Run paid requests in a process that can be killed, or find its disk full, at any step.

``driver.py fork`` runs every job in a forked child, so that no run pays for the imports again;
``driver.py stay`` runs all of them in one process with one session, as ComfyUI does. A job is a
line of JSON on stdin, its result a line on stdout. ``driver_steps.py`` counts and breaks the steps;
the code under test contains nothing for it.
"""

from __future__ import annotations

import asyncio
import ctypes
import importlib
import json
import os
import resource
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
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
from support.driver_steps import Steps, keep_coverage, wrap_database, wrap_files, wrap_http

for name in ("httpcore", "anyio._backends._asyncio", "PIL.JpegImagePlugin", "PIL.PngImagePlugin"):
    importlib.import_module(name)  # imported late by a paid request; here once for all children
for name in ("uploads.inline", "uploads.sandbox_host"):
    importlib.import_module(f"seedream_api.{name}")


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
