"""Poll Task: fetches tasks by their ids, our own or a stranger's; it never pays."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from . import freshness, given as values, inputs
from .execution import node_outputs, run_job
from .host import runtime
from .host.encodable import raises_encodable

if TYPE_CHECKING:
    from ..seedream_api.jobs.results import Progress, Result
    from ..seedream_api.jobs.session import Session

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
            hidden=list(inputs.HIDDEN),
            is_input_list=True,
        )

    @classmethod
    async def fingerprint_inputs(cls, **given: Any) -> Any:
        """Changes while the latest run of the same inputs lacks something."""
        return await freshness.fingerprint(cls, given, listed=True)

    @classmethod
    @raises_encodable
    async def execute(cls, task_id: list[str], **given: Any) -> io.NodeOutput:
        caller = runtime.NodeProgress.of(cls, {"task_id": task_id, **given})
        ids = values.lines_of_all("task_id", task_id)
        fit = values.first_value(given, "fit", inputs.FITS[0], values.one_of(*inputs.FITS))
        wait = values.first_value(given, "wait", True, values.is_switch)
        within = values.number_within(1, MAX_TIMEOUT_S)
        timeout_s = values.first_value(given, "timeout_s", DEFAULT_TIMEOUT_S, within)

        async def job(session: Session, tell: Callable[[Progress], None]) -> Result:
            from ..seedream_api.jobs.collect import collect_all

            return await collect_all(
                ids,
                session,
                wait=wait,
                timeout_s=float(timeout_s),
                progress=lambda _, step: tell(step),
            )

        hint = "not ready yet, run again 尚未完成，请稍后再运行 · {task_id}"
        made = await run_job(caller, job, fit, hint=hint)
        freshness.note_result(cls, *made, pays=False)
        return node_outputs(caller, *made, with_task_id=True)
