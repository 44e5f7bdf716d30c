"""Limits that all requests of a process share: how many at once, and a pause after a 429."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from .clock import Clock


class Slot:
    """A slot of a throttle, held until it is released."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places = places
        self._is_held = True

    def release(self) -> None:
        """Release the slot for the next request; may be called early, and more than once."""
        if self._is_held:
            self._is_held = False
            self._places.release()


class Throttle:
    """Limits how many requests run at a time, in order of arrival; a 429 pauses all of them.

    Args:
        places: how many may run at once.
    """

    def __init__(self, places: int, *, clock: Clock) -> None:
        self._places = asyncio.Semaphore(places)
        self._clock = clock
        self._not_before = 0.0

    def pause_for(self, seconds: float) -> None:
        """Start no request for this long."""
        self._not_before = max(self._not_before, self._clock.monotonic() + seconds)

    @asynccontextmanager
    async def slot(self, *, at_most_s: float | None = None) -> AsyncGenerator[Slot]:
        """Wait for a free slot and for the end of a pause, and hold the slot for the block.

        Args:
            at_most_s: seconds after which the slot is released even if the block still runs.
        """
        await self._places.acquire()
        place = Slot(self._places)
        timer = None
        try:
            while (pause := self._not_before - self._clock.monotonic()) > 0:
                await self._clock.sleep(pause)
            if at_most_s is not None:
                timer = asyncio.get_running_loop().call_later(at_most_s, place.release)
            yield place
        finally:
            if timer is not None:
                timer.cancel()
            place.release()
