"""Task IDs: those that people type, and those that the service gave."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from support.fake_service import Status
from wishes import cat

from seedream_api import TaskNotFound, collect, collect_all, generate
from seedream_api.sandbox.exchange import Reply, json_reply
from seedream_api.sandbox.generation import Generation


def test_typed_task_that_was_not_found_is_fetched_once_it_is_known(customer: Any) -> None:
    customer.sandbox.faults.push("task", Status(404))
    task_id = customer.run(lambda session: session.client.submit(cat())).task_id
    with pytest.raises(TaskNotFound):
        customer.run(lambda session: collect(task_id, session))
    assert customer.states == ["failed"]
    assert len(customer.run(lambda session: collect(task_id, session)).images) == 1
    assert customer.states == ["completed"] and customer.sent == 1


@pytest.mark.parametrize("wait", [True, False])
def test_own_task_survives_a_404(make_sandbox: Any, make_customer: Any, wait: bool) -> None:
    customer = make_customer(make_sandbox(task_seconds=1000))
    task_id = customer.generate(wait=False).task_id
    customer.sandbox.faults.push("task", Status(404), times=3 if wait else 1)
    if not wait:
        result = customer.run(lambda session: collect(task_id, session, wait=False))
        assert result.status == "pending"
    customer.clock.at += 10_000_000 if wait else 0  # the wall clock jumps
    customer.sandbox.finish_tasks()
    assert len(customer.run(lambda session: collect(task_id, session)).images) == 1


ODD_IDS = ["a=b/c+d@e~f", "任务-1", "x" * 201, "?a#b%2F&c", "a b", "..x", "\U0001f600"]


@pytest.mark.parametrize("task_id", ODD_IDS)
def test_id_that_the_service_gave_is_used_as_it_is(
    customer: Any, monkeypatch: pytest.MonkeyPatch, task_id: str
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
    customer.sandbox.faults.push("task", Status(404), times=2)
    assert customer.run(lambda session: generate(cat(), session, wait=False)).task_id == task_id
    for _ in range(2):
        for get in (collect, lambda one, session: collect_all([one], session)):
            result = customer.run(partial(get, f" {task_id} "))
            assert len(result.images) == 1 and result.task_id == task_id
    assert customer.generate().images and customer.sent == 1
    assert customer.states == ["completed"] and made
