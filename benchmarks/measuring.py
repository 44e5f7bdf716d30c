"""Measure one row in a new process: time, peak memory, the longest stall of its loop."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil  # here, for its import would stall the loop that is measured

MIB = 1024 * 1024
_BEAT_S = 0.002


@dataclass(frozen=True)
class Measured:
    """One run. ``growth`` is peak memory above the beginning, in bytes."""

    seconds: float
    growth: int
    stall_s: float


def resident() -> int:
    """Bytes of memory in use by this process."""
    return psutil.Process().memory_info().rss


class Peak:
    """The most memory in use while it is entered, above the beginning."""

    def __enter__(self) -> Peak:
        self._done = threading.Event()
        self._begun = self._most = resident()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._done.wait(0.003):
            self._most = max(self._most, me.memory_info().rss)

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def growth(self) -> int:
        return max(self._most, resident()) - self._begun


async def _longest_stall(until: asyncio.Event) -> float:
    """How late a task that asks for every other millisecond is at most."""
    longest = 0.0
    while not until.is_set():
        begun = time.perf_counter()
        await asyncio.sleep(_BEAT_S)
        longest = max(longest, time.perf_counter() - begun - _BEAT_S)
    return longest


def touch_memory(size: int) -> None:
    """Write to so many bytes and free them: a virtual machine gets memory that it has not used
    lately from its host, at seconds a gigabyte, and that is not what is measured."""
    import numpy as np

    np.empty(size, np.uint8).fill(1)


async def measured(work: Callable[[], Awaitable[Any]], *, needs: int) -> Measured:
    """Do ``work``, which takes about ``needs`` bytes, once on the running loop."""
    touch_memory(needs)
    done = asyncio.Event()
    watching = asyncio.create_task(_longest_stall(done))
    await asyncio.sleep(0.05)
    with Peak() as peak:
        begun = time.perf_counter()
        result = await work()
        seconds = time.perf_counter() - begun
    growth = peak.growth
    done.set()
    stall = await watching
    del result
    return Measured(seconds, growth, stall)


def tell(found: Measured) -> None:
    """Print a row's figures for the process that asked."""
    print(json.dumps(asdict(found)))


def in_its_own_process(script: Path, *arguments: str) -> Measured:
    answer = subprocess.run(  # noqa: S603
        [sys.executable, str(script), *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    return Measured(**json.loads(answer.stdout.splitlines()[-1]))
