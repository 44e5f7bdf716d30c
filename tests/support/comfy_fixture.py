"""A real ComfyUI with this pack, and the sandbox in the test's own process as its service."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import canary
from .comfy_events import Outcome
from .comfy_launch import PACK_FOLDER
from .comfy_server import ComfyServer, Prompt
from .paths import PACK_ROOT
from .workflows import TOOLS, write_tools

if TYPE_CHECKING:
    from support.fake_service import Account, FakeService, LoggedRequest

GENERATE = "/v1/images/generations"
TASK_SECONDS = 2.0
PATIENCE_S = 30.0
"""How long a test waits for something to happen before it fails."""


class Clock:
    """The sandbox's time. It flies, so that tasks finish at once, unless a test slows it down."""

    FLYING, REAL, STOPPED = 10_000.0, 1.0, 0.0

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at = time.time()
        self._since = time.monotonic()
        self._rate = self.FLYING

    def __call__(self) -> float:
        with self._lock:
            return self._now()

    def _now(self) -> float:
        return self._at + (time.monotonic() - self._since) * self._rate

    def run(self, rate: float) -> None:
        """Run at ``rate`` seconds per second."""
        with self._lock:
            self._at, self._since, self._rate = self._now(), time.monotonic(), rate

    def skip(self, seconds: float) -> None:
        with self._lock:
            self._at += seconds


@dataclass
class ComfyFixture:
    """A server, the service behind it, and what a test asks about them."""

    server: ComfyServer
    sandbox: FakeService
    clock: Clock
    accounts: dict[str, Account]
    """The keys that the sandbox knows; a test may change them."""
    home: Path

    def reset(self) -> None:
        """Everything as it was at first, but for what is stored."""
        from seedream_api.sandbox import ACCOUNTS

        self.sandbox.start()
        self.sandbox.faults.clear()
        self.sandbox.release()
        self.clock.run(Clock.FLYING)
        self.accounts.clear()
        self.accounts.update(ACCOUNTS)
        for name in ("settings", "prices", "models"):
            (self.home / f"{name}.json").unlink(missing_ok=True)

    def run(self, prompt: Prompt, timeout: float = 60) -> Outcome:
        """Run a prompt that must succeed."""
        outcome = self.server.run(prompt, timeout)
        assert outcome.status == "success", outcome.error.get("exception_message")
        return outcome

    def fail(self, prompt: Prompt) -> str:
        """Run a prompt that must fail in a node; gives what the node says."""
        outcome = self.server.run(prompt)
        assert outcome.status == "error"
        made = [node for node, ui in outcome.outputs.items() if ui.get("images")]
        assert made == [], "an image stands in for a result"
        return outcome.error["exception_message"]

    def queue_and_wait_for_post(self, graph: Prompt, prompt: str, count: int = 1) -> str:
        """Queue a graph and wait until the service has read that many requests with this prompt."""
        prompt_id = self.server.queue(graph)
        self.until(lambda: len(self.posts(prompt)) == count)
        return prompt_id

    def posts(self, prompt: str) -> list[LoggedRequest]:
        """Every generation request whose prompt holds ``prompt``, those that a fault befell too."""
        return [
            request
            for request in self.sandbox.requests
            if request.method == "POST"
            and request.path == GENERATE
            and prompt in str((request.json or {}).get("prompt"))
        ]

    def looks(self, task_id: str) -> int:
        """How often the service was asked for a task."""
        return sum(request.path.endswith(task_id) for request in self.sandbox.requests)

    @staticmethod
    def until(condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.01)

    @contextlib.contextmanager
    def settings(self, **values: str) -> Iterator[None]:
        """These settings saved in the settings file for a while."""
        self.home.mkdir(mode=0o700, exist_ok=True)
        file = self.home / "settings.json"
        file.write_text(json.dumps(values), "utf-8")
        try:
            yield
        finally:
            file.unlink()


def seen(outcome: Outcome, node: str) -> list[dict[str, Any]]:
    """What a ``look`` node saw, one item a call."""
    return [json.loads(text) for text in outcome.outputs[node]["seen"]]


def shown(outcome: Outcome, node: str) -> str:
    """What a ``show`` node shows."""
    return outcome.outputs[node]["text"][0]


@contextlib.contextmanager
def open_comfy(
    folder: Path, boot: Callable[..., ComfyServer], **options: Any
) -> Iterator[ComfyFixture]:
    """A fixture in ``folder``.

    Args:
        boot: starts a server; see ``boot_comfyui`` in ``conftest.py``.
        options: of the sandbox.
    """
    from support.fake_service import ACCOUNTS, SANDBOX_KEY, FakeService

    clock, accounts, home = Clock(), dict(ACCOUNTS), folder / "home"
    sandbox = FakeService(
        folder / "service",
        preferential_seconds=0,
        task_seconds=TASK_SECONDS,
        keys=accounts,
        now=clock,
        **options,
    )
    with sandbox:
        server = boot(
            environment={
                "DEEPSPACE_BASE_URL": sandbox.url,
                "DEEPSPACE_API_KEY": SANDBOX_KEY,
                "SEEDREAM_HOME": str(home),
            },
            packs={PACK_FOLDER: PACK_ROOT, TOOLS: write_tools(folder / "tools")},
        )
        yield ComfyFixture(server, sandbox, clock, accounts, home)
        server.stop()
        canary.WATCH.look_at_requests(sandbox.requests)
