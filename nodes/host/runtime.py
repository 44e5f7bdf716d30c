"""Run work of a node on the pack's loop (``background.py``).

The node only waits for the work and checks for Cancel; it may stop waiting at any moment.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from comfy.model_management import InterruptProcessingException, processing_interrupted
from comfy_execution.utils import get_executing_context

from ...seedream_api.errors import Interrupted, LimitReached, SeedreamError
from ...seedream_api.jobs.cancellation import interruption_of
from ...seedream_api.jobs.runs import in_run
from ..node_values import check_prompt
from ..web.panel import progress_json
from ..web.settings import log
from .background import get_loop
from .viewer import Viewer

if TYPE_CHECKING:
    from comfy_api.latest import io

    from ...seedream_api.jobs.results import Progress
    from ...seedream_api.jobs.session import Session

T = TypeVar("T")
Describe = Callable[["Progress", tuple[int, int]], str]
"""Makes a line of text from a step and the call's number and count."""

TICK_S = 0.1
"""How often Cancel is checked."""
CANCEL_GRACE_S = 0.25
"""How long a cancelled node waits for a report of what still runs; Cancel takes at most 0.5 s."""


@dataclass
class NodeProgress:
    """The running node: who watches it, and which of how many calls this is.

    Args:
        index: of this call, from 0; a list makes ComfyUI call the node once per item.
        indexes: of all calls of the node that have started in this prompt.
    """

    viewer: Viewer = field(default_factory=Viewer)
    index: int = 0
    indexes: set[int] = field(default_factory=lambda: {0})
    latest: Progress | None = field(default=None, repr=False)
    pictures: list[dict[str, str]] | None = field(default=None, repr=False)
    """Files with the reference images that are sent; a page shows them while the node runs."""
    rows: tuple[int, int] | None = None
    """Of a batch: how many rows are done, and how many it has."""
    profile: str | None = None
    is_free: bool = False
    """Whether the service is the sandbox."""
    notes: tuple[str, ...] = ()
    """Notes for the report about the prompt itself."""
    run: str | None = None
    """The prompt's id, by which the limit of a run counts."""
    metadata: Any = field(default=None, repr=False)
    """What nodes write into the images that they save; see ``receipts.py``."""

    @classmethod
    def from_node(cls, node: type[io.ComfyNode], given: Mapping[str, Any]) -> NodeProgress:
        """Check the prompt and make the progress for a call of the node's ``execute``.

        Raises:
            InvalidRequest: see :func:`check_prompt`.
        """
        notes = check_prompt(node, given)
        caller = cls._count_call(Viewer.of_node(node))
        caller.notes = notes
        name = given.get("profile") or None
        # A node that takes lists gets one for each input.
        caller.profile = cast("list[str]", name)[0] if isinstance(name, list) else name
        caller.metadata = getattr(node.hidden, "extra_pnginfo", None)
        return caller

    @classmethod
    def _count_call(cls, viewer: Viewer) -> NodeProgress:
        context: Any = get_executing_context()
        if context is None:
            return cls(viewer)
        key = (str(context.prompt_id), str(context.node_id))
        while len(_calls) > _REMEMBERED_NODES:
            _calls.pop(next(iter(_calls)))
        index = int(context.list_index or 0)
        indexes = _calls.setdefault(key, set())
        indexes.add(index)
        return cls(viewer, index, indexes, run=key[0])

    def call_number(self) -> tuple[int, int]:
        """Return this call's number, from 1, and how many calls of the node ComfyUI makes."""
        return self.index + 1, len(self.indexes)

    def show_step(self, step: Progress, describe: Describe) -> None:
        """Show a step of the job."""
        self.viewer.show_text(describe(step, self.call_number()))
        if step.percent is not None:
            self.viewer.show_percent(step.percent)
        facts = {
            **progress_json(step),
            "rows": self.rows,
            "seconds": step.seconds,
            "task_id": step.task_id,
        }
        self.send_state("progress", pictures=self.pictures, **facts)

    def show_end(self, line: str, facts: Mapping[str, Any]) -> None:
        """Show the outcome of this call."""
        self.viewer.show_text(line)
        self.send_state("done", **facts)

    def send_state(self, kind: str, **facts: Any) -> None:
        number, count = self.call_number()
        self.viewer.send_state(kind, call=number, calls=count, **facts)


_calls: dict[tuple[str, str], set[int]] = {}
"""The calls that have started, by prompt and node. ComfyUI starts all before it awaits any."""
_REMEMBERED_NODES = 256


