"""``receipt``: show what a saved image was made with, and its stored originals."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ...messages import Text, localize
from ..arguments import add_output
from ..output import Outcome
from ..parser import Parser

if TYPE_CHECKING:
    from ...ledger.browsing import JobView
    from ...ledger.ledger import Ledger


def add_arguments(parser: Parser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")
    add_output(parser)
    parser.add_examples("receipt ComfyUI_00012_.png")


def run(arguments: argparse.Namespace) -> Outcome:
    import asyncio

    from ...jobs.receipts import read_receipts
    from ...ledger.ledger import Ledger
    from ..session import open_settings

    receipts = read_receipts(arguments.file)
    settings = open_settings(arguments)
    ledger = Ledger.open(settings)
    try:
        return asyncio.run(_describe_all(receipts, ledger))
    finally:
        ledger.close()


async def _describe_all(receipts: list[dict[str, Any]], ledger: Ledger) -> Outcome:
    from ...jobs.receipts import find_original

    described: list[dict[str, Any]] = []
    lines: list[str] = []
    for receipt in receipts:
        found = await find_original(receipt, ledger)
        paths = [str(image.file) for image in found.images if image.file] if found else []
        entry = found.row.id if found else None
        described.append({**receipt, "entry": entry, "originals": paths})
        lines += _build_lines(receipt, found, paths)
    return Outcome({"receipts": described}, lines, 0)


def _build_lines(receipt: Mapping[str, Any], found: JobView | None, paths: list[str]) -> list[str]:
    head = Text(
        "receipt_line",
        model=receipt.get("model"),
        time=receipt.get("time") or "-",
        task_id=receipt.get("task_id") or "-",
        cost=_format_cost(receipt.get("cost")),
    )
    lines = [localize(head), f"  {json.dumps(receipt.get('fields'), ensure_ascii=False)}"]
    lines += [f"  {localize(Text('receipt_original', path=path))}" for path in paths]
    if found is None:
        lines.append(f"  {localize(Text('receipt_unknown'))}")
    return lines


def _format_cost(cost: object) -> str:
    """Format the cost of a receipt, which may hold anything."""
    amounts = cast("dict[str, object]", cost) if isinstance(cost, dict) else {}
    amount = amounts.get("charged") or amounts.get("estimated")
    return f"{amount} {amounts.get('currency') or ''}".strip() if amount else "-"
