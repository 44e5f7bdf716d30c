"""Run a batch: check all rows, state the total, copy images as rows end, and log each row."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Generator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import LedgerFailed, SeedreamError
from ..images.contact_sheet import SheetCell, save_contact_sheet
from ..images.file_names import to_safe_name
from ..images.saving import save_into_folder
from ..jobs.batch import BatchItem, check_requests, generate_all, plan_batch
from ..jobs.batch_rows import BatchRow, check_rows, read_rows
from ..jobs.results import Progress
from ..jobs.runs import get_run
from ..jobs.session import Session
from ..ledger.costs import NO_COST, UNKNOWN_COST, Cost, sum_costs
from ..messages import Text, bilingual, localize, text_of
from .batch_total import BatchTotal
from .files import try_folder
from .output import Outcome
from .payloads import build_error
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
        check_rows, rows, folder, lambda request: check_requests([request], session.settings)
    )
    plan = await plan_batch((row.build_request(folder) for row in rows), session)
    settings = session.settings
    spent = await session.ledger.list_spending(
        settings.limits, get_run() or session.run, sandbox=settings.is_built_in_sandbox
    )
    total = BatchTotal(len(rows), plan, spent)
    if arguments.dry_run:
        return Outcome(_build_payload("planned", total, []), total.describe(), 0)
    run = _Run(rows, total, out)
    with ProgressBoard(is_shown=not arguments.quiet) as board:
        for line in total.describe():
            board.say(line)
        try:
            await _generate_rows(arguments, session, run, board)
        finally:
            if len(run.entries) < len(rows) and not arguments.quiet:
                board.say(localize(Text("batch_rest")))
    outcome = run.build_outcome()
    if not arguments.sheet:
        return outcome
    sheet = out / SHEET_NAME
    await asyncio.to_thread(save_contact_sheet, run.cells, sheet)
    return replace(outcome, notes=[localize(Text("sheet_written", path=sheet))])


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
    with _Log(run.out / LOG_NAME) as log:
        board.set_heading(run.describe(board.now()))
        try:
            async with aclosing(items):
                async for item in items:
                    await asyncio.to_thread(run.add, item)
                    log.write(run.entries[-1])
                    board.say(localize(run.describe_last()))
                    board.set_heading(run.describe(board.now()))
        except SeedreamError as error:
            if arguments.keep_going or len(run.entries) == len(run.rows):
                raise  # not the error of a row
            run.add_failure(error)
            log.write(run.entries[-1])


class _Log:
    """``batch.jsonl``: one line per row, written as rows end."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> _Log:
        with self._errors():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self._path.open("w", encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def write(self, entry: dict[str, Any]) -> None:
        """Write the line of a row, so that it is there if the process is killed next.

        Raises:
            LedgerFailed: the file cannot be written.
        """
        with self._errors():
            self._stream.write(json.dumps(entry, ensure_ascii=False) + "\n")
            self._stream.flush()

    @contextmanager
    def _errors(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            raise LedgerFailed("out_unwritable", path=self._path, reason=text_of(error)) from None


class _Run:
    """What a batch has done so far."""

    def __init__(self, rows: Sequence[BatchRow], total: BatchTotal, out: Path) -> None:
        self.rows, self._total, self.out = rows, total, out
        self._digits = len(str(rows[-1].number))
        self.entries: list[dict[str, Any]] = []
        self.cells: list[SheetCell] = []
        self.costs: list[Cost] = []
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
            save_into_folder(image.path, self.out, f"{stem}-{number}" if many else stem)
            for number, image in enumerate(result.images, start=1)
        ]
        self.cells += [SheetCell(f"{row.number} {path.stem}", path) for path in paths]
        self.costs.append(result.cost)
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
        self.costs.append(UNKNOWN_COST if error.may_have_been_charged else NO_COST)
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
                "cost": self.costs[-1].to_json(),
                "reason": error.message("en"),
                "reason_zh": error.message("zh"),
                "error": type(error).__name__,
            }
        )

    def describe_last(self) -> Text:
        """Describe the row that ended last in a line."""
        entry = self.entries[-1]
        if "error" in entry:
            return _describe_failure(entry)
        if entry["origin"] == "stored":
            return Text("batch_row_stored", row=entry["row"])
        return Text("batch_row_done", row=entry["row"], images=len(entry["images"]))

    def describe(self, now: float) -> str:
        """Describe how far the batch is, with its rate and the time left."""
        done, rows = len(self.entries), len(self.rows)
        spent = max(now - self._begun, 0.001)
        rate = done / spent * 60
        left = Text("time_left", seconds=f"{(rows - done) / rate * 60:.0f}") if rate else "…"
        values = {
            "done": done,
            "rows": rows,
            "failed": sum("error" in entry for entry in self.entries),
            "rate": f"{rate:.0f}",
        }
        return localize(Text("batch_progress", left=left, **values))

    def build_outcome(self) -> Outcome:
        """Build what the command returns."""
        done = sum(bool(entry["images"]) for entry in self.entries)
        failed = [entry for entry in self.entries if "error" in entry]
        charged = sum(entry["charged_images"] for entry in self.entries)
        status = "completed" if done == len(self.rows) else "partial" if done else "failed"
        summary = Text(
            "batch_done",
            done=done,
            rows=len(self.rows),
            failed=len(failed),
            images=charged,
            path=self.out / LOG_NAME,
        )
        reasons = [localize(_describe_failure(entry)) for entry in failed]
        payload = _build_payload(status, self._total, self.entries)
        payload["cost"] = sum_costs(self.costs).to_json()
        payload["error"] = build_error(self.error) if self.error else None
        exit_code = self.error.exit_code if self.error else 0
        return Outcome(payload, [localize(summary), *reasons], exit_code)


def _describe_failure(entry: dict[str, Any]) -> Text:
    reason = bilingual(entry["reason"], entry["reason_zh"])
    return Text("batch_row_failed", row=entry["row"], reason=reason)


def _describe_row(row: BatchRow) -> dict[str, Any]:
    return {"row": row.number, "name": row.name or None}


def _build_payload(
    status: str, total: BatchTotal, entries: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "status": status,
        "rows": list(entries),
        "plan": total.to_json(),
        "charged_images": sum(entry["charged_images"] for entry in entries),
        "cost": total.plan.cost.to_json(),
        "error": None,
    }
