"""What the contract tests share: a customer of the sandbox, with a clock of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import canary
import pytest

from .download_kit import fetch as fetch, serve as serve

if TYPE_CHECKING:
    from seedream_api import Result, Session, Settings
    from seedream_api.ledger.records import JobRecord
    from seedream_api.sandbox import Sandbox

PACK_ROOT = Path(__file__).resolve().parents[2]
START = 1_769_263_230.0
PATIENCE_S = 30.0
"""How long a test waits for another thread or process before it fails."""


class Clock:
    """Seconds that pass only when somebody sleeps."""

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
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout; anything else there is an error."""
        found = json.loads(self.out)
        assert isinstance(found, dict) and self.out.count("\n") == 1
        return found


@dataclass
class Customer:
    """Somebody with a key, a home folder and no patience."""

    sandbox: Sandbox
    home: Path
    environ: dict[str, str]
    clock: Clock = field(default_factory=Clock)

    def settings(self, **environ: str) -> Settings:
        from seedream_api import load_settings

        return load_settings(environ={**self.environ, **environ})

    def session(self, *, real_time: bool = False, **environ: str) -> Session:
        """A session to enter; its clock is this customer's unless the test needs real time."""
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
        """Do ``work`` in a session of its own."""

        async def whole() -> Any:
            async with self.session(real_time=real_time, **environ) as session:
                return await asyncio.wait_for(work(session), PATIENCE_S)

        return asyncio.run(whole())

    def generate(self, *references: Any, model: str = "Seedream-4.0", **fields: Any) -> Result:
        """One call of ``generate`` in a session of its own; capital names are settings."""
        from seedream_api import Request, generate

        environ = {name: fields.pop(name) for name in list(fields) if name.isupper()}
        options = {
            name: fields.pop(name) for name in ("wait", "timeout_s", "progress") if name in fields
        }
        request = Request(**{"model": model, "prompt": "A cat", **fields, "references": references})
        return self.run(lambda session: generate(request, session, **options), **environ)

    # --- what is known afterwards ---------------------------------------------------------------

    @property
    def sent(self) -> int:
        """Generation requests that the sandbox has seen, those that a fault befell included."""
        return sum(
            request.method == "POST" and request.path == "/v1/images/generations"
            for request in self.sandbox.requests
        )

    @property
    def rows(self) -> list[JobRecord]:
        """The record, oldest first."""
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
        """The command line as a process of its own, by module name or by path."""
        by = [str(PACK_ROOT / "seedream_api")] if by_path else ["-m", "seedream_api"]
        surroundings = {
            name: value for name, value in os.environ.items() if "proxy" not in name.lower()
        }
        return subprocess.Popen(
            [sys.executable, *by, *map(str, arguments)],
            env={**surroundings, **self.environ, **environ},
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
        """The command line's ``main`` in this process, with this customer's clock.

        For matrices: an interpreter takes most of a second to start.
        """
        import contextlib
        import io

        from seedream_api import Session
        from seedream_api.cli import main as cli_main

        module = sys.modules[cli_main.__module__]
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


def until(is_so: Callable[[], object]) -> None:
    """Wait for another thread or process."""
    ends = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.005)


@pytest.fixture(scope="session")
def certificates() -> ssl.SSLContext:
    from seedream_api.network.proxies import trusted_certificates

    return trusted_certificates({})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, certificates: ssl.SSLContext) -> None:
    """The sandbox draws sixteen times smaller, and certificates are read once: each costs a
    tenth of a second, and neither is what is tested here."""
    from seedream_api.catalog import PIXELS
    from seedream_api.network import transport
    from seedream_api.sandbox import results

    small = {
        tier: {ratio: (width // 16, height // 16) for ratio, (width, height) in sizes.items()}
        for tier, sizes in PIXELS.items()
    }
    monkeypatch.setattr(results, "PIXELS", small)
    monkeypatch.setattr(transport, "trusted_certificates", lambda environ: certificates)


@pytest.fixture
def make_sandbox(tmp_path: Path, quick: None) -> Iterator[Callable[..., Sandbox]]:
    """Starts sandboxes, each with a home of its own."""
    from seedream_api.sandbox import Sandbox

    started: list[Sandbox] = []

    def make(**options: Any) -> Sandbox:
        home = tmp_path / f"sandbox_{len(started)}"
        given = {"preferential_seconds": 0, "task_seconds": 0, **options}
        started.append(Sandbox(home, **given).start())
        return started[-1]

    yield make
    for one in started:
        one.release()
        one.stop()
        canary.WATCH.look_at_requests(one.requests)


@pytest.fixture
def make_customer(home: Path) -> Callable[..., Customer]:
    """Customers of a sandbox; all of them share this test's home folder."""
    from seedream_api.sandbox import SANDBOX_KEY

    def make(sandbox: Sandbox, key: str = SANDBOX_KEY, **environ: str) -> Customer:
        settings = {"DEEPSPACE_BASE_URL": sandbox.url, "DEEPSPACE_API_KEY": key}
        return Customer(sandbox, home, {"SEEDREAM_HOME": str(home), **settings, **environ})

    return make


@pytest.fixture
def customer(
    make_sandbox: Callable[..., Sandbox], make_customer: Callable[..., Customer]
) -> Customer:
    """A customer of a sandbox whose tasks finish at once."""
    return make_customer(make_sandbox())


@pytest.fixture
def wait_until() -> Callable[[Callable[[], object]], None]:
    return until
