"""The pack's own event loop in a thread, from its start to the end of the process.

ComfyUI gives every prompt an event loop of its own and closes it with everything in it when one
node fails. Paid work therefore runs on a loop that only the end of the process closes.

At that end, also by SIGTERM, the loop waits for the responses to what was sent. A forked child of
this process (a DataLoader's worker, say) inherits the loop without its thread: there nothing of it
is used, closed or waited for.
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
from ..web.settings import log
from .sessions import SessionPool

if TYPE_CHECKING:
    from ...seedream_api.jobs.session import Session

T = TypeVar("T")

QUIT_PATIENCE_S = 4.0
"""How long ComfyUI's end waits for the responses to requests that are on their way."""

_register_at_exit: Callable[[Callable[[], None]], object] = getattr(
    threading, "_register_atexit", atexit.register
)
"""At the time of ``atexit`` no thread pool takes work any more, and without one no response can be
written down."""


class BackgroundLoop:
    """An event loop in a daemon thread, and the sessions on it."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(_log_loop_error)
        self.sessions = SessionPool(_follow)
        self._thread = threading.Thread(target=self.loop.run_forever, name="seedream", daemon=True)
        self._thread.start()
        _register_at_exit(self._end)

    def _end(self) -> None:
        if os.getpid() != self.pid:
            return  # a forked child: the loop's thread runs in its parent alone

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
    """Log by our own logger, whose text every stream can hold."""
    log.error("%s", context.get("message"), exc_info=context.get("exception"))


_own: BackgroundLoop | None = None
_own_lock = threading.Lock()
_inherited: list[BackgroundLoop] = []
"""In a forked child: its parents' loops. Closing one would take sockets out of the epoll object
that the parent still waits on, so they are kept until the child ends."""


def own_loop() -> BackgroundLoop:
    """The pack's loop, started when first needed."""
    global _own
    with _own_lock:
        if _own is None:
            _own = BackgroundLoop()
        return _own


async def run_in_session(job: Callable[[Session], Awaitable[T]]) -> T:
    """Run a short job on the pack's loop for a route of ComfyUI's server.

    Raises:
        SeedreamError: whatever the job raised, or why no session can be opened.
    """

    async def work() -> T:
        async with own_loop().sessions.lease() as session:
            return await job(session)

    return await on_own_loop(work)


async def on_own_loop(job: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a job that needs no session on the pack's loop for a route of ComfyUI's server."""
    work = asyncio.run_coroutine_threadsafe(job(), own_loop().loop)
    return await asyncio.wrap_future(work)


# --- browsers -----------------------------------------------------------------------------------


def _follow(session: Session) -> TaskEvents | None:
    """Tell browsers what becomes of this session's work, where they may know."""
    if is_multi_user():
        return None
    live = TaskEvents(session, send)
    session.on_change = live.changed
    return live


def is_multi_user() -> bool:
    """Whether ComfyUI serves several users, who are none of each other's business."""
    return bool(args.multi_user)


def send(event: str, data: dict[str, Any]) -> None:
    """Send every open browser an event; from any thread."""
    server: Any = getattr(PromptServer, "instance", None)
    if server is not None:
        server.send_sync(event, data)


# --- the process: signals and forks -------------------------------------------------------------

_ENDING_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""``docker stop`` and systemd send the first, a closing terminal the second."""


def end_by_signal_as_by_interrupt() -> None:
    """Let SIGTERM and SIGHUP end ComfyUI as Ctrl-C does, where they would kill it at once.

    A handler that another pack or program has set stays. Only the main thread can set one.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in _ENDING_SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Do what Ctrl-C does. A second signal kills, as before this pack was loaded."""
    _restore_signals()
    on_ctrl_c = signal.getsignal(signal.SIGINT)
    if not callable(on_ctrl_c):  # a shell starts background jobs with SIGINT ignored
        raise KeyboardInterrupt
    on_ctrl_c(signal.SIGINT, frame)


def _restore_signals() -> None:
    for number in _ENDING_SIGNALS:
        if signal.getsignal(number) is _interrupt:
            signal.signal(number, signal.SIG_DFL)


def _forget_in_child() -> None:
    """Leave a forked child as if the pack had never run: it may start a loop of its own."""
    global _own, _own_lock
    _own_lock = threading.Lock()  # another thread of the parent may have held it
    if _own is not None:
        _inherited.append(_own)
        _own = None
    _restore_signals()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
