"""Wait for threads, cancel tasks, and hold a step, without sleeping in a test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from seedream_api import SeedreamError
from seedream_api.jobs.cancellation import interruption_of


async def soon(is_so: Callable[[], object]) -> None:
    """Wait until other threads make ``is_so`` true."""
    while not is_so():  # noqa: ASYNC110
        await asyncio.sleep(0.002)


async def cancelled(task: asyncio.Task[Any]) -> SeedreamError:
    """Cancel a task and return the error that its cancellation carries."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert task.cancelled()
    told = interruption_of(caught.value)
    assert str(told) in getattr(caught.value, "__notes__", [])
    return told


class Held:
    """Replace an asynchronous method by one that waits for ``let_go``.

    Args:
        only: hold only calls whose first argument has a name that starts with this.
    """

    def __init__(self, owner: Any, method: str, only: str = "") -> None:
        self._real, self._only = getattr(owner, method), only
        self.reached, self._may_go = asyncio.Event(), asyncio.Event()
        setattr(owner, method, self)

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self._only or args[0].__name__.startswith(self._only):
            self.reached.set()
            await self._may_go.wait()
        return await self._real(*args, **kwargs)

    def let_go(self) -> None:
        self._may_go.set()
