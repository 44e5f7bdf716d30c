"""Poll Task: fetch tasks by ID, made here or elsewhere; it never pays."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from . import freshness, inputs, node_values as values
from .execution import node_outputs, run_job
from .host import runtime
from .host.encodable import with_encodable_errors

if TYPE_CHECKING:
    from ..seedream_api.jobs.results import Progress, Result
    from ..seedream_api.jobs.session import Session

DEFAULT_TIMEOUT_S = 1800
MAX_TIMEOUT_S = 604_800


class SeedreamPollTask(io.ComfyNode):
    """Polls tasks until they are ready, or once."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SeedreamPollTask",
            display_name="Poll Task",
            category=inputs.CATEGORY,
            description="Fetches the images of Evolink tasks by ID. Costs nothing: the charge "
            "arises when a task is submitted.",
            inputs=inputs.flatten(
                io.String.Input(
                    "task_id",
                    multiline=True,
                    tooltip="Task IDs, one per line. A connected list is fetched in one run.",
                ),
                inputs.wait_input(
                    "On: wait until every task is ready. Off: poll once; if no task is ready, "
                    "nodes that depend on the images do not run, and the next run polls again."
                ),
                io.Int.Input(
                    "timeout_s",
                    default=DEFAULT_TIMEOUT_S,
                    min=1,
                    max=MAX_TIMEOUT_S,
                    optional=True,
                    tooltip="Seconds to wait for all tasks. After that the node fails and reports "
                    "the task ID; the task can still be fetched.",
                ),
                inputs.fit_input(),
                inputs.profile_input(),
            ),
            outputs=[
                inputs.images_output(),
                inputs.image_list_output(),
                inputs.urls_output(),
                inputs.task_id_output(),
                inputs.report_output(),
                inputs.masks_output(),
            ],
            hidden=list(inputs.HIDDEN),
            is_input_list=True,
        )

    @classmethod
    async def fingerprint_inputs(cls, **given: Any) -> Any:
        """Change while the latest run of the same inputs lacks something."""
        return await freshness.fingerprint(cls, given, listed=True)

    @classmethod
    @with_encodable_errors
    async def execute(cls, task_id: list[str], **given: Any) -> io.NodeOutput:
        caller = runtime.NodeProgress.from_node(cls, {"task_id": task_id, **given})
        ids = values.collect_lines("task_id", task_id)
        fit = values.first_value(given, "fit", inputs.FITS[0], values.check_one_of(*inputs.FITS))
        wait = values.first_value(given, "wait", True, values.check_switch)
        within = values.check_number(1, MAX_TIMEOUT_S)
        timeout_s = values.first_value(given, "timeout_s", DEFAULT_TIMEOUT_S, within)
        profile = values.first_value(given, "profile", "", values.check_text)

        async def job(session: Session, report_progress: Callable[[Progress], None]) -> Result:
            from ..seedream_api.jobs.collect import collect_all

            return await collect_all(
                ids,
                session,
                wait=wait,
                timeout_s=float(timeout_s),
                progress=lambda _, step: report_progress(step),
                profile=profile,
            )

        hint = "not ready yet, run again 尚未完成，请稍后再运行 · {task_id}"
        made = await run_job(caller, job, fit, hint=hint)
        freshness.note_result(cls, *made, pays=False)
        return node_outputs(caller, *made, with_task_id=True)
