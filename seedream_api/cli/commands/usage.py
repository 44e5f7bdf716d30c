"""``usage``: what was requested and charged, by day, model or profile."""

from __future__ import annotations

import argparse
import csv
import io
import re
import time
from datetime import datetime
from typing import TYPE_CHECKING

from ...messages import Text, localize
from ..arguments import add_output
from ..output import Outcome, Verbatim, find_width
from ..parser import Parser, help_text
from ..text_width import measure

if TYPE_CHECKING:
    from decimal import Decimal

    from ...ledger.usage import Usage, UsageLine

_BY = ("day", "model", "profile")
_DAYS = re.compile(r"([1-9][0-9]{0,3})d")


def add_arguments(parser: Parser) -> None:
    parser.add_argument(
        "--since", type=_parse_since, default="30d", metavar="30d|YYYY-MM-DD",
        help=help_text("since"),
    )  # fmt: skip
    parser.add_argument("--by", choices=_BY, default="day", help=help_text("by"))
    parser.add_argument("--csv", action="store_true", help=help_text("csv"))
    parser.add_argument("--estimate-old", action="store_true", help=help_text("estimate_old"))
    add_output(parser)
    parser.add_examples("usage", "usage --by model --since 7d", "usage --since 2026-11-01 --csv")


def run(arguments: argparse.Namespace) -> Outcome:
    from ...ledger.ledger import SyncLedger
    from ..session import open_settings

    settings = open_settings(arguments)
    ledger = SyncLedger.open(settings)
    try:
        usage = ledger.summarize_usage(
            since=arguments.since,
            by=arguments.by,
            sandbox=settings.is_built_in_sandbox,
            old_prices=settings.prices if arguments.estimate_old else None,
        )
    finally:
        ledger.close()
    lines = _to_csv(usage) if arguments.csv else _to_table(usage, find_width())
    return Outcome(usage.to_json(), lines, 0)


def _parse_since(text: str) -> float:
    """Parse a number of days, today included, or a local date."""
    from ...ledger.usage import first_day

    if found := _DAYS.fullmatch(text):
        return first_day(int(found[1]), time.time())
    try:
        return datetime.strptime(text, "%Y-%m-%d").timestamp()
    except (ValueError, OverflowError, OSError):
        raise argparse.ArgumentTypeError(Text("wrong_use_since", text=text)) from None


def _to_csv(usage: Usage) -> list[str]:
    out = io.StringIO()
    lines = usage.to_json()["lines"]
    names = [usage.by, "requests", "images_charged", "images_possibly_charged", "cost"]
    writer = csv.DictWriter(out, [*names, "cost_possible", "currency"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return list(map(Verbatim, out.getvalue().splitlines()))


def _to_table(usage: Usage, width: int | None) -> list[str]:
    """Build a table, or a few words per row where the terminal is narrower than that."""
    if not usage.lines:
        return [localize(Text("no_usage"))]
    heads = localize(Text("usage_heads")).split("|")
    heads[0] = localize(Text(f"usage_{usage.by}"))
    rows = [heads, *map(_to_cells, usage.lines)]
    lines = _align(rows)
    if width is not None and measure(lines[0]) > width:
        lines = [line for row in rows[1:] for line in _describe_row(heads, row)]
    return [*lines, "", *_describe_total(usage)]


def _describe_row(heads: list[str], row: list[str]) -> list[str]:
    cells = (f"{head} {cell}" for head, cell in zip(heads[1:], row[1:], strict=True))
    return [row[0], f"  {' · '.join(cells)}"]


def _to_cells(line: UsageLine) -> list[str]:
    from ...ledger.costs import format_amount

    def money(amount: Decimal | None) -> str:
        if amount is None:
            return "?" if line.charged_images + line.possible_images else "-"
        return f"{format_amount(amount)} {line.currency}"

    key = line.key or localize(Text("default_profile"))
    counts = (line.requests, line.charged_images, line.possible_images)
    return [key, *map(str, counts), money(line.charged), money(line.possible)]


def _align(rows: list[list[str]]) -> list[str]:
    """Align the first column to the left, the numbers to the right."""
    widths = [max(map(measure, column)) for column in zip(*rows, strict=True)]
    return [
        _align_row(row, [width - measure(cell) for width, cell in zip(widths, row, strict=True)])
        for row in rows
    ]


def _align_row(row: list[str], blanks: list[int]) -> str:
    first = row[0] + " " * blanks[0]
    numbers = [" " * blank + cell for blank, cell in zip(blanks[1:], row[1:], strict=True)]
    return "  ".join([first, *numbers])


def _describe_total(usage: Usage) -> list[str]:
    from ...ledger.costs import format_amount

    images = sum(line.charged_images for line in usage.lines)
    lines = [
        Text(
            "usage_total",
            requests=sum(line.requests for line in usage.lines),
            charged=images,
            possible=usage.images - images,
        )
    ]
    for currency, (charged, possible) in usage.sum_costs().items():
        amounts = {"charged": format_amount(charged), "possible": format_amount(possible)}
        lines.append(Text("usage_cost", currency=currency, **amounts))
    if usage.coverage is not None:
        lines.append(Text("usage_coverage", percent=usage.coverage))
    return [localize(line) for line in lines]
