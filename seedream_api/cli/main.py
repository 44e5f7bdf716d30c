"""Run one command: settings, session, signals, and what is printed at the end."""

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
from ..messages import Text, bilingual, localize, text_of
from . import fetch_commands, list_commands
from .output import CleanFormatter, Outcome, build_error_payload, flush_stdout, say, show
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
        outcome = _run(_parse(given))
    except SeedreamError as error:
        outcome = Outcome(build_error_payload(command, error), (), error.exit_code)
        if not as_json:
            say(str(error))
    is_shown = show(outcome, as_json=as_json)
    return outcome.exit_code or (0 if is_shown else 1)


def _parse(given: Sequence[str]) -> argparse.Namespace:
    try:
        return build_parser().parse_args(given)
    except SystemExit:  # help and version were printed
        try:
            flush_stdout()
        except OSError as error:
            say(localize(Text("output_unwritable", reason=text_of(error))))
            raise SystemExit(1) from None
        raise


def _run(parsed: argparse.Namespace) -> Outcome:
    settings = load_settings()
    commands: dict[str, Callable[[], Outcome]] = {
        "generate": lambda: asyncio.run(
            _run_in_session(parsed, settings, fetch_commands.run_generate)
        ),
        "poll": lambda: asyncio.run(_run_in_session(parsed, settings, fetch_commands.run_poll)),
        "download": lambda: asyncio.run(
            _run_in_session(parsed, settings, fetch_commands.run_download)
        ),
        "tasks": lambda: _run_tasks(parsed, settings),
        "models": lambda: list_commands.run_models(settings),
        "doctor": lambda: asyncio.run(_run_doctor(settings)),
        "sandbox": lambda: _run_sandbox(parsed, settings),
    }
    return commands[parsed.command]()


def _run_tasks(parsed: argparse.Namespace, settings: Settings) -> Outcome:
    if parsed.resume is not None:
        return asyncio.run(_run_in_session(parsed, settings, fetch_commands.run_resume))
    ledger = SyncLedger(settings.home)
    try:
        return list_commands.run_tasks(parsed, ledger, settings)
    finally:
        ledger.close()


async def _run_in_session(
    parsed: argparse.Namespace, settings: Settings, run: fetch_commands.Run
) -> Outcome:
    """Run a command; Ctrl-C ends it cleanly, a second Ctrl-C immediately."""
    _handle_signals(asyncio.current_task())
    try:
        async with Session(settings) as session:
            try:
                return await run(parsed, session)
            finally:
                if any(work.is_sending for work in session.running_jobs.values()):
                    say(localize(Text("waiting_for_response")))
    except asyncio.CancelledError as error:
        raise interruption_of(error) from None


def _handle_signals(task: asyncio.Task[Outcome] | None) -> None:
    loop = asyncio.get_running_loop()

    def stop(number: int, frame: FrameType | None) -> None:
        for each in _STOPS:
            signal.signal(each, signal.SIG_DFL)
        if task is not None:
            loop.call_soon_threadsafe(task.cancel)

    for each in _STOPS:
        signal.signal(each, stop)


async def _run_doctor(settings: Settings) -> Outcome:
    checks = await run_checks(settings)
    lines = [_describe_check(check) for check in checks]
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


def _describe_check(check: Check) -> str:
    """A check as a line, with where a setting's value came from."""
    mark = localize(Text(f"verdict_{check.verdict}"))
    message = localize(bilingual(check.message, check.message_zh))
    origin = f"  ({localize(check.origin)})" if check.origin else ""
    return f"{mark}  {check.name}: {message}{origin}"


def _run_sandbox(parsed: argparse.Namespace, settings: Settings) -> Outcome:
    from ..sandbox import Sandbox

    try:
        sandbox = Sandbox(
            settings.home, port=parsed.port, strict=parsed.strict, models=settings.models
        ).start()
    except OSError as error:
        raise SeedreamError("sandbox_failed", reason=text_of(error)) from None
    words = [
        localize(Text("sandbox_runs", url=sandbox.url)),
        f"  DEEPSPACE_BASE_URL={sandbox.url}",
        f"  DEEPSPACE_API_KEY={SANDBOX_KEY}",
        localize(Text("ctrl_c_ends")),
    ]
    try:
        asyncio.run(_wait_until_stopped("\n".join(words)))
    finally:
        sandbox.stop()
    return Outcome({"url": sandbox.url}, (), 0)


async def _wait_until_stopped(words: str) -> None:
    """Print ``words`` once Ctrl-C is handled, and wait for it."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in _STOPS:
        signal.signal(each, lambda number, frame: loop.call_soon_threadsafe(stopped.set))
    say(words)
    await stopped.wait()
