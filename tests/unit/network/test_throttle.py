"""The gate: a bounded number at a time, in order; a 429 holds everyone back."""

from __future__ import annotations

import asyncio

import pytest

from seedream_api.network.clock import Clock
from seedream_api.network.throttle import Throttle


class Time:
    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


async def settled() -> None:
    """Let every task that can run reach its next wait."""
    for _ in range(50):
        await asyncio.sleep(0)


def test_throttle_limits_entries_and_keeps_order() -> None:
    async def run() -> None:
        time = Time()
        gate = Throttle(2, clock=Clock(time.clock, time.sleep))
        inside: list[int] = []
        entered: list[int] = []
        doors = [asyncio.Event() for _ in range(6)]

        async def one(number: int) -> None:
            async with gate.slot():
                inside.append(number)
                entered.append(number)
                await doors[number].wait()
                inside.remove(number)

        tasks = [asyncio.create_task(one(number)) for number in range(6)]
        await settled()
        assert inside == [0, 1]
        doors[1].set()
        await settled()
        assert inside == [0, 2]
        for door in doors:
            door.set()
        await asyncio.gather(*tasks)
        assert entered == [0, 1, 2, 3, 4, 5]

    asyncio.run(run())


def test_slot_is_released_on_failure_or_cancel() -> None:
    async def run() -> None:
        time = Time()
        gate = Throttle(1, clock=Clock(time.clock, time.sleep))
        with pytest.raises(RuntimeError):
            async with gate.slot():
                raise RuntimeError
        started = asyncio.Event()

        async def held() -> None:
            async with gate.slot():
                started.set()
                await asyncio.Event().wait()

        holder = asyncio.create_task(held())
        await started.wait()
        waiting = asyncio.create_task(held())
        await settled()
        waiting.cancel()
        holder.cancel()
        await asyncio.gather(holder, waiting, return_exceptions=True)
        async with gate.slot():
            pass

    asyncio.run(run())


def test_holding_back_keeps_everyone_out_for_its_time() -> None:
    async def run() -> None:
        time = Time()
        gate = Throttle(3, clock=Clock(time.clock, time.sleep))
        async with gate.slot():
            assert time.now == 0.0
            gate.pause_for(5.0)
        async with gate.slot():
            assert time.now == 5.0
        async with gate.slot():
            assert time.now == 5.0 and time.slept == [5.0]

    asyncio.run(run())


def test_pause_is_extended_but_never_shortened() -> None:
    async def run() -> None:
        time = Time()
        gate = Throttle(1, clock=Clock(time.clock, time.sleep))
        gate.pause_for(10.0)
        gate.pause_for(2.0)
        async with gate.slot():
            assert time.now == 10.0

        class Extended(Time):
            async def sleep(self, seconds: float) -> None:
                await super().sleep(seconds)
                if len(self.slept) == 1:
                    gate.pause_for(7.0)

        later = Extended()
        gate = Throttle(1, clock=Clock(later.clock, later.sleep))
        gate.pause_for(3.0)
        async with gate.slot():
            assert later.now == 10.0 and later.slept == [3.0, 7.0]

    asyncio.run(run())


def test_hold_of_a_part_of_a_second_is_kept_too() -> None:
    async def run() -> None:
        time = Time()
        gate = Throttle(1, clock=Clock(time.clock, time.sleep))
        gate.pause_for(0.25)
        async with gate.slot():
            assert time.now == 0.25

    asyncio.run(run())


def test_released_place_lets_the_next_one_in_once() -> None:
    async def run() -> None:
        time = Time()
        gate = Throttle(1, clock=Clock(time.clock, time.sleep))
        inside: list[int] = []

        async def one(number: int) -> None:
            async with gate.slot():
                inside.append(number)
                await asyncio.Event().wait()

        async with gate.slot() as place:
            tasks = [asyncio.create_task(one(number)) for number in range(2)]
            place.release()
            place.release()
            await settled()
            assert inside == [0]
        await settled()
        assert inside == [0]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(run())


def test_waiting_requests_learn_their_place_in_the_queue() -> None:
    async def run() -> None:
        time = Time()
        gate = Throttle(1, clock=Clock(time.clock, time.sleep))
        places: dict[int, list[int]] = {number: [] for number in range(4)}
        leave = asyncio.Event()

        async def one(number: int) -> None:
            async with gate.slot(on_wait=places[number].append):
                await leave.wait()

        tasks = [asyncio.create_task(one(number)) for number in range(4)]
        await settled()
        assert places == {0: [], 1: [1], 2: [2], 3: [3]}
        tasks[1].cancel()
        await settled()
        assert places == {0: [], 1: [1], 2: [2, 1], 3: [3, 2]}
        leave.set()
        await asyncio.wait(tasks)
        assert places == {0: [], 1: [1], 2: [2, 1, 0], 3: [3, 2, 1, 0]}

    asyncio.run(run())
