"""One poll in place of waiting: shared, throttled, and never behind a pause."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from seedream_api import (
    Session,
    collect,
    generate,
)
from seedream_api.jobs import steps
from seedream_api.network.clock import Clock
from seedream_api.service.polling import FASTEST_S, PollSchedule, PollThrottle
from support.async_helpers import cancelled, soon
from support.fake_service import Delay, Status
from support.sample_requests import cat


def test_single_poll_does_not_wait_for_a_foreign_process(
    make_sandbox: Any, make_api_client: Any
) -> None:
    api_client = make_api_client(make_sandbox(task_seconds=1000))

    async def road(session: Any) -> Any:
        waiting = asyncio.create_task(generate(cat(), session))
        await soon(lambda: any(w.accepted.done() for w in session.running_jobs.values()))
        [work] = session.running_jobs.values()
        async with api_client.session(real_time=True) as other:  # another ledger connection
            looked = await collect(work.row.task_id, other, wait=False)
        await cancelled(waiting)
        return looked

    assert api_client.run(road, real_time=True).status == "pending"


class Patient:
    """A clock on which a pause of a second passes at once, and a longer one never ends."""

    def __init__(self) -> None:
        self.at = 0.0
        self.is_pausing = False

    def __call__(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        if seconds > FASTEST_S:
            self.is_pausing = True
            await asyncio.Event().wait()
        self.at += seconds
        await asyncio.sleep(0)


@pytest.mark.parametrize("ends", [True, False])
def test_single_poll_skips_pauses_and_reads_once(
    make_sandbox: Any, make_api_client: Any, ends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Else a pause may follow a longer one, and be so short that it passes.
    monkeypatch.setattr(steps, "PollSchedule", partial(PollSchedule, jitter=lambda: 0.5))
    api_client, clock = make_api_client(make_sandbox(task_seconds=1000)), Patient()

    def looks() -> int:
        return sum(request.method == "GET" for request in api_client.sandbox.requests)

    async def road() -> Any:
        async with Session(api_client.settings(), clock=clock, sleep=clock.sleep) as session:
            first = await generate(cat(), session, wait=False)
            await soon(lambda: clock.is_pausing)
            before, at = looks(), clock.at
            if ends:
                api_client.sandbox.finish_tasks()
            wanted = [collect(first.task_id, session, wait=False) for _ in range(3)]
            results = await asyncio.wait_for(asyncio.gather(*wanted), 10)
            return results, looks() - before, clock.at - at

    results, read, waited = asyncio.run(road())
    assert {result.status for result in results} == {"completed" if ends else "pending"}
    # One read of the task serves all three, and one fetches the image.
    assert (read, api_client.sent) == (2 if ends else 1, 1) and waited <= FASTEST_S


def test_single_poll_does_not_wait_for_silent_service(
    make_sandbox: Any, make_api_client: Any
) -> None:
    api_client, clock = make_api_client(make_sandbox(task_seconds=1000)), Patient()

    async def road() -> Any:
        async with Session(api_client.settings(), clock=clock, sleep=clock.sleep) as session:
            api_client.sandbox.faults.push("task", Status(500), times=1000)
            first = await generate(cat(), session, wait=False)
            await soon(lambda: clock.is_pausing)
            return await asyncio.wait_for(collect(first.task_id, session, wait=False), 10)

    assert asyncio.run(road()).status == "pending" and api_client.sent == 1


def test_poll_from_before_the_end_is_not_shared_afterwards(
    make_sandbox: Any, make_api_client: Any
) -> None:
    api_client = make_api_client(make_sandbox(task_seconds=1000))

    async def road(session: Any) -> Any:
        api_client.sandbox.faults.push("task", Delay(0.2))  # after it has read "queued"
        first = await generate(cat(), session, wait=False)
        await soon(lambda: any(request.method == "GET" for request in api_client.sandbox.requests))
        api_client.sandbox.finish_tasks()
        return await collect(first.task_id, session, wait=False)

    assert api_client.run(road).status == "completed"


def test_task_is_polled_once_at_a_time_and_per_second(
    make_sandbox: Any, make_api_client: Any
) -> None:
    api_client = make_api_client(make_sandbox(task_seconds=1000))
    reads: list[tuple[float, int]] = []

    async def road(session: Any) -> None:
        look, under_way = session.client.get_task, 0

        async def counted(task_id: str) -> Any:
            nonlocal under_way
            under_way += 1
            reads.append((api_client.clock(), under_way))
            try:
                return await look(task_id)
            finally:
                under_way -= 1

        clock = api_client.clock
        session.resources.poll = PollThrottle(counted, clock=Clock(clock, clock.sleep))
        task_id = (await generate(cat(), session, wait=False)).task_id
        for _ in range(4):
            looks = (collect(task_id, session, wait=False) for _ in range(3))
            assert {one.status for one in await asyncio.gather(*looks)} == {"pending"}
        api_client.sandbox.finish_tasks()
        waits = (collect(task_id, session, wait=wait) for wait in (True, False, True))
        assert {one.status for one in await asyncio.gather(*waits)} == {"completed"}

    api_client.run(road)
    moments = [at for at, _ in reads]
    assert {count for _, count in reads} == {1} and len(reads) >= 5
    pauses = [later - sooner for sooner, later in pairwise(moments)]
    assert min(pauses) >= FASTEST_S
