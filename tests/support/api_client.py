"""A user of the sandbox: sessions and commands with a clock that the test controls."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from . import canary
from .paths import PACK_ROOT

if TYPE_CHECKING:
    from seedream_api import Result, Session, Settings
    from seedream_api.ledger.records import JobRecord
    from support.fake_service import FakeService

START = 1_769_263_230.0
PATIENCE_S = 30.0
"""How long a test waits for another thread or process before it fails."""


class Clock:
    """A clock that advances only by ``sleep``."""

    def __init__(self) -> None:
        self.at = START
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds
        self.pauses.append(seconds)
        await asyncio.sleep(0)


@dataclass
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Parse the only JSON object on stdout; anything else there is an error."""
        found = json.loads(self.out)
        assert isinstance(found, dict) and self.out.count("\n") == 1
        return found


@dataclass
class ApiClient:
    """An account of the sandbox with a data folder."""

    sandbox: FakeService
    home: Path
    environ: dict[str, str]
    clock: Clock = field(default_factory=Clock)

    def settings(self, **environ: str) -> Settings:
        from seedream_api import load_settings

        return load_settings(environ={**self.environ, **environ})

    def session(self, *, real_time: bool = False, **environ: str) -> Session:
        """Return a session to enter, with this client's clock unless the test needs real time."""
        from seedream_api import Session

        settings = self.settings(**environ)
        if real_time:
            return Session(settings)
        return Session(settings, clock=self.clock, sleep=self.clock.sleep, now=self.clock)

    def run(
        self,
        work: Callable[[Session], Coroutine[Any, Any, Any]],
        *,
        real_time: bool = False,
        **environ: str,
    ) -> Any:
        """Do ``work`` in a new session."""

        async def whole() -> Any:
            async with self.session(real_time=real_time, **environ) as session:
                return await asyncio.wait_for(work(session), PATIENCE_S)

        return asyncio.run(whole())

    def generate(self, *references: Any, model: str = "Seedream-4.0", **fields: Any) -> Result:
        """Call ``generate`` in a new session; names in capitals are settings."""
        from seedream_api import Request, generate

        environ = {name: fields.pop(name) for name in list(fields) if name.isupper()}
        options = {
            name: fields.pop(name)
            for name in ("wait", "timeout_s", "progress", "profile")
            if name in fields
        }
        request = Request(**{"model": model, "prompt": "A cat", **fields, "references": references})
        return self.run(lambda session: generate(request, session, **options), **environ)

    # --- what is known afterwards ---------------------------------------------------------------

    @property
    def sent(self) -> int:
        """Count the generation requests that reached the sandbox, including those with a fault."""
        return sum(
            request.method == "POST" and request.path == "/v1/images/generations"
            for request in self.sandbox.requests
        )

    @property
    def rows(self) -> list[JobRecord]:
        """Read the rows of the ledger, oldest first."""
        from seedream_api.ledger.ledger import SyncLedger

        ledger = SyncLedger(self.home)
        try:
            return ledger.list_records()[::-1]
        finally:
            ledger.close()

    @property
    def states(self) -> list[str]:
        return [row.state.value for row in self.rows]

    # --- the command line -----------------------------------------------------------------------

    def start(self, *arguments: object, by_path: bool = False, **environ: str) -> subprocess.Popen:
        """Start the command line as a process, by module name or by path."""
        by = [str(PACK_ROOT / "seedream_api")] if by_path else ["-m", "seedream_api"]
        inherited = {
            name: value for name, value in os.environ.items() if "proxy" not in name.lower()
        }
        return subprocess.Popen(
            [sys.executable, *by, *map(str, arguments)],
            env={**inherited, **self.environ, **environ},
            cwd=self.home.parent if by_path else PACK_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def ended(self, process: subprocess.Popen) -> Ran:
        try:
            out, err = process.communicate(timeout=4 * PATIENCE_S)
        finally:
            process.kill()
        canary.WATCH.look_at(f"{process.args}", out + err)
        return Ran(process.returncode, out, err)

    def command(self, *arguments: object, by_path: bool = False, **environ: str) -> Ran:
        return self.ended(self.start(*arguments, by_path=by_path, **environ))

    def inside(self, *arguments: object, **environ: str) -> Ran:
        """Run the command line's ``main`` in this process, with this client's clock.

        Used for matrices, because an interpreter takes most of a second to start.
        """
        import contextlib
        import io

        from seedream_api import Session
        from seedream_api.cli import main as cli_main, session as module

        clock = self.clock
        out, err = io.StringIO(), io.StringIO()
        handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {**self.environ, **environ}.items():
                patch.setenv(name, value)
            patch.setattr(
                module,
                "Session",
                lambda settings: Session(settings, clock=clock, sleep=clock.sleep, now=clock),
            )
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    code = cli_main([str(argument) for argument in arguments])
                finally:
                    for one, handler in handlers.items():
                        signal.signal(one, handler)
        canary.WATCH.look_at(f"{arguments}", out.getvalue() + err.getvalue())
        return Ran(code, out.getvalue(), err.getvalue())


Machine = Callable[[str], ApiClient]
"""Makes the client of the machine with this name."""


def until(is_so: Callable[[], object]) -> None:
    """Wait until another thread or process makes ``is_so`` true."""
    ends = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.005)
