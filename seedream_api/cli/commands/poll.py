"""``poll``: fetch tasks by their ids; nothing is submitted."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..arguments import add_name, add_out, add_output, add_profile, add_waiting
from ..output import Outcome
from ..parser import Parser

if TYPE_CHECKING:
    from ...jobs.session import Session


def add_arguments(parser: Parser) -> None:
    parser.add_argument("task_ids", nargs="*", metavar="TASK_ID")
    add_out(parser)
    add_name(parser)
    add_waiting(parser)
    add_profile(parser)
    add_output(parser)
    parser.add_examples("poll task-xxxxxxxxxxxx --out pictures")


def run(arguments: argparse.Namespace) -> Outcome:
    from ..session import run_in_session

    return run_in_session(arguments, _poll)


async def _poll(arguments: argparse.Namespace, session: Session) -> Outcome:
    import asyncio

    from ...jobs.collect import collect_all
    from ..delivery import deliver
    from ..files import check_name, try_folder
    from ..progress import ProgressBoard

    if arguments.name:
        check_name(arguments.name)
    await asyncio.to_thread(try_folder, arguments.out)
    with ProgressBoard(is_shown=not arguments.quiet) as board:
        result = await collect_all(
            arguments.task_ids,
            session,
            wait=not arguments.no_wait,
            timeout_s=arguments.timeout,
            progress=board.of_task,
        )
    return await deliver(result, arguments)
