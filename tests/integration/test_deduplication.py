"""Several who want the same, leave early, or come later: one charge, and nothing lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from seedream_api import (
    Charge,
    Origin,
    WaitTimedOut,
    collect,
    generate,
)
from support.async_helpers import cancelled, soon
from support.sample_requests import BOTH, NOW_5, cat

# ---- the same, twice at once ----


@BOTH
def test_two_at_once_pay_once_and_both_get_the_images(api_client: Any, model: str) -> None:
    async def both(session: Any) -> list[Any]:
        return await asyncio.gather(*(generate(cat(model), session) for _ in range(2)))

    first, second = api_client.run(both)
    assert first.images == second.images and len(first.images) == 1
    assert (first.origin, second.origin) == (Origin.NEW, Origin.JOINED)
    assert (first.charged_images, second.charged_images) == (1, 0) and api_client.sent == 1


@BOTH
def test_two_processes_at_once_pay_once(
    api_client: Any, model: str, wait_until: Callable[..., None]
) -> None:
    api_client.sandbox.hold()
    words = ["generate", "--model", model, "--prompt", "A cat", "--json"]
    out = api_client.home.parent / "out"
    processes = [api_client.start(*words, "--out", out / str(i)) for i in range(2)]
    wait_until(lambda: api_client.sent)
    # Both are at work on the same row before there is a response.
    wait_until(lambda: len(list((api_client.home / "owners").glob("*.lock"))) == 2)
    api_client.sandbox.release()
    ran = [api_client.ended(process) for process in processes]
    assert [one.code for one in ran] == [0, 0], ran
    assert all(len(one.json["images"]) == 1 for one in ran)
    assert sorted(one.json["may_have_been_charged"] for one in ran) == [False, True]
    assert api_client.sent == 1


def test_another_waits_on_when_one_is_cancelled(api_client: Any) -> None:
    async def road(session: Any) -> Any:
        api_client.sandbox.hold()
        tasks = [asyncio.create_task(generate(cat(), session)) for _ in range(2)]
        await soon(lambda: api_client.sent)
        error = await cancelled(tasks[0])
        assert error.charge is Charge.POSSIBLE
        api_client.sandbox.release()
        return await tasks[1]

    assert len(api_client.run(road).images) == 1 and api_client.sent == 1


def test_equal_request_after_cancel_is_not_cancelled(api_client: Any) -> None:
    async def road(session: Any) -> Any:
        session.client._throttle.pause_for(1.0)
        stuck = asyncio.Event()
        session.client._throttle._sleep = lambda seconds: stuck.wait()
        first = asyncio.create_task(generate(cat(), session))
        await soon(lambda: any(w.row for w in session.running_jobs.values()))
        first.cancel()
        second = asyncio.create_task(generate(cat(), session))
        with pytest.raises(asyncio.CancelledError):
            await first
        session.client._throttle._not_before = 0.0
        stuck.set()
        return await second

    assert len(api_client.run(road).images) == 1 and api_client.sent == 1


# ---- cancelled ----


def test_swallowed_cancellation_sends_nothing(api_client: Any) -> None:
    """As ``asyncio.wait_for`` may do it before Python 3.12."""

    async def road(session: Any) -> None:
        bring, reached = session.resources.uploader.resolve_references, asyncio.Event()

        async def swallowing(*args: Any, **kwargs: Any) -> Any:
            reached.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            return await bring(*args, **kwargs)

        session.resources.uploader.resolve_references = swallowing
        cancelled = asyncio.create_task(generate(cat(), session))
        await reached.wait()
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        await soon(lambda: not session.running_jobs)

    api_client.run(road)
    assert api_client.sent == 0 and api_client.states == ["withdrawn"]


def test_nothing_is_sent_after_cancel(api_client: Any) -> None:
    async def road(session: Any) -> None:
        api_client.sandbox.hold()
        tasks = [asyncio.create_task(generate(cat(seed=i), session)) for i in range(20)]
        await soon(lambda: api_client.sent)
        await soon(
            lambda: (
                len(session.running_jobs) == 20
                and all(w.row for w in session.running_jobs.values())
            )
        )
        for task in tasks:
            task.cancel()
        ended = [await cancelled(task) for task in tasks]
        assert sum(one.may_have_been_charged for one in ended) == 1
        api_client.sandbox.release()
        await soon(lambda: not session.running_jobs)

    api_client.run(road, SEEDREAM_MAX_SUBMITS="1")
    assert api_client.sent == 1
    assert sorted(api_client.states) == ["completed"] + ["withdrawn"] * 19


@BOTH
def test_what_was_sent_is_written_down_and_fetched_after_cancel(
    api_client: Any, model: str
) -> None:
    async def road(session: Any) -> Any:
        api_client.sandbox.hold()
        task = asyncio.create_task(generate(cat(model), session))
        await soon(lambda: api_client.sent)
        error = await cancelled(task)
        assert error.charge is Charge.POSSIBLE and error.exit_code == 130
        api_client.sandbox.release()
        await soon(lambda: not session.running_jobs)
        return await generate(cat(model), session)

    result = api_client.run(road)
    assert result.origin is Origin.STORED and len(result.images) == 1 and api_client.sent == 1


def test_cancel_while_the_task_runs_names_the_task(api_client: Any) -> None:
    async def road(session: Any) -> Any:
        api_client.sandbox.hold()
        task = asyncio.create_task(generate(cat(), session))
        await soon(lambda: api_client.sent)
        api_client.sandbox.release_responses()  # the response arrives; the task continues
        await soon(lambda: any(w.accepted.done() for w in session.running_jobs.values()))
        error = await cancelled(task)
        assert error.task_id and error.charge is Charge.RUNNING
        api_client.sandbox.release()
        return await collect(error.task_id, session)

    assert len(api_client.run(road, real_time=True).images) == 1 and api_client.sent == 1


def test_short_timeout_does_not_cut_a_paid_response(api_client: Any) -> None:
    async def road(session: Any) -> Any:
        api_client.sandbox.hold()
        with pytest.raises(WaitTimedOut):
            await generate(cat(NOW_5), session, timeout_s=0.3)
        await asyncio.sleep(0.3)
        assert api_client.sent == 1
        api_client.sandbox.release()
        return await generate(cat(NOW_5), session)

    assert len(api_client.run(road, real_time=True).images) == 1
    assert api_client.sent == 1 and api_client.states == ["completed"]
