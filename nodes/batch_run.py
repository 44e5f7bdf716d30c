"""What a batch has done: the line on the node, the report and the contact sheet."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..seedream_api.errors import SeedreamError
from ..seedream_api.messages import Text, join_texts, to_chinese
from . import previews
from .execution import DecodedImages, reason_texts
from .host import runtime

if TYPE_CHECKING:
    from ..seedream_api.jobs.batch import BatchItem, BatchPlan
    from ..seedream_api.jobs.batch_rows import BatchRow
    from ..seedream_api.jobs.results import StoredImage
    from ..seedream_api.ledger.costs import Cost


@dataclass
class BatchRun:
    """What a batch has done so far."""

    rows: Sequence[BatchRow]
    plan: BatchPlan
    items: list[BatchItem] = field(default_factory=list["BatchItem"])

    @property
    def images(self) -> list[StoredImage]:
        return [image for item in self.items if item.result for image in item.result.images]

    @property
    def charged_images(self) -> int:
        return sum(item.result.charged_images for item in self.items if item.result)

    def sum_costs(self) -> Cost:
        """Add up what the charged rows cost."""
        from ..seedream_api.ledger.costs import NO_COST, UNKNOWN_COST, sum_costs

        results = [item.result for item in self.items if item.result is not None]
        costs = [result.cost for result in results if result.charged_images]
        return sum_costs([NO_COST, *costs, *[UNKNOWN_COST] * self.unclear_rows])

    @property
    def unclear_rows(self) -> int:
        """How many failed rows may have been charged."""
        return sum(error.may_have_been_charged for error in self.errors)

    @property
    def errors(self) -> list[SeedreamError]:
        return [item.error for item in self.items if item.error is not None]

    def describe(self) -> str:
        """Describe how far the batch is, for the line under the node."""
        done, rows, failed = len(self.items), len(self.rows), len(self.errors)
        text = Text("batch_node_progress", done=done, rows=rows, failed=failed)
        total = Text("batch_node_total", images=self.plan.images, to_send=self.plan.to_send)
        return join_texts((text, total), " · ", " · ")

    def describe_end(self) -> str:
        done = Text(
            "batch_node_done",
            images=len(self.images),
            failed=len(self.errors),
            charged=self.charged_images,
        )
        unclear = self.unclear_rows
        texts = (done, Text("batch_node_unclear", rows=unclear)) if unclear else (done,)
        return join_texts(texts, " · ", " · ")


async def write_sheet(run: BatchRun) -> list[dict[str, str]]:
    """Write the contact sheet that the node shows: one cell per image, empty for a failed row."""
    from ..seedream_api.images.contact_sheet import SheetCell, build_contact_sheet

    cells = list[SheetCell]()
    for row, item in zip(run.rows, run.items, strict=False):
        paths = [image.path for image in item.result.images] if item.result else [None]
        cells += [SheetCell(f"{row.number}", path) for path in paths]
    return await previews.write_sheet(await asyncio.to_thread(build_contact_sheet, cells))


def summarize(run: BatchRun) -> dict[str, Any]:
    """Summarize the run for the line on the node."""
    return {
        "status": "partial" if run.errors else "completed",
        "origin": "new" if run.charged_images else "stored",
        "images": len(run.images),
        "failed": len(run.errors),
        "charged": run.charged_images,
        "unclear": run.unclear_rows,
        "cost": run.sum_costs().to_json(),
    }


def build_report(
    run: BatchRun, decoded: DecodedImages, caller: runtime.NodeProgress
) -> dict[str, Any]:
    notes = [*caller.notes, *decoded.notes]
    rows = [_row_json(row, item) for row, item in zip(run.rows, run.items, strict=False)]
    return {
        "status": "partial" if run.errors else "completed",
        "rows": rows,
        "images": len(run.images),
        "failed": len(run.errors),
        "unreadable": {str(place): reason for place, reason in decoded.failures.items()},
        "plan": {"requests": run.plan.requests, "to_send": run.plan.to_send,
                 "images": run.plan.images},
        "may_have_been_charged_images": run.charged_images,
        "cost": run.sum_costs().to_json(),
        "notes": notes,
        "notes_zh": list(map(to_chinese, notes)),
    }  # fmt: skip


def _row_json(row: BatchRow, item: BatchItem) -> dict[str, Any]:
    known = {"row": row.number, "prompt": row.fields["prompt"], "model": row.fields["model"]}
    if item.result is None:
        assert item.error is not None, "one of them is set"  # noqa: S101
        error = item.error
        return {**known, "status": error.status, "images": 0, **reason_texts(error.message_text)}
    result = item.result
    return {
        **known,
        "status": result.status,
        "images": len(result.images),
        "origin": result.origin.value,
        "task_id": result.task_id,
        "record": result.entry,
        "may_have_been_charged_images": result.charged_images,
        "cost": result.cost.to_json(),
        "notes": list(result.notes),
    }
