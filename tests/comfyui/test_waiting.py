"""Wait off and Poll Task: blocked outputs that say why, and tasks that are collected later."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from support import workflows
from support.comfy_events import Outcome
from support.comfy_fixture import Clock, ComfyFixture, seen, shown
from support.comfy_server import PromptRefused


def submit(comfy: ComfyFixture, *wishes: str) -> list[str]:
    """Submit one task per prompt without waiting and return their ids."""
    found: list[str] = []
    for prompt in wishes:
        graph = {"1": workflows.evolink(prompt, wait=False), "2": workflows.show("1", 3)}
        found.append(shown(comfy.run(graph), "2"))
    return found


def is_blocked(comfy: ComfyFixture, outcome: Outcome, node: str) -> bool:
    return outcome.status == "success" and node not in outcome.outputs


def test_wait_off_blocks_the_images_alone(comfy: ComfyFixture, prompt: str) -> None:
    comfy.clock.run(Clock.STOPPED)
    graph = {
        "1": workflows.evolink(prompt, wait=False),
        "2": workflows.save("1", 0, prefix="blocked"),
        "3": workflows.look("1", 1),
        "4": workflows.show("1", 3),
        "5": workflows.show("1", 2),
        "6": workflows.show("1", 4),
    }
    outcome = comfy.run(graph)
    assert is_blocked(comfy, outcome, "2") and is_blocked(comfy, outcome, "3")
    assert not list((comfy.server.base / "output").glob("blocked*"))
    task_id = shown(outcome, "4")
    assert task_id.startswith("task-") and shown(outcome, "5") == ""
    report = json.loads(shown(outcome, "6"))
    assert report["status"] == "submitted" and report["task_ids"] == [task_id]
    said = outcome.texts("1")[-1]
    assert "wait is off" in said and task_id in said
    assert len(comfy.posts(prompt)) == 1


def test_response_with_images_returns_them_with_wait_off(comfy: ComfyFixture, prompt: str) -> None:
    from support.fake_service import Json

    url = shown(comfy.run({"1": workflows.evolink(prompt), "2": workflows.show("1", 2)}), "2")
    comfy.sandbox.faults.push("generate", Json({"data": [{"url": url}]}))
    graph = {
        "1": workflows.evolink(f"{prompt} at once", wait=False),
        "2": workflows.look("1"),
        "3": workflows.show("1", 3),
    }
    outcome = comfy.run(graph)
    assert seen(outcome, "2") and shown(outcome, "3") == ""


def test_poll_task_polls_once_per_run_with_wait_off(comfy: ComfyFixture, prompt: str) -> None:
    comfy.clock.run(Clock.STOPPED)
    (task_id,) = submit(comfy, prompt)
    graph = {
        "1": workflows.poll(task_id, wait=False),
        "2": workflows.look("1"),
        "3": workflows.show("1", 4),
    }
    for _ in range(2):
        outcome = comfy.run(graph)
        assert is_blocked(comfy, outcome, "2") and "1" in outcome.executed
        said = outcome.texts("1")[-1]
        assert "not ready yet, run again" in said and task_id in said
        assert json.loads(shown(outcome, "3"))["status"] == "pending"
    comfy.sandbox.finish_tasks()
    # The submitting job still polls on its schedule; the node's poll does not wait for that.
    ready = comfy.run(graph)
    assert seen(ready, "2")[0]["shape"] == [1, 1024, 1024, 3]
    comfy.run(graph)
    assert comfy.run(graph).executed == set(), "now ComfyUI may keep it"
    assert len(comfy.posts(prompt)) == 1


def test_linked_id_is_looked_at_again_too(comfy: ComfyFixture, prompt: str) -> None:
    comfy.clock.run(Clock.STOPPED)
    graph = {
        "1": workflows.evolink(prompt, wait=False),
        "2": workflows.poll(["1", 3], wait=False),
        "3": workflows.look("2"),
    }
    assert is_blocked(comfy, comfy.run(graph), "3")
    comfy.sandbox.finish_tasks()
    assert seen(comfy.run(graph), "3")
    assert len(comfy.posts(prompt)) == 1


@pytest.mark.parametrize("way", ["lines", "list", "both"])
def test_several_tasks_come_in_the_order_of_their_ids(
    comfy: ComfyFixture, prompt: str, way: str
) -> None:
    one, two, three = submit(comfy, f"{prompt} 1", f"{prompt} 2 16:9", f"{prompt} 3")
    graph: dict[str, Any] = {
        "1": workflows.texts(f"{three}", f"{one}"),
        "2": workflows.look("5", 1),
        "3": workflows.show("5", 3),
    }
    if way == "lines":
        graph["5"] = workflows.poll(f"{three}\n{one}\n\n{two}\n{one}")
    else:
        graph["5"] = workflows.poll(["1", 0])
    expected = [three, one] if way != "lines" else [three, one, two]
    if way == "both":
        # An item of a list may hold several lines itself.
        graph["1"] = workflows.text(f"{three}\n{one}", way)
    outcome = comfy.run(graph)
    assert shown(outcome, "3").splitlines() == expected
    assert len(seen(outcome, "2")) == len(expected)
    singly = [
        seen(comfy.run({"1": workflows.poll(task), "2": workflows.look("1")}), "2")[0]["middles"]
        for task in expected
    ]
    assert [one["middles"] for one in seen(outcome, "2")] == singly


def test_of_several_tasks_some_may_fail(comfy: ComfyFixture, prompt: str) -> None:
    good, bad = submit(comfy, prompt, f"{prompt} [fails]")
    graph = {
        "1": workflows.poll(f"{bad}\n{good}"),
        "2": workflows.look("1", 1),
        "3": workflows.show("1", 4),
    }
    outcome = comfy.run(graph)
    assert len(seen(outcome, "2")) == 1
    report = json.loads(shown(outcome, "3"))
    assert report["status"] == "partial"
    (failure,) = [one for one in report["images"] if one["status"] == "failed"]
    assert failure["task_id"] == bad and "failed to generate" in failure["reason"]
    with comfy.settings(SEEDREAM_PARTIAL="fail"):
        message = comfy.fail({"9": workflows.poll(f"{good}\n{bad}"), "2": workflows.look("9", 1)})
    assert "1 of 2 images failed" in message and "SEEDREAM_PARTIAL" in message


def test_if_all_fail_the_node_fails_with_the_services_reason(
    comfy: ComfyFixture, prompt: str
) -> None:
    bad, worse = submit(comfy, f"{prompt} [fails]", f"{prompt} [moderated]")
    message = comfy.fail({"1": workflows.poll(f"{bad}\n{worse}"), "2": workflows.look("1")})
    assert "The model failed to generate the image" in message
    assert "在服务端失败" in message and "Nothing was charged." in message


@pytest.mark.parametrize("text", ["", "  \n \n"])
def test_empty_id_names_the_unfinished_tasks(comfy: ComfyFixture, prompt: str, text: str) -> None:
    comfy.clock.run(Clock.STOPPED)
    (task_id,) = submit(comfy, prompt)
    message = comfy.fail({"1": workflows.poll(text), "2": workflows.look("1")})
    assert "task_id is empty" in message and "task_id 为空" in message
    assert task_id in message and "Seedream-4.0" in message


@pytest.mark.parametrize("text", ["https://example.com/task-1", "task 1", "../secret", "x" * 201])
def test_malformed_task_id_is_refused_without_a_request(comfy: ComfyFixture, text: str) -> None:
    asked = len(comfy.sandbox.requests)
    message = comfy.fail({"1": workflows.poll(text), "2": workflows.look("1")})
    assert "is not a valid task ID" in message and "不是有效的任务 ID" in message
    # Tasks of earlier tests may still be polled in the background.
    polled = [one.path.rpartition("/")[2] for one in comfy.sandbox.requests[asked:]]
    assert all(re.fullmatch("task-[0-9a-f]{12}", task_id) for task_id in polled)


def test_poll_task_gives_up_in_time_and_names_the_task(comfy: ComfyFixture, prompt: str) -> None:
    comfy.clock.run(Clock.STOPPED)
    (task_id,) = submit(comfy, prompt)
    message = comfy.fail({"1": workflows.poll(task_id, timeout_s=1), "2": workflows.look("1")})
    assert task_id in message and "still" in message and "Poll Task" in message


def test_generator_without_an_output_node_never_runs(comfy: ComfyFixture, prompt: str) -> None:
    for make in (workflows.evolink, workflows.preferential):
        with pytest.raises(PromptRefused) as refused:
            comfy.server.run({"1": make(prompt)})
        assert refused.value.error["type"] == "prompt_no_outputs"
    # Beside a graph that runs it stays untouched as well.
    outcome = comfy.run(
        {"1": workflows.evolink(prompt), "2": workflows.colour(1, 2, 3), "3": workflows.look("2")}
    )
    assert "1" not in outcome.executed
    assert comfy.posts(prompt) == []
