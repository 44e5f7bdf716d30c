"""Leaving a session keeps what was sent, however it is left; cancellation follows asyncio."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from seedream_api import Charge, Interrupted, SeedreamError, WaitTimedOut, generate
from seedream_api.jobs.cancellation import interruption_of
from support.async_helpers import Held, cancelled, soon
from support.fake_service import Delay, Status
from support.paths import PACK_ROOT
from support.sample_requests import BOTH, LATER_40, NOW_5, cat

Leave = Callable[[Any, Any], Awaitable[object]]


async def by_end(session: Any, task: asyncio.Task[Any]) -> None:
    """The block ends while its task still waits."""


async def by_error(session: Any, task: asyncio.Task[Any]) -> None:
    raise ZeroDivisionError


async def by_cancelling_all(session: Any, task: asyncio.Task[Any]) -> None:
    task.cancel()
    raise asyncio.CancelledError


async def by_wait_for(session: Any, task: asyncio.Task[Any]) -> None:
    await asyncio.wait_for(task, 0.05)


async def by_short_patience(session: Any, task: asyncio.Task[Any]) -> None:
    await generate(cat(session.model), session, timeout_s=0.05)


async def by_failing_sibling(session: Any, task: asyncio.Task[Any]) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    await asyncio.gather(task, fail())


LEAVES = [
    by_end, by_error, by_cancelling_all, by_wait_for, by_short_patience, by_failing_sibling,
]  # fmt: skip


@BOTH
@pytest.mark.parametrize("leave", LEAVES)
def test_leaving_keeps_what_was_sent(api_client: Any, model: str, leave: Leave) -> None:
    api_client.sandbox.faults.push("generate", Delay(0.5))

    async def whole() -> None:
        async with api_client.session(real_time=True) as session:
            session.model = model
            task = asyncio.create_task(generate(cat(model), session))
            await soon(lambda: api_client.sent)
            await leave(session, task)

    async def outer() -> None:
        ended = (await asyncio.gather(whole(), return_exceptions=True))[0]
        known = (ZeroDivisionError, asyncio.CancelledError, asyncio.TimeoutError, WaitTimedOut)
        assert ended is None or isinstance(ended, known)

    asyncio.run(asyncio.wait_for(outer(), 30))
    assert api_client.states[0] == ("completed" if model == NOW_5 else "accepted")
    assert len(api_client.generate(model=model).images) == 1 and api_client.sent == 1


@BOTH
@pytest.mark.parametrize("way", ["timeout_s", "wait_for", "cancel"])
def test_plain_generate_keeps_what_was_sent(
    api_client: Any, monkeypatch: pytest.MonkeyPatch, model: str, way: str
) -> None:
    api_client.sandbox.faults.push("generate", Delay(0.6))
    for name, value in api_client.environ.items():
        monkeypatch.setenv(name, value)

    async def whole() -> None:
        if way == "timeout_s":
            with pytest.raises(WaitTimedOut):
                await generate(cat(model), timeout_s=0.3)
        elif way == "wait_for":
            task = asyncio.ensure_future(generate(cat(model)))
            await soon(lambda: api_client.sent)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(task, 0.01)
        else:
            task = asyncio.ensure_future(generate(cat(model)))
            await soon(lambda: api_client.sent)
            assert (await cancelled(task)).charge is Charge.POSSIBLE

    asyncio.run(asyncio.wait_for(whole(), 30))
    assert api_client.states[0] == ("completed" if model == NOW_5 else "accepted")
    assert len(api_client.generate(model=model).images) == 1 and api_client.sent == 1


def test_second_cancellation_ends_the_wait_and_says_unknown(api_client: Any) -> None:
    api_client.sandbox.hold()

    async def hold(session: Any) -> None:
        async with session:
            await generate(cat(NOW_5), session)

    async def whole() -> SeedreamError:
        session = api_client.session(real_time=True)
        task = asyncio.create_task(hold(session))
        await soon(lambda: api_client.sent)
        task.cancel()
        await soon(lambda: session.is_closing)
        await asyncio.sleep(0)
        assert not task.done()
        return await cancelled(task)

    told = asyncio.run(asyncio.wait_for(whole(), 30))
    assert told.key == "interrupted_unanswered" and told.charge is Charge.POSSIBLE
    assert "tasks --forget 1" in str(told)
    api_client.sandbox.release()
    with pytest.raises(SeedreamError) as caught:
        api_client.generate(model=NOW_5)
    assert caught.value.status == "unknown" and api_client.sent == 1


def test_waiter_of_a_session_that_closes_gets_an_error(api_client: Any) -> None:
    """It was not cancelled; a task group would ignore a ``CancelledError`` of its child."""
    api_client.sandbox.hold()

    async def whole() -> Interrupted:
        session = await api_client.session(real_time=True).__aenter__()
        task = asyncio.create_task(generate(cat(NOW_5), session))
        await soon(lambda: api_client.sent)
        await session.close(patience_s=0.01)
        with pytest.raises(Interrupted) as caught:
            await task
        return caught.value

    told = asyncio.run(asyncio.wait_for(whole(), 30))
    assert told.key == "interrupted_unanswered" and api_client.sent == 1


def test_closing_takes_a_refused_request_back_at_once(api_client: Any) -> None:
    api_client.sandbox.faults.push("generate", Status(429, headers={"Retry-After": "30"}))
    api_client.sandbox.hold()

    async def whole() -> SeedreamError:
        session = await api_client.session(real_time=True).__aenter__()
        task = asyncio.create_task(generate(cat(), session))
        await soon(lambda: api_client.sent)
        closing = asyncio.create_task(session.close())
        await soon(lambda: session.is_closing)
        api_client.sandbox.release()
        await closing
        with pytest.raises(Interrupted) as caught:
            await task
        return caught.value

    told = asyncio.run(asyncio.wait_for(whole(), 30))
    assert told.key == "interrupted_before" and api_client.states == ["withdrawn"]
    assert api_client.sent == 1


@BOTH
def test_closing_works_within_a_cancelled_scope_of_anyio(api_client: Any, model: str) -> None:
    """Which repeats its cancellation until the task has left the scope."""
    api_client.sandbox.faults.push("generate", Delay(0.5))

    async def whole() -> None:
        with anyio.CancelScope() as scope:
            async with api_client.session(real_time=True) as session:
                asyncio.get_running_loop().call_later(0.2, scope.cancel)
                await generate(cat(model), session)
        assert scope.cancel_called

    asyncio.run(asyncio.wait_for(whole(), 30))
    assert api_client.states[0] == ("completed" if model == NOW_5 else "accepted")
    assert len(api_client.generate(model=model).images) == 1 and api_client.sent == 1


# ---- asyncio's rules ----


def test_except_seedream_error_does_not_catch_a_cancellation(api_client: Any) -> None:
    async def whole(session: Any) -> int:
        bring = Held(session.resources.uploader, "resolve_references")
        tried = 0

        async def products() -> None:
            nonlocal tried
            for seed in range(5):
                tried += 1
                try:
                    await generate(cat(seed=seed), session)
                except SeedreamError:
                    continue

        task = asyncio.create_task(products())
        await bring.reached.wait()
        told = await cancelled(task)
        assert told.key == "interrupted_before" and told.charge is Charge.NONE
        return tried

    assert api_client.run(whole, real_time=True) == 1 and api_client.sent == 0


@pytest.mark.skipif(not hasattr(asyncio, "timeout"), reason="from Python 3.11")
def test_timeout_and_task_group_follow_asyncio(api_client: Any) -> None:
    api_client.sandbox.hold()

    async def whole(session: Any) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await generate(cat(NOW_5), session)
        task = asyncio.current_task()
        assert task is not None and task.cancelling() == 0

        async def fail() -> None:
            await soon(lambda: api_client.sent)
            raise ZeroDivisionError

        async def together() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(generate(cat(NOW_5), session))
                group.create_task(fail())

        with pytest.raises(ExceptionGroup) as caught:  # noqa: F821
            await together()
        assert [type(one) for one in caught.value.exceptions] == [ZeroDivisionError]
        api_client.sandbox.release()
        assert len((await generate(cat(NOW_5), session)).images) == 1

    api_client.run(whole, real_time=True)
    assert api_client.sent == 1


def test_result_that_meets_a_cancellation_is_not_returned(api_client: Any) -> None:
    async def whole(session: Any) -> SeedreamError:
        delivered = Held(session.resources, "prune_if_needed")
        task = asyncio.create_task(generate(cat(NOW_5), session))
        await delivered.reached.wait()
        return await cancelled(task)

    told = api_client.run(whole)
    assert told.key == "interrupted_stored" and api_client.states == ["completed"]


_PROGRAM = """
import asyncio, sys
from seedream_api import Request, SeedreamError, generate

