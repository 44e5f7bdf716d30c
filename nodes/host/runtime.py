"""Waiting in a node for work on the pack's own loop (``background.py``).

A node only waits for its work, watches Cancel beside, and may leave at any moment.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from comfy.model_management import InterruptProcessingException, processing_interrupted
from comfy_execution.progress import get_progress_state
from comfy_execution.utils import get_executing_context
from server import PromptServer

from ...seedream_api.errors import Interrupted, SeedreamError
from ...seedream_api.jobs.cancellation import interruption_of
from ..given import check_prompt
from ..web.settings import log
from .background import own_loop

if TYPE_CHECKING:
    from comfy_api.latest import io
    from PIL.Image import Image

    from ...seedream_api.jobs.results import Progress
    from ...seedream_api.jobs.session import Session

T = TypeVar("T")

TICK_S = 0.1
"""How often Cancel is looked for."""
CANCEL_GRACE_S = 0.25
"""How long a cancelled node waits to hear what still runs; Cancel has 0.5 s in all."""


@dataclass
class NodeProgress:
    """The node that runs now: where its progress is shown, and which call of how many it is.

    Args:
        index: of this call, from 0, where a list makes ComfyUI run the node once an item.
        indexes: of all calls of the node that have begun in this prompt.
    """

    unique_id: str | None
    index: int = 0
    indexes: set[int] = field(default_factory=lambda: {0})
    latest: Progress | None = field(default=None, repr=False)
    sheet: Image | None = field(default=None, repr=False)
    """The references that are sent; shown once, while the node runs."""
    notes: tuple[str, ...] = ()
    """What the report says of the prompt itself."""

    @classmethod
    def of(cls, node: type[io.ComfyNode], given: Mapping[str, Any]) -> NodeProgress:
        """The caller of the node's ``execute`` that is running.

        Raises:
            InvalidRequest: the prompt means an input that the node does not have.
        """
        notes = check_prompt(node, given)
        caller = cls._counted(node.hidden.unique_id)
        caller.notes = notes
        return caller

    @classmethod
    def _counted(cls, unique_id: str | None) -> NodeProgress:
        context: Any = get_executing_context()
        if context is None:
            return cls(unique_id)
        key = (str(context.prompt_id), str(context.node_id))
        while len(_calls) > _REMEMBERED_NODES:
            _calls.pop(next(iter(_calls)))
        index = int(context.list_index or 0)
        indexes = _calls.setdefault(key, set())
        indexes.add(index)
        return cls(unique_id, index, indexes)

    def call_of_calls(self) -> tuple[int, int]:
        """This call's number, from 1, and how many calls ComfyUI makes of the node."""
        return self.index + 1, len(self.indexes)

    def show(self, text: str) -> None:
        """Put a line under the node."""
        server: Any = getattr(PromptServer, "instance", None)
        if server is not None and self.unique_id is not None:
            # Half a character, quoted from a prompt, is no text for a browser.
            text = text.encode("utf-8", "backslashreplace").decode()
            server.send_progress_text(text, self.unique_id)


_calls: dict[tuple[str, str], set[int]] = {}
"""By prompt and node: the calls that have begun. ComfyUI begins all before it awaits any."""
_REMEMBERED_NODES = 256


async def run(
    job: Callable[[Session, Callable[[Progress], None]], Awaitable[T]],
    caller: NodeProgress,
    describe: Callable[[Progress, tuple[int, int]], str],
) -> T:
    """Run ``job`` on the pack's loop and wait for it, showing its progress on the node.

    Args:
        job: given the session and where to tell its progress.
        describe: a step, and which call of how many it belongs to, as a line of text.

    Raises:
        InterruptProcessingException: Cancel was pressed; what still runs is shown on the node.
        SeedreamError: whatever the job raised.
    """
    own = own_loop()

    def tell(step: Progress) -> None:
        caller.latest = step

    async def work() -> T:
        try:
            async with own.sessions.lease() as session:
                return await job(session, tell)
        except asyncio.CancelledError as error:
            # A cancellation that left the loop as such could end the host's.
            raise interruption_of(error) from None

    call = LoopTask(own.loop, work)
    shown: Progress | None = None
    try:
        while not call.ended.is_set():
            if processing_interrupted():
                call.cancel()
                await report_cancelled(call, caller)
                raise InterruptProcessingException
            shown = _show(caller, shown, describe)
            await _wait(call.ended, TICK_S)
    except asyncio.CancelledError:
        # The host's own: a sibling failed. It must pass; ours never leave the pack's loop.
        call.cancel()
        raise
    return call.result()


class LoopTask(Generic[T]):
    """A job on the pack's loop as the host's loop sees it; its cancellation is an error of ours."""

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
            self._task.add_done_callback(self._ended)

        loop.call_soon_threadsafe(begin)

    def _ended(self, task: asyncio.Task[T]) -> None:
        error = Interrupted("interrupted_before") if task.cancelled() else task.exception()
        if error is None:
            self._outcome.set_result(task.result())
        else:
            self._outcome.set_exception(error)
        # The prompt may be over, and its loop with it.
        with contextlib.suppress(RuntimeError):
            self._host_loop.call_soon_threadsafe(self.ended.set)

    def cancel(self) -> None:
        """Leave; what was sent goes on. Runs after ``begin``: the loop keeps their order."""
        self._loop.call_soon_threadsafe(lambda: self._task and self._task.cancel())

    def result(self) -> T:
        return self._outcome.result(timeout=0)

    def error(self) -> BaseException | None:
        return self._outcome.exception(timeout=0) if self._outcome.done() else None


async def report_cancelled(call: LoopTask[Any], caller: NodeProgress) -> None:
    """Say what a cancelled job leaves behind, as far as it tells in time."""
    await _wait(call.ended, CANCEL_GRACE_S)
    error = call.error()
    if isinstance(error, SeedreamError):
        log.warning("%s", error)
        caller.show(f"{error.message('zh')}\n{error.message('en')}")


def _show(
    caller: NodeProgress,
    shown: Progress | None,
    describe: Callable[[Progress, tuple[int, int]], str],
) -> Progress | None:
    """Bring the node's text, bar and picture up to the latest step."""
    if caller.sheet is not None and caller.unique_id is not None:
        picture = ("JPEG", caller.sheet, None)
        get_progress_state().update_progress(str(caller.unique_id), 0.0, 100.0, picture)
        caller.sheet = None
    step = caller.latest
    if step is None or step is shown:
        return shown
    caller.show(describe(step, caller.call_of_calls()))
    if step.percent is not None and caller.unique_id is not None:
        get_progress_state().update_progress(str(caller.unique_id), step.percent, 100.0)
    return step


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Until the event or for so long. No ``wait_for``: before Python 3.12 it may swallow a
    cancellation, and the host would find a failed node where it cancelled one."""
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({waiting}, timeout=seconds)
    finally:
        waiting.cancel()
