"""Seedream Batch: any number of paid requests in one run, from lines of prompts or a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from ..seedream_api.catalog import MAX_REFERENCES, Family
from ..seedream_api.errors import Charge
from . import freshness, inputs, node_values as values, previews
from .batch_rows import build_requests, read_batch_rows
from .batch_run import BatchRun, build_report, summarize, write_sheet
from .execution import DecodedImages, collect_references, decode_files, to_report, ui_output
from .host import runtime
from .host.encodable import with_encodable_errors
from .host.newer import found_as

if TYPE_CHECKING:
    from ..seedream_api.jobs.results import Progress
    from ..seedream_api.jobs.session import Session
    from ..seedream_api.service.request import Request

ON_ERROR = ("keep", "fail")


def _list_field_inputs() -> list[io.Input]:
    """List the fields that apply to rows that leave them out."""
    return [
        io.String.Input(
            "size",
            default="",
            optional=True,
            tooltip="Preferential: a tier such as 2K; Evolink: an aspect ratio such as 16:9. "
            "Empty: the model's default.",
        ),
        io.String.Input(
            "quality",
            default="",
            optional=True,
            tooltip="Evolink: the resolution tier, such as 2K. Empty: the model's default.",
        ),
        inputs.count_input("Evolink: the maximum number of images per row. You pay per image."),
    ]


def _list_inputs() -> list[io.Input]:
    families = (Family.PREFERENTIAL, Family.EVOLINK)
    models = [model.id for family in families for model in inputs.list_models(family)]
    return inputs.flatten(
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
        _list_field_inputs(),
        inputs.seed_input(),
        inputs.images_input(
            "Reference images of every row; every frame of a batch is one, at most "
            f"{MAX_REFERENCES.value} with image_urls. A connected list runs the whole batch once "
            "per item."
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
    )


class SeedreamBatch(io.ComfyNode):
    """Many paid requests; their images in the order of the rows."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SeedreamBatch",
            display_name="Seedream Batch",
            category=inputs.CATEGORY,
            description="Makes the images of many prompts in one run, in order. You pay per image; "
            "a row whose inputs and seed were paid for before returns its stored images, so "
            "running it again sends only what is missing.",
            inputs=_list_inputs(),
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
        runs = list[BatchRun]()
        is_page = caller.viewer.is_page

        async def job(
            session: Session, report_progress: Callable[[Progress], None]
        ) -> tuple[BatchRun, DecodedImages, list[dict[str, str]]]:
            from ..seedream_api.jobs.batch import plan_batch

            settings = (await session.profiles.get(caller.profile)).settings
            caller.is_free = settings.is_sandbox
            if is_page:
                caller.pictures = await previews.write_reference_sheet(images)
            requests = build_requests(rows, await collect_references(given), settings)
            run = BatchRun(rows, await plan_batch(requests, session, profile=profile))
            runs.append(run)
            await _generate_rows(
                run, requests, session, caller, report_progress, keeps=keeps, profile=profile
            )
            decoded = await _decode_images(run, fit)
            return run, decoded, await write_sheet(run) if is_page else []

        run, decoded, shown = await runtime.run(
            job, caller, lambda step, call: runs[0].describe() if runs else ""
        )
        summary = {**summarize(run), "free": caller.is_free, "pictures": shown}
        caller.show_end(run.describe_end(), summary)
        results = [item.result for item in run.items if item.result is not None]
        freshness.note_results(cls, results, is_whole=not run.errors and not decoded.failures)
        report = build_report(run, decoded, caller)
        return io.NodeOutput(
            decoded.batch,
            decoded.image_list,
            "\n".join(image.url for image in run.images if image.url),
            "\n".join(result.task_id for result in results if result.task_id),
            to_report(report),
            ui=ui_output(summary),
        )


async def _generate_rows(
    run: BatchRun,
    requests: Sequence[Request],
    session: Session,
    caller: runtime.NodeProgress,
    report_progress: Callable[[Progress], None],
    *,
    keeps: bool,
    profile: str | None,
) -> None:
    """Run the requests and report the rows that are done.

    Raises:
        SeedreamError: a row failed and failures are not kept, or every row failed.
    """
    from ..seedream_api.jobs.batch import generate_all
    from ..seedream_api.jobs.results import Phase, Progress

    caller.rows = (0, len(run.rows))
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
            caller.rows = (len(run.items), len(run.rows))
    if not run.images and run.errors:
        raise run.errors[0]


async def _decode_images(run: BatchRun, fit: str) -> DecodedImages:
    names = [f"{n}" for n, _ in enumerate(run.images, start=1)]
    paths = [image.path for image in run.images]
    return await decode_files(paths, names, fit, charge=Charge.MADE, with_previews=False)
