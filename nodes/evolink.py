"""Seedream Evolink: submit a task and wait for it, or collect it later."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from ..seedream_api.catalog import MAX_REFERENCES_AND_RESULTS, Family
from ..seedream_api.messages import Text
from . import freshness, inputs, node_values as values
from .execution import collect_references, node_outputs, run_job
from .host import runtime
from .host.encodable import with_encodable_errors
from .host.newer import found_as

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
    return Request(
        model=model,
        prompt=prompt,
        size=given.get("size"),
        quality=given.get("quality"),
        n=given.get("n"),
        prompt_priority=given.get("prompt_priority"),
        seed=0 if given.get("seed") is None else given["seed"],
        references=references,
    )


def _list_inputs(models: Sequence[Model]) -> list[io.Input]:
    return inputs.flatten(
        inputs.prompt_input(),
        inputs.model_input(models),
        inputs.choice_input(
            models,
            "size",
            "The aspect ratio; auto lets the model choose one from the prompt.",
        ),
        inputs.choice_input(
            models,
            "quality",
            "The resolution tier. Evolink's documentation lists 1K for Seedream "
            "4.0 only; for other models it is sent with a note in the report.",
        ),
        inputs.count_input(
            "An upper limit: the model decides how many images it makes, so ask "
            "for several in the prompt, such as: a series of 4 images. Reference images "
            f"and n are at most {MAX_REFERENCES_AND_RESULTS.value} together. You pay per image "
            "made."
        ),
        inputs.choice_input(
            models,
            "prompt_priority",
            "How the service optimises the prompt: standard is better, fast is "
            "quicker. Evolink's documentation lists fast for Seedream 4.0 only.",
        ),
        inputs.seed_input(),
        inputs.images_input(),
        inputs.image_urls_input(),
        inputs.wait_input(
            "On: wait for the images. Off: only submit the task; nodes that depend on "
            "the images do not run, and Poll Task fetches them by task_id."
        ),
        inputs.fit_input(),
        inputs.profile_input(),
    )


class SeedreamEvolink(io.ComfyNode):
    """One paid task of one image or several."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SeedreamEvolink",
            display_name="Seedream Evolink",
            category=inputs.CATEGORY,
            description="Makes images with Seedream's Evolink models. With wait off, the node only "
            "submits the task, and Poll Task fetches it. You pay per image; the same inputs and "
            "seed are paid for once.",
            inputs=_list_inputs(inputs.list_models(Family.EVOLINK)),
            outputs=[
                inputs.images_output(),
                inputs.image_list_output(),
                inputs.urls_output(),
                inputs.task_id_output(),
                inputs.report_output(),
                inputs.masks_output(),
            ],
            hidden=list(inputs.HIDDEN),
            **found_as(
                *("seedream 4", "seedream 4.5", "seedream 5", "text to image", "image edit"),
                *("image series", "文生图", "图生图", "组图"),
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
        wait = values.widget_value(given, "wait", True, values.check_switch)
        profile = values.check_text("profile", given.get("profile"))
        images = values.collect_images(given)

        async def job(session: Session, report_progress: Callable[[Progress], None]) -> Result:
            from ..seedream_api.jobs.generate import generate

            references = await collect_references(given)
            request = build_request(prompt, model, given, references, session.settings.models)
            return await generate(
                request,
                session,
                wait=wait,
                progress=report_progress,
                profile=profile,
            )

        hint = Text("line_submitted")
        made = await run_job(caller, job, fit, hint=hint, references=images)
        freshness.note_result(cls, *made, pays=True)
        return node_outputs(caller, *made, with_task_id=True)
