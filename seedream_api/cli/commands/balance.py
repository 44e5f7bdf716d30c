"""``balance``: ask the relay what is left for the key; free."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ...messages import localize
from ..arguments import add_output, add_profile
from ..output import Outcome
from ..parser import Parser

if TYPE_CHECKING:
    from ...jobs.session import Session


def add_arguments(parser: Parser) -> None:
    add_profile(parser)
    add_output(parser)


def run(arguments: argparse.Namespace) -> Outcome:
    from ..session import run_in_session

    return run_in_session(arguments, _ask)


async def _ask(arguments: argparse.Namespace, session: Session) -> Outcome:
    balance = await session.balance()
    payload = {
        "units": balance.units,
        "dollars": balance.dollars,
        "amount": balance.amount,
        "is_unlimited": balance.is_unlimited,
    }
    return Outcome(payload, [localize(balance.describe())], 0)