async def main():
    for seed in range(3):
        try:
            await generate(Request(model=sys.argv[1], prompt="A cat", seed=seed))
        except SeedreamError as error:
            print("caught", type(error).__name__)

asyncio.run(main())
"""


@pytest.mark.skipif(
    sys.version_info < (3, 11) or sys.platform == "win32", reason="asyncio.run cancels from 3.11"
)
@pytest.mark.parametrize("model", [NOW_5, LATER_40])
def test_ctrl_c_in_a_program_keeps_what_was_sent(
    api_client: Any, wait_until: Callable[..., None], model: str
) -> None:
    api_client.sandbox.faults.push("generate", Delay(1.0))
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, model],
        env={"PATH": "", "PYTHONUTF8": "1", **api_client.environ},
        cwd=PACK_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    wait_until(lambda: api_client.sent)
    process.send_signal(signal.SIGINT)
    ran = api_client.ended(process)
    assert "caught" not in ran.out and "KeyboardInterrupt" in ran.err
    assert "its response is still recorded" in ran.err
    assert api_client.states[0] == ("completed" if model == NOW_5 else "accepted")
    assert api_client.generate(model=model).images and api_client.sent == 1


def test_cancellation_without_a_note_says_nothing_was_charged() -> None:
    assert interruption_of(asyncio.CancelledError()).charge is Charge.NONE
