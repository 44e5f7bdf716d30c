"""Poll Task: fetches tasks by their ids, our own or a stranger's; it never pays."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from . import inputs, runtime
from .results import outputs, road

if TYPE_CHECKING:
    from ..seedream_api.results import Progress, Result
    from ..seedream_api.session import Session

DEFAULT_TIMEOUT_S = 1800
MAX_TIMEOUT_S = 604_800


class SeedreamPollTask(io.ComfyNode):
    """Looks at tasks until they are ready, or once."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SeedreamPollTask",
            display_name="Poll Task",
            category=inputs.CATEGORY,
            description="Fetches the images of Evolink tasks by their ids. Costs nothing: a task "
            "is paid for where it was submitted.",
            inputs=inputs.inputs_of(
                io.String.Input(
                    "task_id",
                    multiline=True,
                    tooltip="One task id a line. Lists linked here are fetched in one run.",
                ),
                inputs.wait_input(
                    "On: wait until every task is ready. Off: look once; what hangs on the images "
                    "does not run if none is ready, and the next run looks again."
                ),
                io.Int.Input(
                    "timeout_s",
                    default=DEFAULT_TIMEOUT_S,
                    min=1,
                    max=MAX_TIMEOUT_S,
                    optional=True,
                    tooltip="Seconds to wait for all tasks. After that the node fails and names "
                    "the task; it can be fetched again.",
                ),
                inputs.fit_input(),
            ),
            outputs=[
                inputs.images_output(),
                inputs.image_list_output(),
                inputs.urls_output(),
                inputs.task_id_output(),
                inputs.report_output(),
            ],
            hidden=[io.Hidden.unique_id],
            is_input_list=True,
        )

    @classmethod
    async def fingerprint_inputs(cls, **given: Any) -> Any:
        """A single look that found nothing ready must not be cached: it changes until all are."""
        if inputs.first(given, "wait", True):
            return "waits"
        texts: list[str | None] = given.get("task_id") or [None]
        if any(text is None for text in texts):
            return float("nan")
        ids = inputs.lines("\n".join(str(text) for text in texts))

        async def are_stored(session: Session, tell: Callable[[Progress], None]) -> bool:
            from ..seedream_api.collecting import are_finished

            return await are_finished(ids, session)

        finished = await runtime.run(are_stored, runtime.Caller(None), lambda step, call: "")
        return "finished" if finished else float("nan")

    @classmethod
    async def execute(cls, task_id: list[str], **given: Any) -> io.NodeOutput:
        async def job(session: Session, tell: Callable[[Progress], None]) -> Result:
            from ..seedream_api.collecting import collect_all

            return await collect_all(
                inputs.lines("\n".join(task_id)),
                session,
                wait=inputs.first(given, "wait", True),
                timeout_s=float(inputs.first(given, "timeout_s", DEFAULT_TIMEOUT_S)),
                progress=lambda _, step: tell(step),
            )

        fit = inputs.first(given, "fit", inputs.FITS[0])
        hint = "not ready yet, run again 尚未完成，请稍后再运行 · {task_id}"
        made = await road(cls.hidden.unique_id, job, fit, hint=hint)
        return outputs(*made, with_task_id=True)
