"""``batch``: make the images of a table of requests, and continue where an earlier run stopped."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...messages import Text, localize
from ..arguments import add_out, add_output, add_profile, parse_seconds
from ..output import Outcome
from ..parser import Parser, help_text

COLUMNS = (
    "prompt", "model", "size", "quality", "n", "ref", "seed", "prompt_priority", "output_format",
    "watermark", "name",
)  # fmt: skip
"""As in ``jobs/batch_rows.py``, which is not imported for help."""


def add_arguments(parser: Parser) -> None:
    columns = ", ".join(COLUMNS)
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help=localize(Text("help_batch_file", columns=columns)),
    )
    parser.add_argument("--keep-going", action="store_true", help=help_text("keep_going"))
    parser.add_argument("--dry-run", action="store_true", help=help_text("dry_run"))
    parser.add_argument("--sheet", action="store_true", help=help_text("sheet"))
    parser.add_argument("--timeout", type=parse_seconds, metavar="S", help=help_text("timeout"))
    add_out(parser)
    add_profile(parser)
    add_output(parser)
    parser.add_examples(
        "batch prompts.csv --dry-run", "batch prompts.csv --out pictures --keep-going --sheet"
    )


def run(arguments: argparse.Namespace) -> Outcome:
    from ..batch_run import run_batch
    from ..session import run_in_session

    return run_in_session(arguments, run_batch)
