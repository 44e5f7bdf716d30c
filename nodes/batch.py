"""Seedream Batch: any number of paid requests in one run, from lines of prompts or a table."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from ..seedream_api.catalog import MAX_RESULTS, Family
from ..seedream_api.errors import Charge, SeedreamError
from ..seedream_api.messages import Text, join_texts, to_chinese
from . import freshness, inputs, node_values as values, previews
from .batch_rows import build_requests, read_batch_rows
from .execution import (
    DecodedImages,
    collect_references,
    decode_files,
    reason_texts,
    to_report,
    ui_output,
)
from .host import runtime
from .host.encodable import with_encodable_errors
from .host.newer import found_as

if TYPE_CHECKING:
    from ..seedream_api.jobs.batch import BatchItem, BatchPlan
    from ..seedream_api.jobs.batch_rows import BatchRow
    from ..seedream_api.jobs.results import Progress, StoredImage
    from ..seedream_api.jobs.session import Session
    from ..seedream_api.ledger.costs import Cost

ON_ERROR = ("keep", "fail")


@dataclass
class _Run:
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
        unclear = [UNKNOWN_COST for error in self.errors if error.may_have_been_charged]
        return sum_costs([NO_COST, *costs, *unclear])

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
        return Text(
            "batch_node_done",
            images=len(self.images),
            failed=len(self.errors),
            charged=self.charged_images,
        )


class SeedreamBatch(io.ComfyNode):
    """Many paid requests; their images in the order of the rows."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        families = (Family.PREFERENTIAL, Family.EVOLINK)
        models = [model.id for family in families for model in inputs.list_models(family)]
        return io.Schema(
            node_id="SeedreamBatch",
            display_name="Seedream Batch",
            category=inputs.CATEGORY,
            description="Makes the images of many prompts in one run, in order. You pay per image; "
            "a row whose inputs and seed were paid for before returns its stored images, so "
            "running it again sends only what is missing.",
            inputs=inputs.flatten(
                io.String.Input(
                    "prompts",
                    multiline=True,
                    tooltip="One prompt per line: each is a paid request. Or a table: a header "
                    "line with prompt and any of model, size, quality, n, ref (URLs separated by "
                    "vertical bars), seed, prompt_priority, output_format, watermark; then one row "
                    "per line.",
                ),
                io.Combo.Input(
                    "model", options=models, tooltip="The model of rows that do not name another."
                ),
                io.String.Input(
                    "size",
                    default="",
                    optional=True,
                    tooltip="Preferential: 2K or 4K; Evolink: an aspect ratio such as 16:9. Empty: "
                    "the model's default.",
                ),
                io.String.Input(
                    "quality",
                    default="",
                    optional=True,
                    tooltip="Evolink: the resolution tier, such as 2K. Empty: the model's default.",
                ),
                io.Int.Input(
                    "n",
                    default=1,
                    min=1,
                    max=MAX_RESULTS.value,
                    optional=True,
                    tooltip="Evolink: the maximum number of images per row. You pay per image.",
                ),
                inputs.seed_input(),
                inputs.images_input(
                    "Reference images of every row; every frame of a batch is one, at most 14 "
                    "with image_urls. A connected list runs the whole batch once per item."
                ),
                inputs.image_urls_input(),
                io.Combo.Input(
                    "on_error",
                    options=list(ON_ERROR),
                    default=ON_ERROR[0],
                    optional=True,
                    tooltip="keep: failed rows have their reasons in the report and no image; the "
                    "others continue. fail: the first failure ends the node, and images that were "
                    "made stay stored.",
                ),
                inputs.fit_input(),
                inputs.profile_input(),
            ),
            outputs=[
                inputs.images_output(),
                inputs.image_list_output(),
                inputs.urls_output(),
                inputs.text_output("task_ids", "The task IDs, one per line, for Poll Task."),
                inputs.report_output(),
            ],
            hidden=list(inputs.HIDDEN),
            **found_as("batch", "prompt list", "csv", "批量", "文生图"),
        )

    @classmethod
    async def fingerprint_inputs(cls, **given: Any) -> Any:
        """Change while the latest run of the same inputs lacks something."""
        return await freshness.fingerprint(cls, given)

    @classmethod
    @with_encodable_errors
    async def execute(cls, prompts: str, model: str, **given: Any) -> io.NodeOutput:
        caller = runtime.NodeProgress.from_node(cls, {"prompts": prompts, "model": model, **given})
        fit = values.widget_value(given, "fit", inputs.FITS[0], values.check_one_of(*inputs.FITS))
        one_of = values.check_one_of(*ON_ERROR)
        keeps = values.widget_value(given, "on_error", ON_ERROR[0], one_of) == ON_ERROR[0]
        profile = values.check_text("profile", given.get("profile"))
        rows = read_batch_rows(prompts, model, given)
        images = values.collect_images(given)
        runs = list[_Run]()
        is_page = caller.viewer.is_page

        async def job(
            session: Session, report_progress: Callable[[Progress], None]
        ) -> tuple[_Run, DecodedImages, list[dict[str, str]]]:
            from ..seedream_api.jobs.batch import generate_all, plan_batch
            from ..seedream_api.jobs.results import Phase, Progress

            settings = (await session.profiles.get(caller.profile)).settings
            caller.is_free = settings.is_sandbox
            if is_page:
                caller.pictures = await previews.write_reference_sheet(images)
            requests = build_requests(rows, await collect_references(given), settings)
            run = _Run(rows, await plan_batch(requests, session, profile=profile))
            runs.append(run)
            caller.rows = (0, len(rows))
            report_progress(Progress(Phase.PREPARING, 0.0))
            items = generate_all(
                requests,
                session,
                keep_going=keeps,
                progress=lambda _, step: report_progress(step),
                profile=profile,
            )
            async with aclosing(items):
                async for item in items:
                    run.items.append(item)
                    caller.rows = (len(run.items), len(rows))
            if not run.images and run.errors:
                raise run.errors[0]
            names = [f"{n}" for n, _ in enumerate(run.images, start=1)]
            paths = [image.path for image in run.images]
            decoded = await decode_files(paths, names, fit, charge=Charge.MADE, with_previews=False)
            return run, decoded, await _write_sheet(run) if is_page else []

        run, decoded, shown = await runtime.run(
            job, caller, lambda step, call: runs[0].describe() if runs else ""
        )
        summary = {**_summarize(run), "free": caller.is_free, "pictures": shown}
        caller.show_end(run.describe_end(), summary)
        results = [item.result for item in run.items if item.result is not None]
        freshness.note_results(cls, results, is_whole=not run.errors and not decoded.failures)
        report = _build_report(run, decoded, caller)
        return io.NodeOutput(
            decoded.batch,
            decoded.image_list,
            "\n".join(image.url for image in run.images if image.url),
            "\n".join(result.task_id for result in results if result.task_id),
            to_report(report),
            ui=ui_output(summary),
        )


async def _write_sheet(run: _Run) -> list[dict[str, str]]:
    """Write the contact sheet that the node shows: one cell per image, empty for a failed row."""
    from ..seedream_api.images.contact_sheet import SheetCell, build_contact_sheet

    cells = list[SheetCell]()
    for row, item in zip(run.rows, run.items, strict=False):
        paths = [image.path for image in item.result.images] if item.result else [None]
        cells += [SheetCell(f"{row.number}", path) for path in paths]
    return await previews.write_sheet(await asyncio.to_thread(build_contact_sheet, cells))


def _summarize(run: _Run) -> dict[str, Any]:
    """Summarize the run for the line on the node."""
    return {
        "status": "partial" if run.errors else "completed",
        "origin": "new" if run.charged_images else "stored",
        "images": len(run.images),
        "failed": len(run.errors),
        "charged": run.charged_images,
        "cost": run.sum_costs().to_json(),
    }


def _build_report(
    run: _Run, decoded: DecodedImages, caller: runtime.NodeProgress
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
