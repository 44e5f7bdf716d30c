"""Run a batch: check all rows, state the total, copy images as rows end, and log each row."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from ..errors import LedgerFailed, SeedreamError
from ..images.contact_sheet import SheetCell, save_contact_sheet
from ..jobs.batch import BatchItem, BatchPlan, check_requests, generate_all, plan_batch
from ..jobs.batch_rows import BatchRow, check_rows, read_rows
from ..jobs.results import Progress
from ..jobs.session import Session
from ..ledger.states import STORED_STATES
from ..messages import Text, localize, text_of
from .files import copy_image, try_folder
from .output import Outcome, say
from .progress import ProgressBoard

LOG_NAME, SHEET_NAME = "batch.jsonl", "sheet.png"


async def run_batch(arguments: argparse.Namespace, session: Session) -> Outcome:
    """Make the images of every row of ``FILE``, in order.

    Raises:
        BatchInvalid: rows have mistakes; nothing was sent.
        LedgerFailed: ``--out`` cannot be written.
    """
    out, folder = arguments.out, arguments.file.parent
    await asyncio.to_thread(try_folder, out)
    rows = await asyncio.to_thread(read_rows, arguments.file)
    await asyncio.to_thread(
        check_rows, rows, folder, lambda request: check_requests([request], session)
    )
    plan = await plan_batch((row.build_request(folder) for row in rows), session)
    total = localize(_describe_plan(rows, plan))
    if arguments.dry_run:
        return Outcome(_build_payload("planned", plan, rows, []), [total], 0)
    run = _Run(rows, plan, out)
    with ProgressBoard(is_shown=not arguments.quiet) as board:
        board.say(total)
        try:
            await _generate_rows(arguments, session, run, board)
        finally:
            if len(run.entries) < len(rows) and not arguments.quiet:
                board.say(localize(Text("batch_rest")))
    if arguments.sheet:
        await asyncio.to_thread(save_contact_sheet, run.cells, out / SHEET_NAME)
    return run.build_outcome(arguments)


def _describe_plan(rows: Sequence[BatchRow], plan: BatchPlan) -> Text:
    stored = sum(count for state, count in plan.known.items() if state in STORED_STATES)
    return Text(
        "batch_total", rows=len(rows), stored=stored, to_send=plan.to_send, images=plan.images
    )


async def _generate_rows(
    arguments: argparse.Namespace, session: Session, run: _Run, board: ProgressBoard
) -> None:
    folder = arguments.file.parent

    def report(index: int, step: Progress) -> None:
        board.of_task(str(run.rows[index].number), step)

    items = generate_all(
        (row.build_request(folder) for row in run.rows),
        session,
        keep_going=arguments.keep_going,
        timeout_s=arguments.timeout,
        progress=report,
    )
    with run.open_log() as log:
        board.set_heading(run.describe(board.clock))
        try:
            async with aclosing(items):
                async for item in items:
                    await asyncio.to_thread(run.add, item)
                    log(run.entries[-1])
                    board.say(localize(run.describe_last()))
                    board.set_heading(run.describe(board.clock))
        except SeedreamError as error:
            if len(run.entries) == len(run.rows):
                raise
            run.add_failure(error)
            log(run.entries[-1])


class _Run:
    """What a batch has done so far."""

    def __init__(self, rows: Sequence[BatchRow], plan: BatchPlan, out: Path) -> None:
        self.rows, self._plan, self._out = rows, plan, out
        self._digits = len(str(rows[-1].number))
        self.entries: list[dict[str, Any]] = []
        self.cells: list[SheetCell] = []
        self.error: SeedreamError | None = None
        """The first error of a row."""
        self._begun = time.monotonic()

    def add(self, item: BatchItem) -> None:
        """Copy the images of a row that ended; reads and writes files.

        Raises:
            LedgerFailed: the folder cannot be written; the images stay in the store.
        """
        if item.error is not None or item.result is None:
            assert item.error is not None, "one of them is set"  # noqa: S101
            self.add_failure(item.error)
            return
        row, result = self.rows[item.index], item.result
        stem = to_safe_name(row.name) if row.name else str(row.number).zfill(self._digits)
        many = len(result.images) > 1
        paths = [
            save_into_folder(image.path, self._out, f"{stem}-{number}" if many else stem)
            for number, image in enumerate(result.images, start=1)
        ]
        self.cells += [SheetCell(f"{row.number} {path.stem}", path) for path in paths]
        reasons = [failure.reason for failure in result.failures]
        self.entries.append(
            {
                **_describe_row(row),
                "status": result.status,
                "images": [str(path) for path in paths],
                "urls": list(result.urls),
                "task_id": result.task_id,
                "job_id": result.entry,
                "origin": result.origin.value,
                "charged_images": result.charged_images,
                "cost": result.cost.to_json(),
                "reason": "; ".join(reasons) or None,
            }
        )

    def add_failure(self, error: SeedreamError) -> None:
        """Add the next row as failed, with its reason and without an image."""
        row = self.rows[len(self.entries)]
        self.error = self.error or error
        self.cells.append(SheetCell(f"{row.number} {row.name}", None))
        self.entries.append(
            {
                **_describe_row(row),
                "status": error.status,
                "images": [],
                "urls": [],
                "task_id": error.task_id,
                "job_id": None,
                "origin": None,
                "charged_images": 0,
                "cost": None,
                "reason": error.message("en"),
                "error": type(error).__name__,
            }
        )

    def describe_last(self) -> Text:
        """Describe the row that ended last in a line."""
        entry = self.entries[-1]
        if "error" in entry:
            return Text("batch_row_failed", row=entry["row"], reason=entry["reason"])
        if entry["origin"] == "stored":
            return Text("batch_row_stored", row=entry["row"])
        return Text("batch_row_done", row=entry["row"], images=len(entry["images"]))
