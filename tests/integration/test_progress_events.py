"""What a request reports: every step as it begins, every change after it is recorded."""

from __future__ import annotations

import asyncio
import sqlite3
from itertools import groupby
from typing import Any

import numpy as np
import pytest

from seedream_api import (
    Charge,
    InvalidRequest,
    Origin,
    WaitTimedOut,
    collect,
    collect_all,
    generate,
    pixels_reference,
)
from seedream_api.jobs.results import Phase, Progress
from seedream_api.jobs.runner import OTHER_OWNER_PAUSE_S
from seedream_api.service.polling import SLOWEST_S
from support.async_helpers import cancelled, soon
from support.fake_service import Json
from support.sample_requests import BOTH, NOW_5, cat


def picture(grey: int = 0) -> Any:
    return pixels_reference(np.full((20, 20, 3), grey, np.uint8), "grey")


# ---- steps ----


def test_every_step_of_a_task_is_reported_as_it_begins(api_client: Any) -> None:
    api_client.sandbox.faults.push("task", Json({"id": "x", "status": "queued"}))
    api_client.sandbox.faults.push(
        "task", Json({"id": "x", "status": "running", "progress": "50%"})
    )
    told: list[Progress] = []
    result = api_client.generate(picture(), progress=told.append)
    assert told[0] == Progress(Phase.PREPARING, 0.0)
    task = result.task_id
    assert [
        (step.phase.value, step.task_id, step.word, step.percent, step.done, step.total)
        for step in told[1:]
    ] == [
        ("uploading", None, "", None, 0, 0),
        ("uploading", None, "", None, 1, 1),
        ("submitting", None, "", None, 0, 0),
        ("queued", task, "", None, 0, 0),
        ("queued", task, "queued", None, 0, 0),
        ("processing", task, "running", 50.0, 0, 0),
        ("processing", task, "completed", None, 0, 0),
        ("downloading", task, "", None, 0, 1),
        ("downloading", task, "", None, 1, 1),
    ]
    seconds = [step.seconds for step in told]
    assert seconds == sorted(seconds) and 2.0 <= seconds[-1] < 60.0


def test_without_references_it_is_submitted_at_once(api_client: Any) -> None:
    told: list[Progress] = []
    api_client.generate(model=NOW_5, progress=told.append)
    phases = [step.phase for step in told]
    assert phases == [Phase.PREPARING, *[Phase.SUBMITTING] * 2, *[Phase.DOWNLOADING] * 2]


def test_every_change_is_reported_after_it_is_recorded(api_client: Any) -> None:
    seen: list[tuple[str, bool]] = []

    def look(_: Any) -> None:
        with sqlite3.connect(api_client.home / "ledger.sqlite") as db:
            [(state, owner)] = db.execute("SELECT state, owner FROM requests").fetchall()
        db.close()
        seen.append((state, owner is not None))

    async def road(session: Any) -> None:
        session.on_change = look
        api_client.sandbox.hold()
        task = asyncio.create_task(generate(cat(), session))
        await soon(lambda: api_client.sent)
        assert seen[-1] == ("sending", True)  # as soon as it was sent, and not with the next step
        api_client.sandbox.release()
        await task

    api_client.run(road)
    assert [one for one, _ in groupby(seen)] == [
        ("intended", True), ("sending", True), ("accepted", True), ("answered", True),
        ("completed", True), ("completed", False),
    ]  # fmt: skip


def test_step_is_reported_to_the_session_too(api_client: Any) -> None:
    phases: list[Phase] = []

    async def road(session: Any) -> None:
        session.on_change = lambda work: phases.append(work.latest.phase)
        await generate(cat(), session)

    api_client.run(road)
    assert [one for one, _ in groupby(phases)] == [
        Phase.SUBMITTING, Phase.QUEUED, Phase.PROCESSING, Phase.DOWNLOADING
    ]  # fmt: skip


def test_waiter_that_left_gets_no_more_progress(api_client: Any) -> None:
    told: list[Progress] = []

    async def road(session: Any) -> Any:
        await generate(cat(), session, wait=False, progress=told.append)
        before = len(told)
        result = await generate(cat(), session)
        assert len(told) == before
        return result

    assert len(api_client.run(road).images) == 1 and api_client.sent == 1


# ---- who waits for another ----


def test_work_of_another_is_waited_for_with_pauses(api_client: Any) -> None:
    told: list[Progress] = []

    async def road(session: Any) -> list[Any]:
        api_client.sandbox.hold()
        async with api_client.session() as other:
            first = asyncio.create_task(generate(cat(NOW_5), session))
            await soon(lambda: api_client.sent)
            second = asyncio.create_task(generate(cat(NOW_5), other, progress=told.append))
            await soon(lambda: len(told) > 3)
            api_client.sandbox.release()
            return await asyncio.gather(first, second)

    first, second = api_client.run(road)
    assert first.images == second.images and api_client.sent == 1
    assert (second.origin, second.charged_images) == (Origin.JOINED, 0)
    assert {step.phase for step in told[1:4]} == {Phase.WAITING}
    assert set(api_client.clock.pauses) == {OTHER_OWNER_PAUSE_S}


