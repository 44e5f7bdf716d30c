"""The time of a session: every wait, delay and recorded time comes from one clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """Tell the time and sleep; tests pass functions that need no time.

    Args:
        monotonic: returns seconds that never go back.
        sleep: sleeps for a number of seconds.
        now: returns wall-clock seconds, for times that are recorded or shown.
    """

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    now: Callable[[], float] = time.time


REAL = Clock()
