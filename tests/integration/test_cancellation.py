"""A cancelled request: what it reports, what is still sent, and which slot it frees."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from seedream_api import Charge, generate
from seedream_api.errors import NotSent
from support.async_helpers import Held, cancelled, soon
from support.fake_service import DropAfterReceipt, Fault, Status, Truncated
from support.sample_requests import BOTH, cat


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
        api_client.sandbox.faults.push("task", Status(502))  # for the id in a cut response
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
def test_task_that_is_known_is_no_longer_being_sent(
    make_sandbox: Any, make_api_client: Any, fault: Fault | None
) -> None:
    """The command line would say on Ctrl-C that it waits for the response to a paid request."""
    api_client = make_api_client(make_sandbox(task_seconds=1000))
    if fault is not None:
        api_client.sandbox.faults.push("generate", fault)

    async def road(session: Any) -> bool:
        await generate(cat(), session, wait=False)
        [work] = session.running_jobs.values()
        return bool(work.is_sending)

    assert not api_client.run(road) and api_client.states == ["accepted"]


@BOTH
def test_refused_attempt_without_waiters_is_not_repeated(api_client: Any, model: str) -> None:
    async def road(session: Any) -> None:
        # Charged only in that the sandbox takes it, and so holds the response back.
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


@BOTH
def test_close_waits_for_the_response_to_a_paid_request(api_client: Any, model: str) -> None:
    async def road() -> None:
        session = await api_client.session(real_time=True).__aenter__()
        api_client.sandbox.hold()
        task = asyncio.create_task(generate(cat(model), session))
        await soon(lambda: api_client.sent)
        closing = asyncio.create_task(session.close(patience_s=20.0))
        await soon(lambda: session.is_closing)
        api_client.sandbox.release_responses()  # the response arrives; the task continues
        await closing
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(asyncio.wait_for(road(), 30))
    assert api_client.states[0] in ("accepted", "answered", "completed") and api_client.sent == 1
    api_client.sandbox.release()
    assert len(api_client.generate(model=model).images) == 1 and api_client.sent == 1
