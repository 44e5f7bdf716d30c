"""Who leaves, at whatever moment, is told what is true then and touches nothing of another's."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from seedream_api import Charge, collect, generate
from seedream_api.errors import LedgerFailed, NotSent
from seedream_api.jobs.collect import resume
from seedream_api.ledger.queries import get_record
from support.async_helpers import Held, cancelled, soon
from support.fake_service import DropAfterReceipt, Fault, Status, Truncated
from support.sample_requests import BOTH, NOW_5, cat


@BOTH
def test_cancel_during_download_says_images_were_made(api_client: Any, model: str) -> None:
    async def road(session: Any) -> None:
        fetch = Held(session.resources.downloader, "fetch")
        task = asyncio.create_task(generate(cat(model), session))
        await fetch.reached.wait()
        error = await cancelled(task)
        assert error.key == "interrupted_stored" and error.charge is Charge.MADE
        fetch.let_go()
        await soon(lambda: not session.running_jobs)

    api_client.run(road)
    assert api_client.states == ["completed"] and api_client.sent == 1


@pytest.mark.parametrize(
    ("fault", "key", "charge"),
    [
        (Status(400), "refused", Charge.NONE),
        (DropAfterReceipt(), "outcome_unknown", Charge.POSSIBLE),
        (Truncated(0.5), "outcome_unknown", Charge.POSSIBLE),
    ],
)
def test_cancel_just_after_the_end_tells_that_end(
    api_client: Any, fault: Fault, key: str, charge: Charge
) -> None:
    """And not that a result is kept."""

    async def road(session: Any) -> Any:
        api_client.sandbox.faults.push("generate", fault)
        api_client.sandbox.faults.push("task", Status(502))  # for the id in a torn answer
        database, released = session.ledger.database, asyncio.Event()
        run = database.run

        async def held(call: Any, *args: Any, **kwargs: Any) -> Any:
            if call.__name__ == "release":
                released.set()
                await asyncio.Event().wait()
            return await run(call, *args, **kwargs)

        database.run = held
        task = asyncio.create_task(generate(cat(), session))
        await released.wait()
        assert not any(work.is_sending for work in session.running_jobs.values())
        error = await cancelled(task)
        database.run = run
        return error

    error = api_client.run(road)
    assert error.charge is charge and error.key == key, error.key


@pytest.mark.parametrize("fault", [None, Truncated(0.5)], ids=["answered", "torn"])
def test_a_task_that_is_known_is_no_longer_being_sent(
    make_sandbox: Any, make_api_client: Any, fault: Fault | None
) -> None:
    """The command line would say on Ctrl-C that it waits for the answer of a paid request."""
    api_client = make_api_client(make_sandbox(task_seconds=1000))
    if fault is not None:
        api_client.sandbox.faults.push("generate", fault)

    async def road(session: Any) -> bool:
        await generate(cat(), session, wait=False)
        [work] = session.running_jobs.values()
        return bool(work.is_sending)

    assert not api_client.run(road) and api_client.states == ["accepted"]


@BOTH
def test_a_refused_attempt_that_nobody_waits_for_is_not_repeated(
    api_client: Any, model: str
) -> None:
    async def road(session: Any) -> None:
        # Charged only in that the sandbox takes it, and so holds the answer back.
        refused = Status(429, headers={"Retry-After": "30"}, charged=True)
        api_client.sandbox.faults.push("generate", refused)
        api_client.sandbox.hold()
        attempts: list[str] = []
        post = session.client.transport.post_once
        session.client.transport.post_once = lambda url, **more: (
            attempts.append(url) or post(url, **more)
        )
        task = asyncio.create_task(generate(cat(model), session))
        await soon(lambda: api_client.sent)
        assert (await cancelled(task)).charge is Charge.POSSIBLE
        api_client.sandbox.release()
        await soon(lambda: not session.running_jobs)
        assert len(attempts) == 1

    api_client.run(road)
    assert api_client.states == ["withdrawn"] and api_client.sent == 1


@BOTH
def test_cancel_between_two_attempts_takes_the_request_back(api_client: Any, model: str) -> None:
    async def road(session: Any) -> None:
        api_client.sandbox.faults.push("generate", Status(429, headers={"Retry-After": "30"}))
        clock = session.client._clock = SimpleNamespace(**vars(session.client._clock))
        pause = Held(clock, "sleep")
        task = asyncio.create_task(generate(cat(model), session))
        await pause.reached.wait()
        error = await cancelled(task)
        assert error.key == "interrupted_before" and error.charge is Charge.NONE
        await soon(lambda: not session.running_jobs)

    api_client.run(road)
    assert api_client.states == ["withdrawn"] and api_client.sent == 1


@BOTH
def test_cancelled_post_gives_its_slot_to_the_next(api_client: Any, model: str) -> None:
    async def road(session: Any) -> None:
        api_client.sandbox.hold()
        task = asyncio.create_task(generate(cat(model), session))
        await soon(lambda: api_client.sent == 1)
        assert (await cancelled(task)).charge is Charge.POSSIBLE
        other = asyncio.create_task(generate(cat(model, prompt="A dog"), session))
        await soon(lambda: api_client.sent == 2)
        api_client.sandbox.release()
        await other
        await soon(lambda: not session.running_jobs)

    api_client.run(road, SEEDREAM_MAX_SUBMITS="1")
    assert api_client.states == ["completed"] * 2 and api_client.sent == 2


@BOTH
def test_silent_post_gives_its_slot_to_the_next(
    api_client: Any, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    monkeypatch.setattr("seedream_api.service.client.SILENCE_S", 0.05)

    async def road(session: Any) -> None:
        api_client.sandbox.hold()
        both = [
            asyncio.create_task(generate(cat(model, prompt=prompt), session))
            for prompt in ("A cat", "A dog")
        ]
        await soon(lambda: api_client.sent == 2)
        api_client.sandbox.release()
        await asyncio.gather(*both)

    api_client.run(road, SEEDREAM_MAX_SUBMITS="1")
    assert api_client.states == ["completed"] * 2 and api_client.sent == 2


@BOTH
@pytest.mark.parametrize("times", [1, 1000])
def test_unsent_request_is_taken_back_before_the_next_try(
    api_client: Any, model: str, times: int
) -> None:
    """As where a server closes every connection while the row is written."""
    attempts: list[str] = []

    async def road(session: Any) -> Any:
        post = session.client.transport.post_once

        async def closing(url: str, **more: Any) -> Any:
            attempts.append(url)
            if len(attempts) > times:
                return await post(url, **more)
            await more["before_first_byte"]()
            raise NotSent("not_sent", host="service", reason="closed")

        session.client.transport.post_once = closing
        return await generate(cat(model), session)

    if times == 1:
        api_client.run(road)
        assert api_client.states == ["completed"] and api_client.sent == 1 and len(attempts) == 2
        return
    with pytest.raises(NotSent):
        api_client.run(road)
    assert api_client.states == ["withdrawn"] and api_client.sent == 0 and len(attempts) > 2


@pytest.mark.parametrize("is_full", [False, True])
def test_cancel_of_claimed_job_spares_equal_request(api_client: Any, is_full: bool) -> None:
    async def road(session: Any) -> Any:
        claim, run = session.ledger.claim, Held(session.ledger.database, "run", only="claim")

        def claim_in_vain(*_args: Any) -> Any:
            raise LedgerFailed("ledger_unwritable", path=session.ledger.path, reason="disk full")

        async def claim_once_in_vain(*_args: Any, **_options: Any) -> Any:
            session.ledger.claim = claim
            await session.ledger.database.run(claim_in_vain)

        if is_full:
            session.ledger.claim = claim_once_in_vain
        first = asyncio.create_task(generate(cat(), session))
        await run.reached.wait()
        first.cancel()
        second = asyncio.create_task(generate(cat(), session))
        with pytest.raises(asyncio.CancelledError):
            await first
        run.let_go()
        return await second

    assert len(api_client.run(road).images) == 1 and api_client.sent == 1


def test_cancel_while_claiming_leaves_row_of_other_process(
    api_client: Any,
) -> None:
    async def road(session: Any) -> Any:
        async with api_client.session() as other:
            bring = Held(other.resources.uploader, "resolve_references")
            theirs = asyncio.create_task(generate(cat(), other))
            await bring.reached.wait()
            run = Held(session.ledger.database, "run", only="claim")
            mine = asyncio.create_task(generate(cat(), session))
            await run.reached.wait()
            await cancelled(mine)
            run.let_go()
            await soon(lambda: not session.running_jobs)
            bring.let_go()
            return await theirs

    assert len(api_client.run(road).images) == 1
    assert api_client.sent == 1 and api_client.states == ["completed"]


def test_cancel_while_claiming_task_releases_it(make_sandbox: Any, make_api_client: Any) -> None:
    api_client = make_api_client(make_sandbox(task_seconds=1000))
    task_id = api_client.generate(wait=False).task_id
    api_client.sandbox.finish_tasks()

    async def road(session: Any) -> Any:
        database = session.ledger.database
        run = Held(database, "run")

        async def hold_adopt(call: Any, *args: Any, **more: Any) -> Any:
            wanted = run if call.__name__ == "claim_task" else run._real
            return await wanted(call, *args, **more)

        database.run = hold_adopt
        taking = asyncio.create_task(collect(task_id, session))
        await run.reached.wait()
        await cancelled(taking)
        run.let_go()
        await soon(lambda: not session.running_jobs)
        assert get_record(database, 1).owner is None
        async with api_client.session() as other:
            return await collect(task_id, other)

    assert len(api_client.run(road).images) == 1 and api_client.sent == 1


def test_cancel_while_claiming_leaves_row_of_other_job(
    api_client: Any,
) -> None:
    async def road(session: Any) -> Any:
        fetch = Held(session.resources.downloader, "fetch")
        working = asyncio.create_task(generate(cat(NOW_5), session))
        await fetch.reached.wait()
        run = Held(session.ledger.database, "run")
        row = get_record(session.ledger.database, 1)
        resuming = asyncio.create_task(resume(row, session))
        await run.reached.wait()
        await cancelled(resuming)
        run.let_go()
        await soon(lambda: len(session.running_jobs) == 1)
        assert get_record(session.ledger.database, 1).owner == session.ledger.owner
        fetch.let_go()
        return await working

    assert len(api_client.run(road).images) == 1 and api_client.sent == 1


@BOTH
def test_closing_waits_for_an_answer_that_is_paid_for(api_client: Any, model: str) -> None:
    async def road() -> None:
        session = await api_client.session(real_time=True).__aenter__()
        api_client.sandbox.hold()
        task = asyncio.create_task(generate(cat(model), session))
        await soon(lambda: api_client.sent)
        closing = asyncio.create_task(session.close(patience_s=20.0))
        await soon(lambda: session.is_closing)
        api_client.sandbox.release_responses()  # the answer comes; a task goes on
        await closing
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(asyncio.wait_for(road(), 30))
    assert api_client.states[0] in ("accepted", "answered", "completed") and api_client.sent == 1
    api_client.sandbox.release()
    assert len(api_client.generate(model=model).images) == 1 and api_client.sent == 1
