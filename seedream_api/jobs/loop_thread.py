"""An event loop in a thread, for programs without one."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from ..errors import InvalidRequest, SeedreamError
from .cancellation import interruption_of

T = TypeVar("T")

_CANCEL_S = 10.0
"""How long a cancelled coroutine may take to say what it has sent."""


class LoopThread:
    """A started thread that runs an event loop until :meth:`stop`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._process = os.getpid()
        # A program that ends without closing must not wait forever.
        self._thread = threading.Thread(target=self._run_loop, name="seedream", daemon=True)
        self._thread.start()

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
        finally:
            self._loop.close()

    @property
    def is_stopped(self) -> bool:
        """Whether the loop has ended, or runs in another process."""
        return self._loop.is_closed() or self._process != os.getpid()

    def check_usable(self) -> None:
        """Check that :meth:`run` would not wait forever.

        Raises:
            InvalidRequest: the loop has ended, this process was forked from the one that has it, or
                this is its own thread.
        """
        if self._process != os.getpid():
            raise InvalidRequest("session_other_process")
        if self._loop.is_closed():
            raise InvalidRequest("session_used")
        if threading.current_thread() is self._thread:
            raise InvalidRequest("session_in_callback")

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and wait for it.

        An exception that ends the wait, such as Ctrl-C, cancels the coroutine; a note on it says
        what was sent.
        """
        ended = threading.Event()
        interruptions: list[SeedreamError] = []

        async def watched() -> T:
            try:
                return await coroutine
            except asyncio.CancelledError as error:
                interruptions.append(interruption_of(error))
                raise
            finally:
                ended.set()

        future = asyncio.run_coroutine_threadsafe(watched(), self._loop)
        try:
            return future.result()
        except BaseException as error:
            if future.cancel():
                ended.wait(_CANCEL_S)
                notes = [*getattr(error, "__notes__", ()), *map(str, interruptions)]
                vars(error).update(__notes__=notes)  # Python 3.10 has no add_note
            raise

    def stop(self) -> None:
        """Wait for what still runs, and end the loop and the thread."""
        if not self._thread.is_alive():
            return

        async def finish() -> None:
            await asyncio.wait({asyncio.create_task(asyncio.sleep(0))} | self._other_tasks())
            self._loop.stop()

        asyncio.run_coroutine_threadsafe(finish(), self._loop)
        self._thread.join()

    def _other_tasks(self) -> set[asyncio.Task[Any]]:
        own = asyncio.current_task()
        return {task for task in asyncio.all_tasks() if task is not own}
