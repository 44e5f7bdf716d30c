"""Polls that all jobs of a process share, and waits that are woken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from seedream_api.errors import TaskNotFound
from seedream_api.network.clock import REAL, Clock
from seedream_api.service.polling import (
    FASTEST_S,
    PollSchedule,
    PollSignal,
    PollThrottle,
    wait_for_task,
)
from seedream_api.service.task import Task
from support.polling_kit import not_found, read_failed, task

# ---- looks that all of a process share ----


class Desk:
    """A service whose polls take ``takes_s`` of made-up time."""

    def __init__(self, takes_s: float = 0.0) -> None:
        self.now, self.takes_s = 50.0, takes_s
        self.begun: list[tuple[str, float]] = []
        self.under_way = 0
        self.slept: list[float] = []
        self.looks = PollThrottle(self.look, clock=Clock(lambda: self.now, self.sleep))

    async def look(self, task_id: str) -> Task:
        self.under_way += 1
        assert self.under_way == 1
        self.begun.append((task_id, self.now - 50.0))
        await asyncio.sleep(0)
        self.now += self.takes_s
        self.under_way -= 1
        if task_id == "gone":
            raise not_found()
        return task("queued")

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_looks_at_one_task_are_a_second_apart_and_one_at_a_time() -> None:
    desk = Desk(0.25)

    async def run() -> None:
        await asyncio.gather(*(desk.looks("task-1") for _ in range(3)))
        await desk.looks("task-1")

    asyncio.run(run())
    assert [at for _, at in desk.begun] == [0.0, 1.0, 2.0, 3.0]
    assert desk.slept == [0.75, 0.75, 0.75]


def test_poll_after_the_interval_does_not_wait() -> None:
    desk = Desk()

    async def run() -> None:
        await desk.looks("task-1")
        desk.now += FASTEST_S
        await desk.looks("task-1")

    asyncio.run(run())
    assert desk.slept == []


def test_another_task_is_looked_at_at_once() -> None:
    desk = Desk()

    async def run() -> None:
        for name in ("task-1", "task-2", "task-3"):
            await desk.looks(name)

    asyncio.run(run())
    assert desk.slept == [] and [at for _, at in desk.begun] == [0.0] * 3


def test_failed_poll_counts_and_blocks_no_other() -> None:
    desk = Desk()

    async def run() -> None:
        for _ in range(2):
            with pytest.raises(TaskNotFound):
                await desk.looks("gone")

    asyncio.run(run())
    assert [at for _, at in desk.begun] == [0.0, 1.0]


def test_throttle_drops_tasks_that_are_not_polled_any_more() -> None:
    desk = Desk()

    async def run() -> None:
        for number in range(50):
            await desk.looks(f"task-{number}")
            desk.now += 0.5

    asyncio.run(run())
    assert len(desk.looks._turns) <= 2


def test_who_waits_for_a_long_look_is_not_forgotten() -> None:
    desk = Desk(5.0)

    async def one_task() -> None:
        await asyncio.gather(*(desk.looks("task-1") for _ in range(3)))

    asyncio.run(one_task())
    assert [at for _, at in desk.begun] == [0.0, 5.0, 10.0]


def test_poll_started_is_signalled_when_its_turn_comes() -> None:
    desk = Desk(0.25)
    told: list[float] = []

    async def run() -> None:
        for _ in range(2):
            await desk.looks("task-1", lambda: told.append(desk.now - 50.0))

    asyncio.run(run())
    assert told == [0.0, 1.0]


# ---- a wait that others hurry ----


def watched(steps: Callable[[PollSignal], None]) -> list[bool | None]:
    """What two callers know after ``steps``; one calls before, one after a poll has begun."""

    async def run() -> list[bool | None]:
        watch = PollSignal(REAL)
        before = watch.request_poll()
        watch.poll_started()
        after = watch.request_poll()
        steps(watch)
        return [asked.result() if asked.done() else None for asked in (before, after)]

    return asyncio.run(run())


def test_poll_serves_requests_made_before_it_started() -> None:
    assert watched(lambda watch: watch.poll_finished(still_runs=True)) == [True, None]
    assert watched(lambda watch: watch.poll_finished(still_runs=False)) == [False, None]
    assert watched(lambda watch: watch.poll_failed()) == [True, None]
    assert watched(lambda watch: watch.polled_elsewhere()) == [True, True]

    def twice(watch: PollSignal) -> None:
        watch.poll_finished(still_runs=True)
        watch.poll_started()
        watch.poll_finished(still_runs=False)

    assert watched(twice) == [True, False]


def test_task_counts_as_running_while_service_is_silent() -> None:
    async def run() -> None:
        watch = PollSignal(REAL)
        watch.poll_started()
        watch.poll_failed()
        assert watch.request_poll().result() is True
        doze = asyncio.create_task(watch.sleep_until_woken(1_000.0))
        await asyncio.sleep(0.01)
        assert not doze.done()  # no poll comes sooner for that
        doze.cancel()
        watch.poll_started()
        watch.poll_finished(still_runs=True)
        assert not watch.request_poll().done()

    asyncio.run(run())


def test_pause_ends_after_its_time_or_at_a_request() -> None:
    async def run() -> None:
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            await asyncio.sleep(0 if seconds < 100 else 1_000)

        watch = PollSignal(Clock(sleep=sleep))
        await watch.sleep_until_woken(7.0)
        dozing = asyncio.create_task(watch.sleep_until_woken(200.0))
        await asyncio.sleep(0)
        watch.request_poll()
        await asyncio.wait_for(dozing, 5)
        assert slept == [7.0, 200.0]
        watch.poll_started()
        dozing = asyncio.create_task(watch.sleep_until_woken(200.0))
        await asyncio.sleep(0.01)
        assert not dozing.done()  # that request was served
        dozing.cancel()
        await asyncio.gather(dozing, return_exceptions=True)
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1  # no pause is left behind

    asyncio.run(run())


def test_only_pauses_between_good_looks_can_be_cut_short() -> None:
    dozed: list[float] = []
    slept: list[float] = []
    found = iter([task("queued"), read_failed(30.0), not_found(), task("completed")])
    now = 0.0

    async def look() -> Task:
        one = next(found)
        if isinstance(one, Exception):
            raise one
        return one

    async def doze(seconds: float) -> None:
        dozed.append(seconds)

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    asyncio.run(
        wait_for_task(
            look, task_id="task-1", schedule=PollSchedule(), timeout_s=100,
            clock=Clock(lambda: now, sleep), sleep_until_woken=doze,
        )
    )  # fmt: skip
    assert len(dozed) == 2 and len(slept) == 1 and slept[0] >= 30
