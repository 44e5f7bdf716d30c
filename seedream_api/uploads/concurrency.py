"""Run coroutines concurrently, and share the running task of equal work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(eq=False)
class _SharedTask(Generic[T]):
    task: asyncio.Task[T]
    waiters: int = 0


class SharedTasks(Generic[T]):
    """Running tasks by key, each shared by all callers that need its result."""

    def __init__(self) -> None:
        self._running: dict[Hashable, _SharedTask[T]] = {}

    async def run(self, key: Hashable, start: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Wait for the running task of ``key``, or start one.

        The task is cancelled when its last waiter leaves.
        """
        shared = self._running.get(key)
        if shared is None:
            shared = self._running[key] = _SharedTask(asyncio.create_task(start()))
            shared.task.add_done_callback(lambda task: self._forget(key, task))
        shared.waiters += 1
        try:
            return await asyncio.shield(shared.task)
        finally:
            shared.waiters -= 1
            if shared.waiters == 0 and not shared.task.done():
                self._running.pop(key, None)
                shared.task.cancel()

    def _forget(self, key: Hashable, task: asyncio.Task[T]) -> None:
        current = self._running.get(key)
        if current is not None and current.task is task:
            del self._running[key]
        if not task.cancelled():
            task.exception()  # mark it as retrieved, as its waiters may all have left


async def gather_or_cancel(coroutines: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Return all results in order; at the first failure, cancel the others and raise it."""
    tasks = [asyncio.ensure_future(one) for one in coroutines]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
