"""Run a command in a session: signals, and what an interruption leaves behind."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Awaitable, Callable
from types import FrameType

from ..config.settings import Settings, load_settings
from ..jobs.cancellation import interruption_of
from ..jobs.session import Session
from ..messages import Text, localize
from .output import Outcome, say

STOPS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM") if hasattr(signal, name))
"""The signals that end a command."""

Run = Callable[[argparse.Namespace, Session], Awaitable[Outcome]]
"""The part of a command that needs an open session."""


def open_settings(arguments: argparse.Namespace) -> Settings:
    """Load the settings that a command uses.

    Raises:
        ConfigurationError: a value is not allowed, the file cannot be read, or there is no such
            profile.
    """
    return load_settings(profile=getattr(arguments, "profile", ""))


def run_in_session(
    arguments: argparse.Namespace, run: Run, settings: Settings | None = None
) -> Outcome:
    """Run a part of a command on a new event loop; Ctrl-C ends it cleanly, a second one at once.

    Raises:
        SeedreamError: the command failed, or was interrupted.
    """
    return asyncio.run(_run(arguments, run, settings or open_settings(arguments)))


async def _run(arguments: argparse.Namespace, run: Run, settings: Settings) -> Outcome:
    _handle_signals(asyncio.current_task())
    try:
        async with Session(settings) as session:
            try:
                return await run(arguments, session)
            finally:
                if any(job.is_sending for job in session.running_jobs.values()):
                    say(localize(Text("waiting_for_response")))
    except asyncio.CancelledError as error:
        raise interruption_of(error) from None


def _handle_signals(task: asyncio.Task[Outcome] | None) -> None:
    loop = asyncio.get_running_loop()

    def stop(number: int, frame: FrameType | None) -> None:
        for each in STOPS:
            signal.signal(each, signal.SIG_DFL)
        if task is not None:
            loop.call_soon_threadsafe(task.cancel)

    for each in STOPS:
        signal.signal(each, stop)
