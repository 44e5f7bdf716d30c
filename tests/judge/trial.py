"""One case tried: three runs of the same inputs, each in a fresh session over one data folder."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from seedream_api import Request, Result, SeedreamError, Session, generate, load_settings

from .refusals import FREE, MADE, POSSIBLE
from .server import Script, Server

MODELS = {"preferential": "Seedream-5.0-Lite-Preferential", "evolink": "Seedream-4.0"}
RUNS = 3
WAIT_S = 60.0
"""How long a run waits for a task, in seconds that pass only when the client sleeps."""
_KEY = "sk-judge-of-the-money-0123456789"


class Clock:
    """Seconds that pass only when the client sleeps."""

    def __init__(self) -> None:
        self.at = 1_769_263_230.0

    def __call__(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds
        await asyncio.sleep(0)


@dataclass
class Run:
    """What one run came to.

    Args:
        posts: how many POSTs it sent.
        polls: how many polls the server had seen when it ended.
    """

    outcome: str
    posts: int
    polls: int
    images: tuple[bytes, ...] = ()
    error: SeedreamError | None = None
    status: str = ""

    def __str__(self) -> str:
        said = self.status or f"{type(self.error).__name__}: {self.error}"
        return f"{self.outcome} after {self.posts} POST(s), {len(self.images)} image(s): {said}"


@dataclass
class Trial:
    """All runs of one case."""

    runs: list[Run] = field(default_factory=list)
    polled: list[str] = field(default_factory=list)

    @property
    def posts(self) -> int:
        return sum(run.posts for run in self.runs)

    def __str__(self) -> str:
        lines = [f"run {number}: {run}" for number, run in enumerate(self.runs, 1)]
        return "\n".join([*lines, f"polled: {self.polled[:6]}"])


class Bench:
    """A server, an event loop and a place for data folders, shared by many trials.

    Args:
        root: the place for data folders; removed at the end.
    """

    def __init__(self, root: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.server = Server()
        self.root = root
        self.loop.run_until_complete(self.server.start())

    def close(self) -> None:
        self.loop.run_until_complete(self.server.stop())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def run(self, family: str, make_script: Callable[[str], Script], *, runs: int = RUNS) -> Trial:
        """Try one case ``runs`` times over; ``make_script`` gets the server's address."""
        with tempfile.TemporaryDirectory(dir=self.root, ignore_cleanup_errors=True) as home:
            return self.loop.run_until_complete(self._run(family, make_script, Path(home), runs))

    async def _run(
        self, family: str, make_script: Callable[[str], Script], home: Path, runs: int
    ) -> Trial:
        script = self.server.script = make_script(self.server.base)
        clock, trial = Clock(), Trial()
        for _ in range(runs):
            trial.runs.append(await self._run_once(family, script, home, clock))
        trial.polled = script.polled
        return trial

    async def _run_once(self, family: str, script: Script, home: Path, clock: Clock) -> Run:
        settings = load_settings(
            environ={
                "SEEDREAM_HOME": str(home / "data"),
                "DEEPSPACE_API_KEY": _KEY,
                "DEEPSPACE_BASE_URL": self.server.base,
            }
        )
        request = Request(model=MODELS[family], prompt="A cat playing on the grass")
        before = script.posts
        result: Result | None = None
        error: SeedreamError | None = None
        async with Session(settings, clock=clock, sleep=clock.sleep, now=clock) as session:
            try:
                result = await generate(request, session, timeout_s=WAIT_S)
            except SeedreamError as caught:
                error = caught
        posts, polls = script.posts - before, len(script.polled)
        if result is not None:
            images = tuple(image.path.read_bytes() for image in result.images)
            return Run(MADE, posts, polls, images=images, status=result.status)
        assert error is not None
        outcome = POSSIBLE if error.may_have_been_charged else FREE
        return Run(outcome, posts, polls, error=error)


def memory_folder() -> Path:
    """A folder in memory where the system has one."""
    shared = Path("/dev/shm")  # noqa: S108
    root = shared if shared.is_dir() else Path(tempfile.gettempdir())
    return Path(tempfile.mkdtemp(prefix="judge-", dir=root))
