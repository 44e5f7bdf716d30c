"""Waiting on ComfyUI's loop for work on the pack's own."""

from __future__ import annotations

import asyncio
import importlib
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def runtime(pack: ModuleType) -> Any:
    return importlib.import_module(f"{pack.__name__}.nodes.host.runtime")


@pytest.mark.parametrize("turns", range(6))
def test_cancellation_at_the_end_of_the_wait_is_not_swallowed(runtime: Any, turns: int) -> None:
    async def prompt() -> bool:
        event = asyncio.Event()
        waiting = asyncio.ensure_future(runtime._wait(event, 10.0))
        for _ in range(3):
            await asyncio.sleep(0)
        event.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        was_in_time = waiting.cancel()
        await asyncio.wait({waiting})
        return waiting.cancelled() == was_in_time

    assert asyncio.run(prompt())
