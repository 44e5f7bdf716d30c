"""Run one command: parse, run, and print what it returns."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from ..errors import SeedreamError
from ..messages import Text, localize, text_of
from .output import Outcome, flush_stdout, say, show
from .parser import build_parser, load_command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit code: 0 done, 1 any other failure, 2 wrong use, 3 refused or failed by the service,
        4 outcome unknown, 5 not ready yet, 130 interrupted.
    """
    if "_ARGCOMPLETE" in os.environ:
        _complete()
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    try:
        parsed = _parse(given)
        outcome = _run(parsed)
    except SeedreamError as error:
        outcome = _build_failure(given, error)
        if not as_json:
            say(str(error))
    is_quiet = not as_json and any(word in given for word in ("-q", "--quiet"))
    is_shown = show(outcome, as_json=as_json, is_quiet=is_quiet)
    return outcome.exit_code or (0 if is_shown else 1)


def _parse(given: Sequence[str]) -> argparse.Namespace:
    try:
        return build_parser(given).parse_args(given)
    except SystemExit:  # help and version were printed
        try:
            flush_stdout()
        except OSError as error:
            say(localize(Text("output_unwritable", reason=text_of(error))))
            raise SystemExit(1) from None
        raise


def _complete() -> NoReturn:
    """Print what the words of a shell's command line may continue with, and end the process."""
    try:
        from argcomplete import autocomplete
    except ImportError:
        raise SystemExit(1) from None
    autocomplete(build_parser(os.environ.get("COMP_LINE", "").split()))
    raise SystemExit(1)


def _run(parsed: argparse.Namespace) -> Outcome:
    from .logs import show_logs

    show_logs(getattr(parsed, "verbose", 0))
    return load_command(parsed.command).run(parsed)


def _build_failure(given: Sequence[str], error: SeedreamError) -> Outcome:
    from .payloads import build_error_payload

    command = next((word for word in given if not word.startswith("-")), "")
    return Outcome(build_error_payload(command, error), (), error.exit_code)
