"""``balance``: ask the relay what is left for the key; free."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ...messages import Text, localize
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
        "is_unlimited": balance.is_unlimited,
    }
    if balance.is_unlimited:
        text = Text("balance_unlimited")
    elif balance.units is None:
        text = Text("balance_unknown")
    else:
        dollars = f"{balance.dollars:.2f}"
        text = Text("balance", units=f"{balance.units:.0f}", dollars=dollars)
    return Outcome(payload, [localize(text)], 0)
