"""Seedream Preferential (灵芽): one call, and the images come back in its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from ..seedream_api.catalog import MODELS, Family, of_family
from . import freshness, given as values, inputs
from .execution import node_outputs, references_of, run_job
from .host import runtime
from .host.encodable import raises_encodable

if TYPE_CHECKING:
    from ..seedream_api.jobs.results import Progress, Result
    from ..seedream_api.jobs.session import Session
    from ..seedream_api.service.references import Reference
    from ..seedream_api.service.request import Request

_FIRST = MODELS[of_family(MODELS, Family.PREFERENTIAL)[0]]


def request_of(
    prompt: str, model: str, given: Mapping[str, Any], references: tuple[Reference, ...]
) -> Request:
    """The request that these inputs mean."""
    from ..seedream_api.service.request import Request

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
    """One paid call; the result URLs come back at once."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SeedreamPreferential",
            display_name="Seedream Preferential",
            category=inputs.CATEGORY,
            description="Makes an image with Seedream's Preferential models. The shape follows "
            "the words of the prompt, such as: aspect ratio 16:9. Paid per image; the same inputs "
            "and seed are paid for once.",
            inputs=inputs.inputs_of(
                inputs.prompt_input(),
                inputs.model_input(Family.PREFERENTIAL),
                io.Combo.Input(
                    "size",
                    options=list(_FIRST.sizes),
                    default=_FIRST.default_size,
                    optional=True,
                    tooltip="The resolution tier. There is no ratio field: the shape follows the "
                    "words of the prompt, such as: aspect ratio 16:9.",
                ),
                io.Combo.Input(
                    "output_format",
                    options=["auto", *_FIRST.output_formats],
                    default="auto",
                    optional=True,
                    tooltip="The file format to ask for; auto leaves it to the service.",
                ),
                io.Boolean.Input(
                    "watermark",
                    default=False,
                    optional=True,
                    tooltip="Whether the service draws its mark into the picture.",
                ),
                inputs.seed_input(),
                inputs.images_input(),
                inputs.image_urls_input(),
                inputs.fit_input(),
            ),
            outputs=[
                inputs.images_output(),
                inputs.image_list_output(),
                inputs.urls_output(),
                inputs.report_output(),
            ],
            hidden=list(inputs.HIDDEN),
        )

    @classmethod
    async def fingerprint_inputs(cls, **given: Any) -> Any:
        """Changes while the latest run of the same inputs lacks something."""
        return await freshness.fingerprint(cls, given)

    @classmethod
    @raises_encodable
    async def execute(cls, prompt: str, model: str, **given: Any) -> io.NodeOutput:
        caller = runtime.NodeProgress.of(cls, {"prompt": prompt, "model": model, **given})
        fit = values.widget_value(given, "fit", inputs.FITS[0], values.one_of(*inputs.FITS))
        images = values.images_of(given)

        async def job(session: Session, tell: Callable[[Progress], None]) -> Result:
            from ..seedream_api.jobs.generate import generate

            request = request_of(prompt, model, given, await references_of(given))
            return await generate(request, session, progress=tell)

        hint = "no images 没有图片"
        made = await run_job(caller, job, fit, hint=hint, references=images)
        freshness.note_result(cls, *made, pays=True)
        return node_outputs(caller, *made, with_task_id=False)
