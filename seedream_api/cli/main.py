"""Runs one command: settings, session, signals, and what is printed at the end."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType

from ..config.settings import SANDBOX_KEY, Settings, load_settings
from ..doctor import Check, run_checks
from ..errors import SeedreamError
from ..jobs.cancellation import interruption_of
from ..jobs.session import Session
from ..ledger.ledger import SyncLedger
from ..messages import language, spoken
from . import fetch_commands, list_commands
from .output import CleanFormatter, Outcome, error_payload, flush_stdout, say, show
from .parser import build_parser

_STOPS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM") if hasattr(signal, name))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit code: 0 done, 1 any other failure, 2 wrong use, 3 refused or failed by the service,
        4 outcome unknown, 5 not ready yet, 130 interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    command = next((word for word in given if not word.startswith("-")), "")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(CleanFormatter("%(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    try:
        outcome = _run(_parsed(given))
    except SeedreamError as error:
        outcome = Outcome(error_payload(command, error), (), error.exit_code)
        if not as_json:
            say(str(error))
    is_shown = show(outcome, as_json=as_json)
    return outcome.exit_code or (0 if is_shown else 1)


def _parsed(given: Sequence[str]) -> argparse.Namespace:
    try:
        return build_parser().parse_args(given)
    except SystemExit:  # help and version were printed
        try:
            flush_stdout()
        except OSError as error:
            reason = error.strerror or error
            say(spoken(f"The output cannot be written: {reason}"))
            raise SystemExit(1) from None
        raise


def _run(parsed: argparse.Namespace) -> Outcome:
    settings = load_settings()
    commands: dict[str, Callable[[], Outcome]] = {
        "generate": lambda: asyncio.run(_in_session(parsed, settings, fetch_commands.run_generate)),
        "poll": lambda: asyncio.run(_in_session(parsed, settings, fetch_commands.run_poll)),
        "download": lambda: asyncio.run(_in_session(parsed, settings, fetch_commands.run_download)),
        "tasks": lambda: _tasks(parsed, settings),
        "models": lambda: list_commands.run_models(settings),
        "doctor": lambda: asyncio.run(_doctor(settings)),
        "sandbox": lambda: _sandbox(parsed, settings),
    }
    return commands[parsed.command]()


def _tasks(parsed: argparse.Namespace, settings: Settings) -> Outcome:
    if parsed.resume is not None:
        return asyncio.run(_in_session(parsed, settings, fetch_commands.run_resume))
    ledger = SyncLedger(settings.home)
    try:
        return list_commands.run_tasks(parsed, ledger, settings)
    finally:
        ledger.close()


async def _in_session(
    parsed: argparse.Namespace, settings: Settings, run: fetch_commands.Run
) -> Outcome:
    """Run a command so that Ctrl-C ends it cleanly, and a second one at once."""
    _take_signals(asyncio.current_task())
    try:
        async with Session(settings) as session:
            try:
                return await run(parsed, session)
            finally:
                if any(work.is_sending for work in session.running_jobs.values()):
                    say(spoken(_WAITING))
    except asyncio.CancelledError as error:
        raise interruption_of(error) from None


_WAITING = (
    "The request was sent already: waiting for its answer, so that nothing is lost. Press Ctrl-C "
    "to stop at once."
)


def _take_signals(task: asyncio.Task[Outcome] | None) -> None:
    loop = asyncio.get_running_loop()

    def stop(number: int, frame: FrameType | None) -> None:
        for one in _STOPS:
            signal.signal(one, signal.SIG_DFL)
        if task is not None:
            loop.call_soon_threadsafe(task.cancel)

    for one in _STOPS:
        signal.signal(one, stop)


async def _doctor(settings: Settings) -> Outcome:
    checks = await run_checks(settings)
    marks = {"ok": spoken("ok  "), "note": spoken("note"), "problem": spoken("FAIL")}
    lines = [f"{marks[check.verdict]}  {_told(check)}" for check in checks]
    problems = [check for check in checks if check.verdict == "problem"]
    exit_code = 0
    if problems:
        error = problems[0].error
        exit_code = error.exit_code if error else 1
    payload = {
        "checks": [
            {
                "name": check.name,
                "verdict": check.verdict,
                "message": check.message,
                "message_zh": check.message_zh,
                "origin": check.origin,
            }
            for check in checks
        ]
    }
    return Outcome(payload, lines, exit_code)


def _told(check: Check) -> str:
    """A check as a line, with where a setting's value came from."""
    message = check.message_zh if language() == "zh" else check.message
    origin = f"  ({spoken(check.origin)})" if check.origin else ""
    return f"{check.name}: {message}{origin}"


def _sandbox(parsed: argparse.Namespace, settings: Settings) -> Outcome:
    from ..sandbox import Sandbox

    try:
        sandbox = Sandbox(
            settings.home, port=parsed.port, strict=parsed.strict, models=settings.models
        ).start()
    except OSError as error:
        raise SeedreamError("sandbox_failed", reason=error.strerror or error) from None
    words = [
        spoken(f"The sandbox runs at {sandbox.url}; nothing there costs anything. Use it with:"),
        f"  DEEPSPACE_BASE_URL={sandbox.url}",
        f"  DEEPSPACE_API_KEY={SANDBOX_KEY}",
        spoken("Press Ctrl-C to end it."),
    ]
    try:
        asyncio.run(_until_stopped("\n".join(words)))
    finally:
        sandbox.stop()
    return Outcome({"url": sandbox.url}, (), 0)


async def _until_stopped(words: str) -> None:
    """Say ``words`` as soon as Ctrl-C ends this in peace, and wait for it."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in _STOPS:
        signal.signal(one, lambda number, frame: loop.call_soon_threadsafe(stopped.set))
    say(words)
    await stopped.wait()
