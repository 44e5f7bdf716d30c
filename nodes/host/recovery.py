"""Fetch unfinished paid images when ComfyUI starts, and every five minutes.

The timer runs on ComfyUI's loop. Without unfinished jobs it opens no session and does not start the
pack's loop; rounds of ``seedream_api/jobs/recovery.py`` run on that.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from server import PromptServer

from ...seedream_api.config.paths import has_ledger
from ...seedream_api.config.settings import load_settings, resolve_home
from ...seedream_api.errors import SeedreamError
from ..web.live import RECOVERED_EVENT
from ..web.settings import error_json, find_home_folder, log
from . import background

if TYPE_CHECKING:
    from ...seedream_api.jobs.recovery import Attempts, Recovered

FIRST_PAUSE_S = 2.0
"""After ComfyUI has loaded its packs; its server starts then."""
PERIOD_S = 300.0
RUNNING_PAUSE_S = 10.0
"""After a round that left running tasks; doubled after each further one, up to ``PERIOD_S``."""
JITTER = 0.2
"""Several ComfyUIs that start together do not stay together."""


class RecoverySummary:
    """What recovery has done since ComfyUI started, as browsers see it."""

    def __init__(self) -> None:
        self._started = f"{time.time_ns():x}"
        self._number = 0
        self.is_running = False
        self.stored: list[int] = []
        self.images = 0
        self.latest: dict[str, Any] = {}

    def add(self, found: Recovered) -> dict[str, Any]:
        """Add a round; return the data of its event."""
        self._number += bool(found.stored)
        self.stored += found.stored
        self.images += found.images
        self.latest = {
            "running": list(found.running),
            "ended": list(found.ended),
            "failed": {str(one): error_json(error) for one, error in found.failed.items()},
            "waiting": list(found.waiting),
            "other_key": list(found.other_key),
            "other_address": list(found.other_address),
        }
        data = {"tasks": list(found.stored), "images": found.images}
        return {"id": self.number, **data, **self.latest}

    @property
    def number(self) -> str:
        """A name that changes whenever images have come, also across starts of ComfyUI."""
        return f"{self._started}-{self._number}"

    def to_json(self) -> dict[str, Any]:
        """Build the JSON of everything since the start."""
        return {
            "id": self.number,
            "is_running": self.is_running,
            "tasks": self.stored,
            "images": self.images,
            **self.latest,
        }


summary = RecoverySummary()
_attempts: Attempts | None = None
_turns: asyncio.Lock | None = None


async def collect(*, is_asked_for: bool) -> dict[str, Any]:
    """Run a round on the pack's loop, after one that is running; return the data of its event.

    Args:
        is_asked_for: whether a person asks: then rows that failed before are tried at once.

    Raises:
        SeedreamError: no session can be opened.
    """
    global _turns
    _turns = _turns or asyncio.Lock()
    async with _turns:
        summary.is_running = True
        try:
            async with background.get_loop().sessions.lease() as session:
                from ...seedream_api.jobs.recovery import recover

                attempts = _get_attempts()
                if is_asked_for:
                    attempts.clear()
                found = await recover(session, attempts)
        finally:
            summary.is_running = False
    data = summary.add(found)
    if found.stored or found.ended:
        log.info("recovered %d image(s) of %d task(s)", found.images, len(found.stored))
        if not background.is_multi_user():
            background.send_event(RECOVERED_EVENT, data)
    return data


def _get_attempts() -> Attempts:
    global _attempts
    if _attempts is None:
        from ...seedream_api.jobs.recovery import Attempts

        _attempts = Attempts(time.monotonic)
    return _attempts


def is_needed() -> bool:
    """Tell whether recovery is on and the ledger may have unfinished jobs; blocks."""
    try:
        home = resolve_home(find_home_folder(), os.environ)
        settings = load_settings(find_home_folder())
        is_shared = settings.ledger_url or settings.store_place
        is_used = settings.ledger_url or has_ledger(home)
        if not is_used or not settings.is_on("SEEDREAM_RECOVER"):
            return False
    except SeedreamError as error:
        log.debug("no recovery: %s", error.key)  # nodes and doctor report it
        return False
    from ...seedream_api.ledger.unfinished import has_recoverable_jobs

    return bool(is_shared) or has_recoverable_jobs(home)


class RecoveryTimer:
    """Starts rounds on time. It uses callbacks: a task that waits would warn when ComfyUI ends.

    Args:
        loop: ComfyUI's.
        check: tells whether a round is needed; it blocks, so it runs in a thread.
        start_round: starts a round elsewhere; the future has the data of its event.
        jitter: returns a number from 0 to 1.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        check: Callable[[], bool],
        start_round: Callable[[], Future[dict[str, Any]]],
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._loop = loop
        self._check, self._start_round = check, start_round
        self._jitter = jitter
        self._pause_s = RUNNING_PAUSE_S
        self._reported = ""
        """The last error that was logged: the same one every five minutes helps no one."""

    def start(self) -> None:
        """Schedule the first round; call it on ComfyUI's loop."""
        self._schedule(FIRST_PAUSE_S)

    def _schedule(self, seconds: float) -> None:
        self._loop.call_later(seconds * (1 + JITTER * self._jitter()), self._begin)

    def _begin(self) -> None:
        self._loop.run_in_executor(None, self._check).add_done_callback(self._note_check)

    def _note_check(self, checked: asyncio.Future[bool]) -> None:
        if checked.cancelled():
            return
        if checked.exception() is not None or not checked.result():
            self._finish(None)
            return
        self._start_round().add_done_callback(self._note_round)

    def _note_round(self, ended: Future[dict[str, Any]]) -> None:
        """Plan the next round; called on another thread."""
        error = None if ended.cancelled() else ended.exception()
        if error is not None and str(error) != self._reported:
            self._reported = str(error)
            log.warning("paid images were not recovered: %s", error)
        data = None if error is not None or ended.cancelled() else ended.result()
        with contextlib.suppress(RuntimeError):  # ComfyUI ends
            self._loop.call_soon_threadsafe(self._finish, data)

    def _finish(self, data: dict[str, Any] | None) -> None:
        if data is not None and data["running"]:
            self._schedule(self._pause_s)
            self._pause_s = min(PERIOD_S, 2 * self._pause_s)
            return
        self._pause_s = RUNNING_PAUSE_S
        self._schedule(PERIOD_S)


def start() -> None:
    """Start the timer on ComfyUI's loop, if there is a server."""
    loop: Any = getattr(getattr(PromptServer, "instance", None), "loop", None)
    if loop is None:
        return

    def start_round() -> Future[dict[str, Any]]:
        own = background.get_loop().loop
        return asyncio.run_coroutine_threadsafe(collect(is_asked_for=False), own)

    RecoveryTimer(loop, is_needed, start_round).start()
