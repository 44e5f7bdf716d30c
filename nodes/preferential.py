"""Seedream Preferential (灵芽): one call, and its response contains the images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from ..seedream_api.catalog import Family
from ..seedream_api.messages import Text
from . import freshness, inputs, node_values as values
from .execution import collect_references, node_outputs, run_job
from .host import runtime
from .host.encodable import with_encodable_errors
from .host.newer import ADVANCED, found_as

if TYPE_CHECKING:
    from ..seedream_api.catalog import Model
    from ..seedream_api.jobs.results import Progress, Result
    from ..seedream_api.jobs.session import Session
    from ..seedream_api.service.references import Reference
    from ..seedream_api.service.request import Request


def build_request(
    prompt: str,
    model: str,
    given: Mapping[str, Any],
    references: tuple[Reference, ...],
    models: Mapping[str, Model],
) -> Request:
    """Build the request from a node's inputs."""
    from ..seedream_api.service.request import Request

    given = inputs.drop_unused_defaults(given, models.get(model))
    chosen = given.get("output_format")
    return Request(
        model=model,
        prompt=prompt,
        size=given.get("size"),
        output_format=None if chosen in (None, "auto") else chosen,
        watermark=given.get("watermark"),
        seed=0 if given.get("seed") is None else given["seed"],
        references=references,
    )


class SeedreamPreferential(io.ComfyNode):
    """One paid call whose response contains the result URLs."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        models = inputs.list_models(Family.PREFERENTIAL)
        return io.Schema(
            node_id="SeedreamPreferential",
            display_name="Seedream Preferential",
            category=inputs.CATEGORY,
            description="Makes an image with Seedream's Preferential models. State the aspect "
            "ratio in the prompt, such as: aspect ratio 16:9. You pay per image; the same inputs "
            "and seed are paid for once.",
            inputs=inputs.flatten(
                inputs.prompt_input(),
                inputs.model_input(models),
                inputs.choice_input(
                    models,
                    "size",
                    "The resolution tier. There is no field for the aspect ratio: state it "
                    "in the prompt, such as: aspect ratio 16:9.",
                ),
                inputs.choice_input(
                    models,
                    "output_format",
                    "The file format to request; auto leaves the choice to the service.",
                    before=("auto",),
                    default="auto",
                ),
                io.Boolean.Input(
                    "watermark",
                    default=False,
                    optional=True,
                    tooltip="Whether the service draws its watermark into the image.",
                    **ADVANCED,
                ),
                inputs.seed_input(),
                inputs.images_input(),
                inputs.image_urls_input(),
                inputs.fit_input(),
                inputs.profile_input(),
            ),
            outputs=[
                inputs.images_output(),
                inputs.image_list_output(),
                inputs.urls_output(),
                inputs.report_output(),
                inputs.masks_output(),
            ],
            hidden=list(inputs.HIDDEN),
            **found_as(
                "seedream 4.5", "seedream 5", "text to image", "image edit", "文生图", "图生图"
            ),
        )

    @classmethod
    async def fingerprint_inputs(cls, **given: Any) -> Any:
        """Change while the latest run of the same inputs lacks something."""
        return await freshness.fingerprint(cls, given)

    @classmethod
    @with_encodable_errors
    async def execute(cls, prompt: str, model: str, **given: Any) -> io.NodeOutput:
        caller = runtime.NodeProgress.from_node(cls, {"prompt": prompt, "model": model, **given})
        fit = values.widget_value(given, "fit", inputs.FITS[0], values.check_one_of(*inputs.FITS))
        profile = values.check_text("profile", given.get("profile"))
        images = values.collect_images(given)

        async def job(session: Session, report_progress: Callable[[Progress], None]) -> Result:
            from ..seedream_api.jobs.generate import generate

            references = await collect_references(given)
            request = build_request(prompt, model, given, references, session.settings.models)
            return await generate(request, session, progress=report_progress, profile=profile)

        hint = Text("line_empty")
        made = await run_job(caller, job, fit, hint=hint, references=images)
        freshness.note_result(cls, *made, pays=True)
        return node_outputs(caller, *made, with_task_id=False)