def test_single_poll_does_not_wait_behind_a_waiting_job(
    make_sandbox: Any, make_api_client: Any
) -> None:
    api_client = make_api_client(make_sandbox(task_seconds=1000))

    async def road(session: Any) -> Any:
        task_id = (await generate(cat(), session, wait=False)).task_id
        async with api_client.session(real_time=True) as other:
            told: list[Progress] = []
            waiting = asyncio.create_task(collect(task_id, other, progress=told.append))
            await soon(lambda: Phase.WAITING in {step.phase for step in told})
            looked = await asyncio.wait_for(collect(task_id, other, wait=False), 10)
            await cancelled(waiting)
            return looked

    assert api_client.run(road, real_time=True).status == "pending" and api_client.sent == 1


def test_waiter_that_times_out_gets_the_running_task(
    make_sandbox: Any, make_api_client: Any
) -> None:
    api_client = make_api_client(make_sandbox(task_seconds=1000))

    async def road(session: Any) -> WaitTimedOut:
        task_id = (await generate(cat(), session, wait=False)).task_id
        async with api_client.session(real_time=True) as other:
            with pytest.raises(WaitTimedOut) as caught:
                await generate(cat(), other, timeout_s=0.1)
        assert caught.value.task_id == task_id
        return caught.value

    assert api_client.run(road, real_time=True).charge is Charge.RUNNING and api_client.sent == 1


def test_two_callers_of_one_row_share_one_job(make_sandbox: Any, make_api_client: Any) -> None:
    """By its task and by its inputs: the second waits for the first and sends nothing."""
    api_client = make_api_client(make_sandbox(task_seconds=1000))
    task_id = api_client.generate(wait=False).task_id

    async def road(session: Any) -> list[Any]:
        claims: list[Any] = []
        claim = session.ledger.claim
        session.ledger.claim = lambda *args, **more: claims.append(args) or claim(*args, **more)
        told: list[Progress] = []
        first = asyncio.create_task(collect(task_id, session))
        await soon(lambda: any(work.row for work in session.running_jobs.values()))
        second = asyncio.create_task(generate(cat(), session, progress=told.append))
        await soon(lambda: Phase.WAITING in {step.phase for step in told})
        assert told[-1].task_id == task_id
        api_client.sandbox.finish_tasks()
        both = await asyncio.gather(first, second)
        assert len(claims) == 2
        return both

    first, second = api_client.run(road)
    assert first.images == second.images and api_client.sent == 1
    assert (first.charged_images, second.charged_images) == (0, 0)


# ---- how often is looked ----


def test_task_is_polled_rarely_before_its_usual_duration(api_client: Any) -> None:
    running = Json({"id": "x", "status": "running"})
    api_client.sandbox.faults.push("task", running, times=30)
    api_client.generate(seed=1)
    assert api_client.clock.pauses[0] == 1.0  # nothing is known about the model
    api_client.clock.pauses.clear()
    api_client.sandbox.faults.push("task", running, times=2)
    api_client.generate(seed=2)
    assert api_client.clock.pauses[0] == SLOWEST_S


# ---- callbacks that fail ----


@BOTH
def test_failing_callback_fails_no_job(api_client: Any, model: str) -> None:
    told: list[Progress] = []

    def fail(step: Progress) -> None:
        raise ZeroDivisionError

    async def both(session: Any) -> list[Any]:
        session.on_change = fail
        calls = (generate(cat(model), session, progress=one) for one in (fail, told.append))
        return await asyncio.gather(*calls)

    first, second = api_client.run(both)
    assert first.images == second.images and told and api_client.sent == 1


async def awaited(*step: object) -> None:
    raise AssertionError(step)


@pytest.mark.parametrize(
    "wrong",
    [
        {"progress": awaited},
        {"progress": lambda *step: awaited(*step)},
        {"progress": 5},
        {"timeout_s": float("nan")},
        {"timeout_s": 0},
    ],
)
def test_wrong_arguments_are_refused_before_sending(api_client: Any, wrong: dict[str, Any]) -> None:
    async def whole(session: Any) -> None:
        with pytest.raises(InvalidRequest):
            await generate(cat(), session, **wrong)
        with pytest.raises(InvalidRequest):
            await collect_all("task-1", session, **wrong)
        await soon(lambda: not session.running_jobs)

    api_client.run(whole)
    assert not api_client.sandbox.requests and set(api_client.states) <= {"withdrawn", "accepted"}


def test_wrong_kinds_of_arguments_are_refused(api_client: Any) -> None:
    async def whole(session: Any) -> None:
        wrong: Any
        for wrong in ("A cat", None, {"prompt": "A cat"}):
            with pytest.raises(InvalidRequest):
                await generate(wrong, session)
        for wrong in (None, 5, b"task-1", ["task-1"]):
            with pytest.raises(InvalidRequest):
                await collect(wrong, session)
            with pytest.raises(InvalidRequest):
                await collect_all([wrong], session)

    api_client.run(whole)
    assert not api_client.sandbox.requests
