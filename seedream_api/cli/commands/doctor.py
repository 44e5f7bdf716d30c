"""``doctor``: check the setup, at no cost; ``--probe`` asks what the documentation leaves open."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ...messages import Text, bilingual, localize
from ..arguments import add_output, add_profile
from ..output import Outcome
from ..parser import Parser, help_text

if TYPE_CHECKING:
    from ...doctor import Check


def add_arguments(parser: Parser) -> None:
    task = parser.add_mutually_exclusive_group()
    task.add_argument("--probe", action="store_true", help=help_text("probe"))
    task.add_argument("--forget-facts", action="store_true", help=help_text("forget_facts"))
    parser.add_argument("--paid", action="store_true", help=help_text("paid"))
    parser.add_argument("--yes", action="store_true", help=help_text("yes"))
    add_profile(parser)
    add_output(parser)


def run(arguments: argparse.Namespace) -> Outcome:
    if (arguments.paid or arguments.yes) and not arguments.probe:
        arguments.parser.error(Text("probe_needs_probe"))
    if arguments.probe:
        from ..probing import run_probe

        return run_probe(arguments)
    if arguments.forget_facts:
        return _forget_facts(arguments)
    return _run_checks(arguments)


def _forget_facts(arguments: argparse.Namespace) -> Outcome:
    from ...config.facts import save_facts
    from ..session import open_settings

    settings = open_settings(arguments)
    save_facts(settings.home, settings.address, None)
    said = localize(Text("facts_forgotten", address=settings.address))
    return Outcome({"address": settings.address, "facts": {}}, [said], 0)


def _run_checks(arguments: argparse.Namespace) -> Outcome:
    import asyncio

    from ...doctor import run_checks
    from ..session import open_settings

    checks = asyncio.run(run_checks(open_settings(arguments)))
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
