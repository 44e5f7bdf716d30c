"""Task IDs: those that people type, and those that the service gave."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from seedream_api import TaskNotFound, collect, collect_all, generate
from seedream_api.sandbox.exchange import Reply, json_reply
from seedream_api.sandbox.generation import Generation
from support.fake_service import Status
from support.sample_requests import cat


def test_unknown_task_id_is_fetched_once_known(api_client: Any) -> None:
    api_client.sandbox.faults.push("task", Status(404))
    task_id = api_client.run(lambda session: session.client.submit(cat())).task_id
    with pytest.raises(TaskNotFound):
        api_client.run(lambda session: collect(task_id, session))
    assert api_client.states == ["failed"]
    assert len(api_client.run(lambda session: collect(task_id, session)).images) == 1
    assert api_client.states == ["completed"] and api_client.sent == 1


@pytest.mark.parametrize("wait", [True, False])
def test_own_task_survives_a_404(make_sandbox: Any, make_api_client: Any, wait: bool) -> None:
    api_client = make_api_client(make_sandbox(task_seconds=1000))
    task_id = api_client.generate(wait=False).task_id
    api_client.sandbox.faults.push("task", Status(404), times=3 if wait else 1)
    if not wait:
        result = api_client.run(lambda session: collect(task_id, session, wait=False))
        assert result.status == "pending"
    api_client.clock.at += 10_000_000 if wait else 0  # the wall clock jumps
    api_client.sandbox.finish_tasks()
    assert len(api_client.run(lambda session: collect(task_id, session)).images) == 1


ODD_IDS = ["a=b/c+d@e~f", "任务-1", "x" * 201, "?a#b%2F&c", "a b", "..x", "\U0001f600"]


@pytest.mark.parametrize("task_id", ODD_IDS)
def test_id_that_the_service_gave_is_used_as_it_is(
    api_client: Any, monkeypatch: pytest.MonkeyPatch, task_id: str
) -> None:
    real_submit, real_poll = Generation.submit, Generation.poll
    made: list[str] = []

    def submit(*args: Any) -> Reply:
        made.append(json.loads(real_submit(*args).body)["id"])
        return json_reply({"id": task_id, "status": "queued"})

    def poll(generation: Generation, asked: str, *args: Any) -> Reply:
        assert asked == task_id
        return real_poll(generation, made[0], *args)

    monkeypatch.setattr(Generation, "submit", submit)
    monkeypatch.setattr(Generation, "poll", poll)
    api_client.sandbox.faults.push("task", Status(404), times=2)
    assert api_client.run(lambda session: generate(cat(), session, wait=False)).task_id == task_id
    for _ in range(2):
        for get in (collect, lambda one, session: collect_all([one], session)):
            result = api_client.run(partial(get, f" {task_id} "))
            assert len(result.images) == 1 and result.task_id == task_id
    assert api_client.generate().images and api_client.sent == 1
    assert api_client.states == ["completed"] and made
