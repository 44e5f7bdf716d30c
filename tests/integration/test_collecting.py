"""Requests that are not waited for, and tasks that are collected later."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from seedream_api import (
    Charge,
    ConfigurationError,
    InvalidRequest,
    Origin,
    PartialResult,
    SeedreamError,
    TaskFailed,
    TaskNotFound,
    WaitTimedOut,
    collect,
    collect_all,
    generate,
)
from support.async_helpers import cancelled, soon
from support.fake_service import Account, rate_limited
from support.sample_requests import cat

# ---- not waited for, collected later ----


def test_wait_off_returns_task_id_once_recorded(make_sandbox: Any, make_api_client: Any) -> None:
    api_client = make_api_client(make_sandbox(task_seconds=1000))
    result = api_client.generate(n=2, prompt="2 cats", wait=False)
    assert (result.status, result.charged_images, result.images) == ("submitted", 2, ())
    assert api_client.states == ["accepted"] and api_client.rows[0].task_id == result.task_id
    api_client.sandbox.finish_tasks()
    again = api_client.generate(n=2, prompt="2 cats")
    assert again.origin is Origin.RESUMED and again.images and api_client.sent == 1


def test_collect_polls_once_or_waits(make_sandbox: Any, make_api_client: Any) -> None:
    api_client = make_api_client(make_sandbox(task_seconds=1000))
    task_id = api_client.generate(wait=False).task_id

    def collected(**options: Any) -> Any:
        return api_client.run(lambda session: collect(task_id, session, **options))

    looked = collected(wait=False)
    assert (looked.status, looked.task_id, looked.images) == ("pending", task_id, ())
    with pytest.raises(WaitTimedOut) as caught:
        collected(timeout_s=5)
    assert caught.value.task_id == task_id and caught.value.exit_code == 5
    api_client.sandbox.finish_tasks()
    ready = collected(wait=False)
    assert ready.status == "completed" and len(ready.images) == 1
    api_client.sandbox.stop()
    assert collected().origin is Origin.STORED and api_client.generate().images == ready.images
    assert api_client.sent == 1


def test_task_of_a_stranger_can_be_collected(api_client: Any, tmp_path: Any) -> None:
    async def submit(session: Any) -> Any:
        return await session.client.submit(cat())

    task_id = api_client.run(submit).task_id
    assert api_client.rows == []
    result = api_client.run(lambda session: collect(f"  {task_id}\n", session))
    assert len(result.images) == 1 and result.charged_images == 0 and api_client.sent == 1


def test_unknown_task_is_a_failure_of_the_service(api_client: Any) -> None:
    def collected() -> Any:
        return api_client.run(lambda session: collect("task-000000000000", session))

    for number in (1, 2):
        with pytest.raises(TaskNotFound) as caught:
            collected()
        assert caught.value.exit_code == 3 and "does not know task" in str(caught.value)
        assert not caught.value.may_have_been_charged
        assert api_client.states == ["failed"] and len(api_client.sandbox.requests) == number
    assert api_client.rows[0].error.key == "task_not_found"
    with pytest.raises(InvalidRequest):
        api_client.run(lambda session: collect("../../v1/models", session))


def test_task_made_with_another_key_says_so(make_sandbox: Any, make_api_client: Any) -> None:
    sandbox = make_sandbox(task_seconds=1000, keys={"key-one": Account(), "key-two": Account()})
    task_id = make_api_client(sandbox, "key-one").generate(wait=False).task_id
    for key in ("key-two", "key-unknown"):  # 404 and 401
        other = make_api_client(sandbox, key)
        with pytest.raises(TaskNotFound, match="created with another key") as caught:
            other.run(lambda session: collect(task_id, session, wait=False))
        assert caught.value.task_id == task_id
        with pytest.raises(TaskNotFound, match="created with another key"):
            other.generate()
    sandbox.finish_tasks()
    assert make_api_client(sandbox, "key-one").generate().images
    assert len(sandbox.posts) == 1


def test_task_made_at_another_address_is_not_asked_for_here(
    make_sandbox: Any, make_api_client: Any
) -> None:
    first, second = make_sandbox(task_seconds=1000), make_sandbox()
    task_id = make_api_client(first).generate(wait=False).task_id
    with pytest.raises(ConfigurationError, match=first.url):
        make_api_client(second).run(lambda session: collect(task_id, session))
    assert second.requests == []
    assert make_api_client(second).generate().origin is Origin.NEW


# ---- several tasks at once ----


def test_several_tasks_some_of_them_failing(make_sandbox: Any, make_api_client: Any) -> None:
    api_client = make_api_client(make_sandbox(task_seconds=1000))
    prompts = ("2 images of a dog", "a [fails] cat", "a bird")
    ids = [api_client.generate(prompt=prompt, n=2, wait=False).task_id for prompt in prompts]

    def collected(names: list[str], **options: Any) -> Any:
        environ = {name: options.pop(name) for name in list(options) if name.isupper()}
        return api_client.run(lambda session: collect_all(names, session, **options), **environ)

    assert collected(ids, wait=False).status == "pending"
    api_client.sandbox.finish_tasks()
    result = collected([*ids, "", ids[0]])
    assert result.status == "partial" and [f.task_id for f in result.failures] == [ids[1]]
    assert [image.task_id for image in result.images] == [ids[0], ids[0], ids[2]]
    assert result.task_id == "\n".join(ids)
    with pytest.raises(PartialResult):
        collected(ids, SEEDREAM_PARTIAL="fail")
    with pytest.raises(TaskFailed, match="failed to generate"):
        collected(ids[1:2])
    assert api_client.sent == 3


def test_no_id_at_all_names_the_unfinished_tasks(make_sandbox: Any, make_api_client: Any) -> None:
    api_client = make_api_client(make_sandbox(task_seconds=1000))
    task_id = api_client.generate(wait=False).task_id
    with pytest.raises(InvalidRequest, match=f"{task_id} \\(Seedream-4.0\\)"):
        api_client.run(lambda session: collect_all(["", "  "], session))


def test_cancelled_collect_all_names_its_running_tasks(
    make_sandbox: Any, make_api_client: Any
) -> None:
    api_client = make_api_client(make_sandbox(task_seconds=1000))
    ids = [api_client.generate(seed=i, wait=False).task_id for i in range(2)]

    async def road(session: Any) -> SeedreamError:
        task = asyncio.create_task(collect_all(ids, session))
        await soon(lambda: len(session.running_jobs) == 2)
        return await cancelled(task)

    error = api_client.run(road, real_time=True)
    assert error.charge is Charge.RUNNING and ids[0] in str(error) and ids[1] in str(error)


# ---- too many at once ----


def test_429_delays_all_requests_and_loses_none(api_client: Any) -> None:
    async def everyone(session: Any) -> list[Any]:
        api_client.sandbox.faults.push("generate", rate_limited(40))
        api_client.sandbox.faults.push("generate", rate_limited(), times=3)
        wishes = (generate(cat(seed=i), session) for i in range(8))
        return await asyncio.gather(*wishes, return_exceptions=True)

    began = api_client.clock()
    results = api_client.run(everyone)
    assert not [one for one in results if isinstance(one, SeedreamError)]
    assert all(len(one.images) == 1 for one in results)
    assert api_client.sandbox.images_made == 8 and api_client.sent == 12
    assert api_client.clock() - began >= 40
