"""Limits that all requests of one process share: how many at once, and a pause after a 429."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager


class Gate:
    """Lets a bounded number through at a time, in order of arrival; a 429 holds everyone back.

    Args:
        places: how many may be inside at once.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        places: int,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._places = asyncio.Semaphore(places)
        self._clock = clock
        self._sleep = sleep
        self._not_before = 0.0

    def hold_back(self, seconds: float) -> None:
        """Nobody enters for this long."""
        self._not_before = max(self._not_before, self._clock() + seconds)

    @asynccontextmanager
    async def place(self) -> AsyncGenerator[None]:
        """A place inside, once one is free and nobody is held back."""
        async with self._places:
            while (pause := self._not_before - self._clock()) > 0:
                await self._sleep(pause)
            yield
