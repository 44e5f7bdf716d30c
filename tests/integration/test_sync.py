"""The client without async: the same names and promises, from any thread or running loop."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import seedream_api
from seedream_api import InvalidRequest, Request, WaitTimedOut, sync
from seedream_api.jobs import loop_thread
from support.api_client import ApiClient

CAT = Request(model="Seedream-4.0", prompt="A cat")


def opened(client: ApiClient, **environ: str) -> sync.Session:
    clock = client.clock
    return sync.Session(client.settings(**environ), clock=clock, sleep=clock.sleep, now=clock)


def test_sync_has_every_asynchronous_name_of_the_client() -> None:
    def is_async(value: Any) -> bool:
        return inspect.iscoroutinefunction(value) or inspect.isasyncgenfunction(value)

    own_client = {"SeedreamClient"}  # the relay's protocol alone, which records nothing
    expected = {
        name
        for name in set(seedream_api.__all__) - own_client
        if is_async(value := getattr(seedream_api, name))
        or (isinstance(value, type) and any(is_async(one) for one in vars(value).values()))
    }
    assert set(sync.__all__) == expected


@pytest.mark.parametrize("name", sync.__all__)
def test_sync_names_have_the_arguments_of_the_asynchronous(name: str) -> None:
    def arguments(module: Any) -> list[tuple[str, Any]]:
        found = inspect.signature(getattr(module, name)).parameters.values()
        return [(one.name, one.default) for one in found]

    assert arguments(sync) == arguments(seedream_api)


def test_sync_session_has_the_methods_of_the_asynchronous() -> None:
    names = [
        name for name, one in vars(seedream_api.Session).items()
        if callable(one) and not name.startswith("_")
    ]  # fmt: skip
    assert {"jobs", "models", "upload"} <= set(names)
    for name in names:
        ours, theirs = getattr(sync.Session, name), getattr(seedream_api.Session, name)
        assert list(inspect.signature(ours).parameters) == list(
            inspect.signature(theirs).parameters
        )


def test_sync_session_generates_lists_and_collects(api_client: ApiClient) -> None:
    steps: list[Any] = []
    with opened(api_client) as session:
        made = sync.generate(CAT, session, progress=steps.append)
        again = sync.generate(CAT, session)
        task = sync.generate(Request(model="Seedream-4.5", prompt="A dog"), session, wait=False)
        assert sync.collect(task.task_id or "", session).status == "completed"
        assert sync.collect_all([task.task_id or ""], session).status == "completed"
        assert [job.id for job in session.jobs()] == [task.entry, made.entry]
        assert session.resume(made.entry).images == made.images
        assert session.balance().units and "Seedream-4.0" in session.models()
    assert made.status == "completed" and again.is_reused and steps
    assert api_client.sent == 2
    session.close()  # closing twice is allowed
    with pytest.raises(InvalidRequest, match="opened before"):
        session.jobs()


def test_sync_generate_opens_a_session_of_the_environment(
    api_client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in api_client.environ.items():
        monkeypatch.setenv(name, value)
    assert sync.generate(CAT).status == "completed" and api_client.states == ["completed"]


def test_sync_batch_yields_in_order_and_stops_when_left(api_client: ApiClient) -> None:
    requests = [Request(model="Seedream-4.0", prompt="A cat", seed=seed) for seed in range(3)]
    with opened(api_client) as session:
        plan = sync.plan_batch(requests, session)
        assert (plan.requests, plan.to_send, api_client.sent) == (3, 3, 0)
        items = [*sync.generate_all(requests, session)]
        assert sync.plan_batch(requests, session).to_send == 0
        assert [item.index for item in items] == [0, 1, 2] and api_client.sent == 3
        assert all(item.result is not None for item in items)
        again = sync.generate_all(iter([*requests, *requests]), session)
        assert next(again).index == 0
        again.close()
        with pytest.raises(InvalidRequest):
            list(sync.generate_all([Request(model="nothing", prompt="A cat")], session))
    assert api_client.sent == 3


def test_sync_works_inside_a_running_loop(api_client: ApiClient) -> None:
    async def notebook() -> str:
        with opened(api_client) as session:
            return sync.generate(CAT, session).status

    assert asyncio.run(notebook()) == "completed"


def test_sync_session_of_several_threads_pays_once(api_client: ApiClient) -> None:
    with opened(api_client) as session, ThreadPoolExecutor(8) as pool:
        results = [*pool.map(lambda _: sync.generate(CAT, session), range(8))]
    assert api_client.sent == 1 and len({result.images for result in results}) == 1


def test_sync_errors_are_those_of_the_client(api_client: ApiClient) -> None:
    with opened(api_client) as session:
        with pytest.raises(InvalidRequest):
            sync.generate(Request(model="nothing", prompt="A cat"), session)
        with pytest.raises(InvalidRequest):
            session.resume(5)


def test_sync_session_that_is_not_open_is_refused(api_client: ApiClient) -> None:
    with pytest.raises(InvalidRequest, match="not open"):
        sync.generate(CAT, opened(api_client))


def test_sync_callback_that_waits_for_its_session_is_refused(api_client: ApiClient) -> None:
    refused: list[InvalidRequest] = []

    def call(step: Any) -> None:
        try:
            session.jobs()
        except InvalidRequest as error:
            refused.append(error)

    with opened(api_client) as session:
        sync.generate(CAT, session, progress=call)
    assert {error.key for error in refused} == {"session_in_callback"}


def test_sync_session_in_a_forked_process_is_refused(
    api_client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(api_client) as session:
        with monkeypatch.context() as patch:
            patch.setattr(os, "getpid", lambda: -1)
            with pytest.raises(InvalidRequest, match="another process"):
                session.jobs()
            session.close()  # the parent still needs it
        assert session.jobs() == []


def test_sync_ctrl_c_says_what_was_sent_and_loses_nothing(
    api_client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The response to what was sent is recorded while the session closes."""
    from support.fake_service import Delay

    api_client.sandbox.faults.push("generate", Delay(0.3))
    sending = threading.Event()

    real = loop_thread.asyncio.run_coroutine_threadsafe

    def interrupt(coroutine: Any, loop: Any) -> Any:
        future = real(coroutine, loop)
        if sending.is_set():
            return future

        def result(timeout: float | None = None) -> Any:
            assert sending.wait(30)
            raise KeyboardInterrupt

        future.result = result  # type: ignore[method-assign]
        return future

    async def watch(opened: Any) -> None:
        opened.on_change = lambda job: sending.set() if job.is_sending else None

    with sync.Session(api_client.settings()) as session:
        session.run(watch)
        monkeypatch.setattr(loop_thread.asyncio, "run_coroutine_threadsafe", interrupt)
        with pytest.raises(KeyboardInterrupt) as caught:
            sync.generate(CAT, session)
    assert "while the service works on the request" in "".join(caught.value.__notes__)
    assert api_client.states == ["accepted"] and api_client.sent == 1
    assert api_client.generate(prompt="A cat").status == "completed" and api_client.sent == 1


def test_sync_wait_that_ends_is_a_timeout_error(
    make_sandbox: Callable[..., Any], make_api_client: Callable[..., ApiClient]
) -> None:
    client = make_api_client(make_sandbox(task_seconds=600))
    with opened(client) as session, pytest.raises(TimeoutError) as caught:
        sync.generate(Request(model="Seedream-4.5", prompt="A"), session, timeout_s=5)
    assert isinstance(caught.value, WaitTimedOut) and caught.value.task_id
