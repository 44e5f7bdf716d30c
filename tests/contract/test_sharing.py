"""Several who want the same, leave early, or come later: one charge, and nothing lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from waiting import cancelled, soon
from wishes import BOTH, NOW_5, cat

from seedream_api import (
    Charge,
    ConfigurationError,
    InvalidRequest,
    Origin,
    PartialResult,
    SeedreamError,
    Session,
    TaskFailed,
    TaskNotFound,
    WaitTimedOut,
    collect,
    collect_all,
    generate,
)
from seedream_api.jobs import steps
from seedream_api.sandbox import Account, Delay, Status, rate_limited
from seedream_api.service.polling import FASTEST_S, PollSchedule, PollThrottle

# ---- the same, twice at once ----


@BOTH
def test_two_at_once_pay_once_and_both_get_the_images(customer: Any, model: str) -> None:
    async def both(session: Any) -> list[Any]:
        return await asyncio.gather(*(generate(cat(model), session) for _ in range(2)))

    first, second = customer.run(both)
    assert first.images == second.images and len(first.images) == 1
    assert (first.origin, second.origin) == (Origin.NEW, Origin.JOINED)
    assert (first.charged_images, second.charged_images) == (1, 0) and customer.sent == 1


@BOTH
def test_two_processes_at_once_pay_once(
    customer: Any, model: str, wait_until: Callable[..., None]
) -> None:
    customer.sandbox.hold()
    words = ["generate", "--model", model, "--prompt", "A cat", "--json"]
    out = customer.home.parent / "out"
    processes = [customer.start(*words, "--out", out / str(i)) for i in range(2)]
    wait_until(lambda: customer.sent)
    # Both are at work on the same row before anything is answered.
    wait_until(lambda: len(list((customer.home / "owners").glob("*.lock"))) == 2)
    customer.sandbox.release()
    ran = [customer.ended(process) for process in processes]
    assert [one.code for one in ran] == [0, 0], ran
    assert all(len(one.json["images"]) == 1 for one in ran)
    assert sorted(one.json["may_have_been_charged"] for one in ran) == [False, True]
    assert customer.sent == 1


def test_another_waits_on_when_one_is_cancelled(customer: Any) -> None:
    async def road(session: Any) -> Any:
        customer.sandbox.hold()
        tasks = [asyncio.create_task(generate(cat(), session)) for _ in range(2)]
        await soon(lambda: customer.sent)
        error = await cancelled(tasks[0])
        assert error.charge is Charge.POSSIBLE
        customer.sandbox.release()
        return await tasks[1]

    assert len(customer.run(road).images) == 1 and customer.sent == 1


def test_the_same_again_right_after_cancel_is_not_cancelled_with_it(customer: Any) -> None:
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

    assert len(customer.run(road).images) == 1 and customer.sent == 1


# ---- cancelled ----


def test_nothing_is_sent_when_the_cancellation_was_swallowed_on_the_way(customer: Any) -> None:
    """As ``asyncio.wait_for`` may do it before Python 3.12."""

    async def road(session: Any) -> None:
        bring, reached = session.uploader.resolve_references, asyncio.Event()

        async def swallowing(*args: Any, **kwargs: Any) -> Any:
            reached.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            return await bring(*args, **kwargs)

        session.uploader.resolve_references = swallowing
        cancelled = asyncio.create_task(generate(cat(), session))
        await reached.wait()
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        await soon(lambda: not session.running_jobs)

    customer.run(road)
    assert customer.sent == 0 and customer.states == ["withdrawn"]


def test_nothing_is_sent_after_cancel(customer: Any) -> None:
    async def road(session: Any) -> None:
        customer.sandbox.hold()
        tasks = [asyncio.create_task(generate(cat(seed=i), session)) for i in range(20)]
        await soon(lambda: customer.sent)
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
        customer.sandbox.release()
        await soon(lambda: not session.running_jobs)

    customer.run(road, SEEDREAM_MAX_SUBMITS="1")
    assert customer.sent == 1
    assert sorted(customer.states) == ["completed"] + ["withdrawn"] * 19


@BOTH
def test_what_was_sent_is_written_down_and_fetched_after_cancel(customer: Any, model: str) -> None:
    async def road(session: Any) -> Any:
        customer.sandbox.hold()
        task = asyncio.create_task(generate(cat(model), session))
        await soon(lambda: customer.sent)
        error = await cancelled(task)
        assert error.charge is Charge.POSSIBLE and error.exit_code == 130
        customer.sandbox.release()
        await soon(lambda: not session.running_jobs)
        return await generate(cat(model), session)

    result = customer.run(road)
    assert result.origin is Origin.STORED and len(result.images) == 1 and customer.sent == 1


def test_cancel_while_the_task_runs_names_the_task(customer: Any) -> None:
    async def road(session: Any) -> Any:
        customer.sandbox.hold()
        task = asyncio.create_task(generate(cat(), session))
        await soon(lambda: customer.sent)
        customer.sandbox._desk.release()  # the answer comes; the task goes on
        await soon(lambda: any(w.accepted.done() for w in session.running_jobs.values()))
        error = await cancelled(task)
        assert error.task_id and error.charge is Charge.RUNNING
        customer.sandbox.release()
        return await collect(error.task_id, session)

    assert len(customer.run(road, real_time=True).images) == 1 and customer.sent == 1


def test_impatience_does_not_cut_an_answer_that_is_paid_for(customer: Any) -> None:
    async def road(session: Any) -> Any:
        customer.sandbox.hold()
        with pytest.raises(WaitTimedOut):
            await generate(cat(NOW_5), session, timeout_s=0.3)
        await asyncio.sleep(0.3)
        assert customer.sent == 1
        customer.sandbox.release()
        return await generate(cat(NOW_5), session)

    assert len(customer.run(road, real_time=True).images) == 1
    assert customer.sent == 1 and customer.states == ["completed"]


# ---- not waited for, collected later ----


def test_not_waiting_gives_the_task_id_as_soon_as_it_is_written_down(
    make_sandbox: Any, make_customer: Any
) -> None:
    customer = make_customer(make_sandbox(task_seconds=1000))
    result = customer.generate(n=2, prompt="2 cats", wait=False)
    assert (result.status, result.charged_images, result.images) == ("submitted", 2, ())
    assert customer.states == ["accepted"] and customer.rows[0].task_id == result.task_id
    customer.sandbox.finish_tasks()
    again = customer.generate(n=2, prompt="2 cats")
    assert again.origin is Origin.RESUMED and again.images and customer.sent == 1


def test_collect_looks_once_or_waits(make_sandbox: Any, make_customer: Any) -> None:
    customer = make_customer(make_sandbox(task_seconds=1000))
    task_id = customer.generate(wait=False).task_id

    def collected(**options: Any) -> Any:
        return customer.run(lambda session: collect(task_id, session, **options))

    looked = collected(wait=False)
    assert (looked.status, looked.task_id, looked.images) == ("pending", task_id, ())
    with pytest.raises(WaitTimedOut) as caught:
        collected(timeout_s=5)
    assert caught.value.task_id == task_id and caught.value.exit_code == 5
    customer.sandbox.finish_tasks()
    ready = collected(wait=False)
    assert ready.status == "completed" and len(ready.images) == 1
    customer.sandbox.stop()
    assert collected().origin is Origin.STORED and customer.generate().images == ready.images
    assert customer.sent == 1


def test_a_look_does_not_wait_for_another_process_that_waits(
    make_sandbox: Any, make_customer: Any
) -> None:
    customer = make_customer(make_sandbox(task_seconds=1000))

    async def road(session: Any) -> Any:
        waiting = asyncio.create_task(generate(cat(), session))
        await soon(lambda: any(w.accepted.done() for w in session.running_jobs.values()))
        [work] = session.running_jobs.values()
        async with customer.session(real_time=True) as other:  # a ledger of its own
            looked = await collect(work.row.task_id, other, wait=False)
        await cancelled(waiting)
        return looked

    assert customer.run(road, real_time=True).status == "pending"


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
def test_a_look_does_not_wait_for_the_pauses_of_this_process_and_costs_one_read(
    make_sandbox: Any, make_customer: Any, ends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Else a pause may follow a longer one, and be so short that it passes.
    monkeypatch.setattr(steps, "PollSchedule", partial(PollSchedule, jitter=lambda: 0.5))
    customer, clock = make_customer(make_sandbox(task_seconds=1000)), Patient()

    def looks() -> int:
        return sum(request.method == "GET" for request in customer.sandbox.requests)

    async def road() -> Any:
        async with Session(customer.settings(), clock=clock, sleep=clock.sleep) as session:
            first = await generate(cat(), session, wait=False)
            await soon(lambda: clock.is_pausing)
            before, at = looks(), clock.at
            if ends:
                customer.sandbox.finish_tasks()
            wanted = [collect(first.task_id, session, wait=False) for _ in range(3)]
            results = await asyncio.wait_for(asyncio.gather(*wanted), 10)
            return results, looks() - before, clock.at - at

    results, read, waited = asyncio.run(road())
    assert {result.status for result in results} == {"completed" if ends else "pending"}
    # One read of the task serves all three, and one fetches the image.
    assert (read, customer.sent) == (2 if ends else 1, 1) and waited <= FASTEST_S


def test_a_look_does_not_wait_for_a_service_that_does_not_answer_this_process(
    make_sandbox: Any, make_customer: Any
) -> None:
    customer, clock = make_customer(make_sandbox(task_seconds=1000)), Patient()

    async def road() -> Any:
        async with Session(customer.settings(), clock=clock, sleep=clock.sleep) as session:
            customer.sandbox.faults.push("task", Status(500), times=1000)
            first = await generate(cat(), session, wait=False)
            await soon(lambda: clock.is_pausing)
            return await asyncio.wait_for(collect(first.task_id, session, wait=False), 10)

    assert asyncio.run(road()).status == "pending" and customer.sent == 1


def test_a_look_that_began_before_the_end_does_not_answer_who_comes_after_it(
    make_sandbox: Any, make_customer: Any
) -> None:
    customer = make_customer(make_sandbox(task_seconds=1000))

    async def road(session: Any) -> Any:
        customer.sandbox.faults.push("task", Delay(0.2))  # with the answer "queued" in hand
        first = await generate(cat(), session, wait=False)
        await soon(lambda: any(request.method == "GET" for request in customer.sandbox.requests))
        customer.sandbox.finish_tasks()
        return await collect(first.task_id, session, wait=False)

    assert customer.run(road).status == "completed"


def test_one_task_is_never_read_twice_at_a_time_nor_within_a_second(
    make_sandbox: Any, make_customer: Any
) -> None:
    customer = make_customer(make_sandbox(task_seconds=1000))
    reads: list[tuple[float, int]] = []

    async def road(session: Any) -> None:
        look, under_way = session.client.get_task, 0

        async def counted(task_id: str) -> Any:
            nonlocal under_way
            under_way += 1
            reads.append((customer.clock(), under_way))
            try:
                return await look(task_id)
            finally:
                under_way -= 1

        session.look = PollThrottle(counted, clock=customer.clock, sleep=customer.clock.sleep)
        task_id = (await generate(cat(), session, wait=False)).task_id
        for _ in range(4):
            looks = (collect(task_id, session, wait=False) for _ in range(3))
            assert {one.status for one in await asyncio.gather(*looks)} == {"pending"}
        customer.sandbox.finish_tasks()
        waits = (collect(task_id, session, wait=wait) for wait in (True, False, True))
        assert {one.status for one in await asyncio.gather(*waits)} == {"completed"}

    customer.run(road)
    moments = [at for at, _ in reads]
    assert {count for _, count in reads} == {1} and len(reads) >= 5
    pauses = [later - sooner for sooner, later in pairwise(moments)]
    assert min(pauses) >= FASTEST_S


def test_the_task_of_a_stranger_can_be_collected(customer: Any, tmp_path: Any) -> None:
    async def submit(session: Any) -> Any:
        return await session.client.submit(cat())

    task_id = customer.run(submit).task_id
    assert customer.rows == []
    result = customer.run(lambda session: collect(f"  {task_id}\n", session))
    assert len(result.images) == 1 and result.charged_images == 0 and customer.sent == 1


def test_an_unknown_task_is_a_failure_of_the_service(customer: Any) -> None:
    def collected() -> Any:
        return customer.run(lambda session: collect("task-000000000000", session))

    for number in (1, 2):
        with pytest.raises(TaskNotFound) as caught:
            collected()
        assert caught.value.exit_code == 3 and "does not know task" in str(caught.value)
        assert not caught.value.may_have_been_charged
        assert customer.states == ["failed"] and len(customer.sandbox.requests) == number
    assert customer.rows[0].error.key == "task_not_found"
    with pytest.raises(InvalidRequest):
        customer.run(lambda session: collect("../../v1/models", session))


def test_a_task_made_with_another_key_says_so(make_sandbox: Any, make_customer: Any) -> None:
    sandbox = make_sandbox(task_seconds=1000, keys={"key-one": Account(), "key-two": Account()})
    task_id = make_customer(sandbox, "key-one").generate(wait=False).task_id
    for key in ("key-two", "key-unknown"):  # 404 and 401
        other = make_customer(sandbox, key)
        with pytest.raises(TaskNotFound, match="created with another key") as caught:
            other.run(lambda session: collect(task_id, session, wait=False))
        assert caught.value.task_id == task_id
        with pytest.raises(TaskNotFound, match="created with another key"):
            other.generate()
    sandbox.finish_tasks()
    assert make_customer(sandbox, "key-one").generate().images
    assert len(sandbox.posts) == 1


def test_a_task_made_at_another_address_is_not_asked_for_here(
    make_sandbox: Any, make_customer: Any
) -> None:
    first, second = make_sandbox(task_seconds=1000), make_sandbox()
    task_id = make_customer(first).generate(wait=False).task_id
    with pytest.raises(ConfigurationError, match=first.url):
        make_customer(second).run(lambda session: collect(task_id, session))
    assert second.requests == []
    assert make_customer(second).generate().origin is Origin.NEW


# ---- several tasks at once ----


def test_several_tasks_some_of_them_failing(make_sandbox: Any, make_customer: Any) -> None:
    customer = make_customer(make_sandbox(task_seconds=1000))
    prompts = ("2 images of a dog", "a [fails] cat", "a bird")
    ids = [customer.generate(prompt=prompt, n=2, wait=False).task_id for prompt in prompts]

    def collected(names: list[str], **options: Any) -> Any:
        environ = {name: options.pop(name) for name in list(options) if name.isupper()}
        return customer.run(lambda session: collect_all(names, session, **options), **environ)

    assert collected(ids, wait=False).status == "pending"
    customer.sandbox.finish_tasks()
    result = collected([*ids, "", ids[0]])
    assert result.status == "partial" and [f.task_id for f in result.failures] == [ids[1]]
    assert [image.task_id for image in result.images] == [ids[0], ids[0], ids[2]]
    assert result.task_id == "\n".join(ids)
    with pytest.raises(PartialResult):
        collected(ids, SEEDREAM_PARTIAL="fail")
    with pytest.raises(TaskFailed, match="failed to generate"):
        collected(ids[1:2])
    assert customer.sent == 3


def test_no_id_at_all_names_the_unfinished_tasks(make_sandbox: Any, make_customer: Any) -> None:
    customer = make_customer(make_sandbox(task_seconds=1000))
    task_id = customer.generate(wait=False).task_id
    with pytest.raises(InvalidRequest, match=f"{task_id} \\(Seedream-4.0\\)"):
        customer.run(lambda session: collect_all(["", "  "], session))


def test_cancelling_a_collection_is_told_in_our_own_words(
    make_sandbox: Any, make_customer: Any
) -> None:
    customer = make_customer(make_sandbox(task_seconds=1000))
    ids = [customer.generate(seed=i, wait=False).task_id for i in range(2)]

    async def road(session: Any) -> SeedreamError:
        task = asyncio.create_task(collect_all(ids, session))
        await soon(lambda: len(session.running_jobs) == 2)
        return await cancelled(task)

    error = customer.run(road, real_time=True)
    assert error.charge is Charge.RUNNING and ids[0] in str(error) and ids[1] in str(error)


# ---- too many at once ----


def test_a_429_slows_everyone_and_loses_nobody(customer: Any) -> None:
    async def everyone(session: Any) -> list[Any]:
        customer.sandbox.faults.push("generate", rate_limited(40))
        customer.sandbox.faults.push("generate", rate_limited(), times=3)
        wishes = (generate(cat(seed=i), session) for i in range(8))
        return await asyncio.gather(*wishes, return_exceptions=True)

    began = customer.clock()
    results = customer.run(everyone)
    assert not [one for one in results if isinstance(one, SeedreamError)]
    assert all(len(one.images) == 1 for one in results)
    assert customer.sandbox.images_made == 8 and customer.sent == 12
    assert customer.clock() - began >= 40
