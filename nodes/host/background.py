"""The pack's own event loop in a thread, until the end of the process.

ComfyUI runs every prompt on a new event loop and closes that, with everything on it, when one node
fails. Paid work therefore runs on a loop that is closed only when the process ends.

At that end, also after SIGTERM, the loop waits for responses to the requests in progress. A forked
child of this process (a DataLoader's worker, for example) inherits the loop without its thread, so
it must not use, close or wait for it.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Coroutine
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

from comfy.cli_args import args
from server import PromptServer

from ..web.live import TaskEvents
from ..web.settings import log, text_json
from .sessions import SessionPool, import_client

if TYPE_CHECKING:
    from ...seedream_api.jobs.balances import Difference
    from ...seedream_api.jobs.job import Job
    from ...seedream_api.jobs.session import Session

T = TypeVar("T")

BALANCE_EVENT = "seedream.balance"
"""Sent when the balance and the recorded costs differ: a text in ``en`` and ``zh``."""
QUIT_PATIENCE_S = 4.0
"""How long the end of ComfyUI waits for responses to requests in progress."""

_register_at_exit: Callable[[Callable[[], None]], object] = getattr(
    threading, "_register_atexit", atexit.register
)
"""``atexit`` is too late: thread pools take no more work then, so no response can be recorded."""


class BackgroundLoop:
    """An event loop in a daemon thread, and the sessions on it."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(_log_loop_error)
        self.sessions = SessionPool(_watch_session)
        self._thread = threading.Thread(target=self.loop.run_forever, name="seedream", daemon=True)
        self._thread.start()
        _register_at_exit(self._end)

    def _end(self) -> None:
        if os.getpid() != self.pid:
            return  # a forked child: only its parent has the loop's thread

        async def close_all() -> None:
            await self.sessions.close(patience_s=QUIT_PATIENCE_S)
            rest = asyncio.all_tasks() - {asyncio.current_task()}
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)

        closing = asyncio.run_coroutine_threadsafe(close_all(), self.loop)
        with contextlib.suppress(concurrent.futures.TimeoutError, RuntimeError):
            closing.result(timeout=QUIT_PATIENCE_S + 2.0)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout=5.0)
        if not self._thread.is_alive():
            self.loop.close()


def _log_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log with the pack's logger, whose filter makes the text encodable."""
    log.error("%s", context.get("message"), exc_info=context.get("exception"))


_own: BackgroundLoop | None = None
_own_lock = threading.Lock()
_inherited: list[BackgroundLoop] = []
"""In a forked child: its parents' loops, kept until the child ends. Closing one would remove
sockets from the epoll object that the parent still waits on."""


def get_loop() -> BackgroundLoop:
    """Return the pack's loop; start it when it is first needed."""
    global _own
    with _own_lock:
        if _own is None:
            _own = BackgroundLoop()
        return _own


async def run_in_session(job: Callable[[Session], Awaitable[T]]) -> T:
    """Run a short job on the pack's loop for a route of ComfyUI's server.

    The session's lease imports the client's modules, as :func:`run_on_loop` does.

    Raises:
        SeedreamError: whatever the job raised, or why no session can be opened.
    """

    async def work() -> T:
        async with get_loop().sessions.lease() as session:
            return await job(session)

    return await _submit(work())


async def start_in_session(job: Callable[[Session], Awaitable[object]], *, wait_s: float) -> None:
    """Start a long job on the pack's loop and wait a moment for it; afterwards it continues alone.

    Args:
        wait_s: seconds in which an error is still raised; a later one is in the job's row.

    Raises:
        SeedreamError: whatever the job raised within ``wait_s``.
    """

    async def work() -> None:
        async with get_loop().sessions.lease() as session:
            await job(session)

    running = asyncio.run_coroutine_threadsafe(work(), get_loop().loop)
    running.add_done_callback(_note_late_end)
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(running)), wait_s)


def _note_late_end(running: concurrent.futures.Future[None]) -> None:
    if not running.cancelled() and (error := running.exception()) is not None:
        log.debug("a job that a browser started ended with: %s", error)


async def run_on_loop(job: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a job that needs no session on the pack's loop for a route of ComfyUI's server.

    The client's modules are imported before, in a thread: neither loop stands still for that half
    second. A job imports inside what it needs of the client.
    """

    async def work() -> T:
        await asyncio.to_thread(import_client)
        return await job()

    return await _submit(work())


def _submit(work: Coroutine[Any, Any, T]) -> Awaitable[T]:
    return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, get_loop().loop))


# --- browsers -----------------------------------------------------------------------------------


def _watch_session(session: Session) -> TaskEvents | None:
    """Send this session's changes to browsers, and read the balance after its charged runs.

    Neither if ComfyUI serves several users.
    """
    if is_multi_user():
        return None
    from ...seedream_api.jobs.balances import BalanceWatch

    live = TaskEvents(session, send_event)
    balances = BalanceWatch(session, _report_difference)

    def note_change(job: Job) -> None:
        live.note_change(job)
        balances.note_change(job)

    session.on_change = note_change
    return live


def _report_difference(difference: Difference) -> None:
    """Show browsers and the log that the balance fell by more or less than was recorded."""
    text = difference.describe()
    log.warning("%s", text)
    send_event(BALANCE_EVENT, text_json(text))


def is_multi_user() -> bool:
    """Tell whether ComfyUI serves several users, who must not see each other's tasks."""
    return bool(args.multi_user)


def send_event(event: str, data: dict[str, Any]) -> None:
    """Send an event to every open browser; callable from any thread."""
    server: Any = getattr(PromptServer, "instance", None)
    if server is not None:
        server.send_sync(event, data)


# --- the process: signals and forks -------------------------------------------------------------

_ENDING_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""``docker stop`` and systemd send SIGTERM, a closing terminal SIGHUP."""


def handle_end_signals() -> None:
    """Make SIGTERM and SIGHUP end ComfyUI as Ctrl-C does instead of killing it.

    Keep a handler that another pack or program has set. Only the main thread can set one.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in _ENDING_SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Do what Ctrl-C does. A second signal kills the process, as without this pack."""
    _restore_signals()
    on_ctrl_c = signal.getsignal(signal.SIGINT)
    if not callable(on_ctrl_c):  # a shell ignores SIGINT in background jobs
        raise KeyboardInterrupt
    on_ctrl_c(signal.SIGINT, frame)


def _restore_signals() -> None:
    for number in _ENDING_SIGNALS:
        if signal.getsignal(number) is _interrupt:
            signal.signal(number, signal.SIG_DFL)


def _reset_in_child() -> None:
    """Reset a forked child as if the pack had never run: it may start another loop."""
    global _own, _own_lock
    _own_lock = threading.Lock()  # another thread of the parent may have held it
    if _own is not None:
        _inherited.append(_own)
        _own = None
    _restore_signals()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_in_child)
