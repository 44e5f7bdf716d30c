"""What a request tells on its way: every step as it begins, every change as it is written down."""

from __future__ import annotations

import asyncio
import sqlite3
from itertools import groupby
from typing import Any

import numpy as np
import pytest
from waiting import cancelled, soon
from wishes import BOTH, NOW_5, cat

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
from seedream_api.sandbox import Json
from seedream_api.service.polling import SLOWEST_S


def picture(grey: int = 0) -> Any:
    return pixels_reference(np.full((20, 20, 3), grey, np.uint8), "grey")


# ---- steps ----


def test_every_step_of_a_task_is_told_as_it_begins(customer: Any) -> None:
    customer.sandbox.faults.push("task", Json({"id": "x", "status": "queued"}))
    customer.sandbox.faults.push("task", Json({"id": "x", "status": "running", "progress": "50%"}))
    told: list[Progress] = []
    result = customer.generate(picture(), progress=told.append)
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


def test_without_references_it_is_submitted_at_once(customer: Any) -> None:
    told: list[Progress] = []
    customer.generate(model=NOW_5, progress=told.append)
    phases = [step.phase for step in told]
    assert phases == [Phase.PREPARING, *[Phase.SUBMITTING] * 2, *[Phase.DOWNLOADING] * 2]


def test_every_change_is_told_once_it_is_written_down(customer: Any) -> None:
    seen: list[tuple[str, bool]] = []

    def look(_: Any) -> None:
        with sqlite3.connect(customer.home / "ledger.sqlite") as db:
            [(state, owner)] = db.execute("SELECT state, owner FROM requests").fetchall()
        db.close()
        seen.append((state, owner is not None))

    async def road(session: Any) -> None:
        session.on_change = look
        customer.sandbox.hold()
        task = asyncio.create_task(generate(cat(), session))
        await soon(lambda: customer.sent)
        assert seen[-1] == ("sending", True)  # as soon as it was sent, and not with the next step
        customer.sandbox.release()
        await task

    customer.run(road)
    assert [one for one, _ in groupby(seen)] == [
        ("intended", True), ("sending", True), ("accepted", True), ("answered", True),
        ("completed", True), ("completed", False),
    ]  # fmt: skip


def test_a_step_is_told_to_the_session_too(customer: Any) -> None:
    phases: list[Phase] = []

    async def road(session: Any) -> None:
        session.on_change = lambda work: phases.append(work.latest.phase)
        await generate(cat(), session)

    customer.run(road)
    assert [one for one, _ in groupby(phases)] == [
        Phase.SUBMITTING, Phase.QUEUED, Phase.PROCESSING, Phase.DOWNLOADING
    ]  # fmt: skip


def test_who_has_left_is_told_nothing_more(customer: Any) -> None:
    told: list[Progress] = []

    async def road(session: Any) -> Any:
        await generate(cat(), session, wait=False, progress=told.append)
        before = len(told)
        result = await generate(cat(), session)
        assert len(told) == before
        return result

    assert len(customer.run(road).images) == 1 and customer.sent == 1


# ---- who waits for another ----


def test_the_work_of_another_is_waited_for_with_pauses(customer: Any) -> None:
    told: list[Progress] = []

    async def road(session: Any) -> list[Any]:
        customer.sandbox.hold()
        async with customer.session() as other:
            first = asyncio.create_task(generate(cat(NOW_5), session))
            await soon(lambda: customer.sent)
            second = asyncio.create_task(generate(cat(NOW_5), other, progress=told.append))
            await soon(lambda: len(told) > 3)
            customer.sandbox.release()
            return await asyncio.gather(first, second)

    first, second = customer.run(road)
    assert first.images == second.images and customer.sent == 1
    assert (second.origin, second.charged_images) == (Origin.JOINED, 0)
    assert {step.phase for step in told[1:4]} == {Phase.WAITING}
    assert set(customer.clock.pauses) == {OTHER_OWNER_PAUSE_S}


def test_a_look_does_not_wait_for_one_that_waits_for_another(
    make_sandbox: Any, make_customer: Any
) -> None:
    customer = make_customer(make_sandbox(task_seconds=1000))

    async def road(session: Any) -> Any:
        task_id = (await generate(cat(), session, wait=False)).task_id
        async with customer.session(real_time=True) as other:
            told: list[Progress] = []
            waiting = asyncio.create_task(collect(task_id, other, progress=told.append))
            await soon(lambda: Phase.WAITING in {step.phase for step in told})
            looked = await asyncio.wait_for(collect(task_id, other, wait=False), 10)
            await cancelled(waiting)
            return looked

    assert customer.run(road, real_time=True).status == "pending" and customer.sent == 1


def test_who_waits_for_another_in_vain_is_told_its_task_and_that_it_runs(
    make_sandbox: Any, make_customer: Any
) -> None:
    customer = make_customer(make_sandbox(task_seconds=1000))

    async def road(session: Any) -> WaitTimedOut:
        task_id = (await generate(cat(), session, wait=False)).task_id
        async with customer.session(real_time=True) as other:
            with pytest.raises(WaitTimedOut) as caught:
                await generate(cat(), other, timeout_s=0.1)
        assert caught.value.task_id == task_id
        return caught.value

    assert customer.run(road, real_time=True).charge is Charge.RUNNING and customer.sent == 1


def test_two_wishes_for_one_entry_are_worked_on_once(make_sandbox: Any, make_customer: Any) -> None:
    """By its task and by its inputs: the second waits for the first, and asks nobody meanwhile."""
    customer = make_customer(make_sandbox(task_seconds=1000))
    task_id = customer.generate(wait=False).task_id

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
        customer.sandbox.finish_tasks()
        both = await asyncio.gather(first, second)
        assert len(claims) == 2
        return both

    first, second = customer.run(road)
    assert first.images == second.images and customer.sent == 1
    assert (first.charged_images, second.charged_images) == (0, 0)


# ---- how often is looked ----


def test_a_task_is_looked_at_seldom_while_its_model_surely_still_works(customer: Any) -> None:
    running = Json({"id": "x", "status": "running"})
    customer.sandbox.faults.push("task", running, times=30)
    customer.generate(seed=1)
    assert customer.clock.pauses[0] == 1.0  # nothing is known about the model
    customer.clock.pauses.clear()
    customer.sandbox.faults.push("task", running, times=2)
    customer.generate(seed=2)
    assert customer.clock.pauses[0] == SLOWEST_S


# ---- callbacks that fail ----


@BOTH
def test_failing_callback_fails_no_job(customer: Any, model: str) -> None:
    told: list[Progress] = []

    def fail(step: Progress) -> None:
        raise ZeroDivisionError

    async def both(session: Any) -> list[Any]:
        session.on_change = fail
        calls = (generate(cat(model), session, progress=one) for one in (fail, told.append))
        return await asyncio.gather(*calls)

    first, second = customer.run(both)
    assert first.images == second.images and told and customer.sent == 1


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
def test_wrong_arguments_are_refused_before_sending(customer: Any, wrong: dict[str, Any]) -> None:
    async def whole(session: Any) -> None:
        with pytest.raises(InvalidRequest):
            await generate(cat(), session, **wrong)
        with pytest.raises(InvalidRequest):
            await collect_all("task-1", session, **wrong)
        await soon(lambda: not session.running_jobs)

    customer.run(whole)
    assert not customer.sandbox.requests and set(customer.states) <= {"withdrawn", "accepted"}


def test_wrong_kinds_of_arguments_are_refused(customer: Any) -> None:
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

    customer.run(whole)
    assert not customer.sandbox.requests