_running: Counter[str | None] = Counter()
"""By prompt: the calls that have not ended."""
_QUIET_TICKS = 3
"""For how many checks in a row no other call may run before a refused node fails."""


async def run(
    job: Callable[[Session, Callable[[Progress], None]], Awaitable[T]],
    caller: NodeProgress,
    describe: Describe,
) -> T:
    """Run ``job``; a node that a limit refuses fails after the others of its prompt have ended.

    ComfyUI ends the whole prompt with the first node that fails, and would not save their images.

    Args and errors: see :func:`_run`.
    """
    _running[caller.run] += 1
    try:
        return await _run(job, caller, describe)
    except LimitReached as error:
        refused = error
    finally:
        _running[caller.run] -= 1
        if not _running[caller.run]:
            del _running[caller.run]
    quiet_ticks = 0
    while quiet_ticks < _QUIET_TICKS:
        if processing_interrupted():
            raise InterruptProcessingException
        quiet_ticks = 0 if _running[caller.run] > 0 else quiet_ticks + 1
        await asyncio.sleep(TICK_S)
    raise refused


async def _run(
    job: Callable[[Session, Callable[[Progress], None]], Awaitable[T]],
    caller: NodeProgress,
    describe: Callable[[Progress, tuple[int, int]], str],
) -> T:
    """Run ``job`` on the pack's loop and wait for it, showing its progress on the node.

    Args:
        job: takes the session and a function to report progress with.

    Raises:
        InterruptProcessingException: the user cancelled; the node shows what still runs.
        SeedreamError: whatever the job raised.
    """
    own = get_loop()

    def report_progress(step: Progress) -> None:
        caller.latest = step

    async def work() -> T:
        try:
            async with own.sessions.lease() as session:
                with in_run(caller.run):
                    return await job(session, report_progress)
        except asyncio.CancelledError as error:
            # A CancelledError that leaves this loop could cancel the host's task.
            raise interruption_of(error) from None

    call = LoopTask(own.loop, work)
    shown: Progress | None = None
    try:
        while not call.ended.is_set():
            if processing_interrupted():
                call.cancel()
                await report_cancelled(call, caller)
                raise InterruptProcessingException
            step = caller.latest
            if step is not None and step is not shown:
                caller.show_step(step, describe)
                shown = step
            await _wait(call.ended, TICK_S)
    except asyncio.CancelledError:
        # From the host, because another node failed: pass it on. Ours never leave the pack's loop.
        call.cancel()
        caller.viewer.send_end("abandoned")
        raise
    return call.result()


class LoopTask(Generic[T]):
    """A job on the pack's loop that the host's loop waits for; its cancellation is an error."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, job: Callable[[], Coroutine[Any, Any, T]]
    ) -> None:
        self._loop = loop
        self._host_loop = asyncio.get_running_loop()
        self._task: asyncio.Task[T] | None = None
        self._outcome: concurrent.futures.Future[T] = concurrent.futures.Future()
        self.ended = asyncio.Event()

        def begin() -> None:
            self._task = loop.create_task(job())
            self._task.add_done_callback(self._finish)

        loop.call_soon_threadsafe(begin)

    def _finish(self, task: asyncio.Task[T]) -> None:
        error = Interrupted("interrupted_before") if task.cancelled() else task.exception()
        if error is None:
            self._outcome.set_result(task.result())
        else:
            self._outcome.set_exception(error)
        # The prompt may have ended and closed its loop.
        with contextlib.suppress(RuntimeError):
            self._host_loop.call_soon_threadsafe(self.ended.set)

    def cancel(self) -> None:
        """Cancel the job; a request that was sent continues. The loop runs this after ``begin``."""
        self._loop.call_soon_threadsafe(lambda: self._task and self._task.cancel())

    def result(self) -> T:
        return self._outcome.result(timeout=0)

    def error(self) -> BaseException | None:
        return self._outcome.exception(timeout=0) if self._outcome.done() else None


async def report_cancelled(call: LoopTask[Any], caller: NodeProgress) -> None:
    """Report what a cancelled job leaves running, if that is known in time."""
    await _wait(call.ended, CANCEL_GRACE_S)
    error = call.error()
    if not isinstance(error, SeedreamError):
        caller.viewer.send_end("cancelled")
        return
    log.warning("%s", error)
    caller.viewer.show_text(error.message_text)
    caller.viewer.send_end("cancelled", error)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, but at most ``seconds``.

    Before Python 3.12 ``wait_for`` may swallow a cancellation; the host would then see a
    failed node instead of a cancelled one.
    """
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({waiting}, timeout=seconds)
    finally:
        waiting.cancel()
