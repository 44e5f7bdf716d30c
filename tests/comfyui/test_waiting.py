"""Wait off and Poll Task: blocked outputs that say why, and tasks that are collected later."""

from __future__ import annotations

import json
from typing import Any

import graphs
import pytest
from events import Outcome
from host import PromptRefused
from studio import Clock, Studio, seen, shown


def submit(studio: Studio, *wishes: str) -> list[str]:
    """Submit a task a wish without waiting; gives their ids."""
    found: list[str] = []
    for wish in wishes:
        graph = {"1": graphs.evolink(wish, wait=False), "2": graphs.show("1", 3)}
        found.append(shown(studio.run(graph), "2"))
    return found


def is_blocked(studio: Studio, outcome: Outcome, node: str) -> bool:
    return outcome.status == "success" and node not in outcome.outputs


def test_wait_off_blocks_the_images_alone(studio: Studio, wish: str) -> None:
    studio.clock.run(Clock.STOPPED)
    graph = {
        "1": graphs.evolink(wish, wait=False),
        "2": graphs.save("1", 0, prefix="blocked"),
        "3": graphs.look("1", 1),
        "4": graphs.show("1", 3),
        "5": graphs.show("1", 2),
        "6": graphs.show("1", 4),
    }
    outcome = studio.run(graph)
    assert is_blocked(studio, outcome, "2") and is_blocked(studio, outcome, "3")
    assert not list((studio.server.base / "output").glob("blocked*"))
    task_id = shown(outcome, "4")
    assert task_id.startswith("task-") and shown(outcome, "5") == ""
    report = json.loads(shown(outcome, "6"))
    assert report["status"] == "submitted" and report["task_ids"] == [task_id]
    said = outcome.texts("1")[-1]
    assert "wait is off" in said and "已提交" in said and task_id in said
    assert len(studio.posts(wish)) == 1


def test_an_answer_with_images_gives_them_even_with_wait_off(studio: Studio, wish: str) -> None:
    from seedream_api.sandbox import Json

    url = shown(studio.run({"1": graphs.evolink(wish), "2": graphs.show("1", 2)}), "2")
    studio.sandbox.faults.push("generate", Json({"data": [{"url": url}]}))
    graph = {
        "1": graphs.evolink(f"{wish} at once", wait=False),
        "2": graphs.look("1"),
        "3": graphs.show("1", 3),
    }
    outcome = studio.run(graph)
    assert seen(outcome, "2") and shown(outcome, "3") == ""


def test_poll_task_looks_once_and_again_at_the_next_run(studio: Studio, wish: str) -> None:
    studio.clock.run(Clock.STOPPED)
    (task_id,) = submit(studio, wish)
    graph = {"1": graphs.poll(task_id, wait=False), "2": graphs.look("1"), "3": graphs.show("1", 4)}
    for _ in range(2):
        outcome = studio.run(graph)
        assert is_blocked(studio, outcome, "2") and "1" in outcome.executed
        said = outcome.texts("1")[-1]
        assert "not ready yet, run again" in said and "尚未完成" in said and task_id in said
        assert json.loads(shown(outcome, "3"))["status"] == "pending"
    studio.sandbox.finish_tasks()
    # The submitting work still looks at times of its own; the node's look does not wait for them.
    ready = studio.run(graph)
    assert seen(ready, "2")[0]["shape"] == [1, 1024, 1024, 3]
    studio.run(graph)
    assert studio.run(graph).executed == set(), "now ComfyUI may keep it"
    assert len(studio.posts(wish)) == 1


def test_a_linked_id_is_looked_at_again_too(studio: Studio, wish: str) -> None:
    studio.clock.run(Clock.STOPPED)
    graph = {
        "1": graphs.evolink(wish, wait=False),
        "2": graphs.poll(["1", 3], wait=False),
        "3": graphs.look("2"),
    }
    assert is_blocked(studio, studio.run(graph), "3")
    studio.sandbox.finish_tasks()
    assert seen(studio.run(graph), "3")
    assert len(studio.posts(wish)) == 1


@pytest.mark.parametrize("way", ["lines", "list", "both"])
def test_several_tasks_come_in_the_order_of_their_ids(studio: Studio, wish: str, way: str) -> None:
    one, two, three = submit(studio, f"{wish} 1", f"{wish} 2 16:9", f"{wish} 3")
    graph: dict[str, Any] = {
        "1": graphs.texts(f"{three}", f"{one}"),
        "2": graphs.look("5", 1),
        "3": graphs.show("5", 3),
    }
    if way == "lines":
        graph["5"] = graphs.poll(f"{three}\n{one}\n\n{two}\n{one}")
    else:
        graph["5"] = graphs.poll(["1", 0])
    expected = [three, one] if way != "lines" else [three, one, two]
    if way == "both":
        # An item of a list may hold several lines itself.
        graph["1"] = graphs.text(f"{three}\n{one}", way)
    outcome = studio.run(graph)
    assert shown(outcome, "3").splitlines() == expected
    assert len(seen(outcome, "2")) == len(expected)
    singly = [
        seen(studio.run({"1": graphs.poll(task), "2": graphs.look("1")}), "2")[0]["middles"]
        for task in expected
    ]
    assert [one["middles"] for one in seen(outcome, "2")] == singly


def test_of_several_tasks_some_may_fail(studio: Studio, wish: str) -> None:
    good, bad = submit(studio, wish, f"{wish} [fails]")
    graph = {
        "1": graphs.poll(f"{bad}\n{good}"),
        "2": graphs.look("1", 1),
        "3": graphs.show("1", 4),
    }
    outcome = studio.run(graph)
    assert len(seen(outcome, "2")) == 1
    report = json.loads(shown(outcome, "3"))
    assert report["status"] == "partial"
    (failure,) = [one for one in report["images"] if one["status"] == "failed"]
    assert failure["task_id"] == bad and "failed to generate" in failure["reason"]
    with studio.settings(SEEDREAM_PARTIAL="fail"):
        message = studio.fail({"9": graphs.poll(f"{good}\n{bad}"), "2": graphs.look("9", 1)})
    assert "1 of 2 images failed" in message and "SEEDREAM_PARTIAL" in message


def test_if_all_fail_the_node_fails_with_the_services_reason(studio: Studio, wish: str) -> None:
    bad, worse = submit(studio, f"{wish} [fails]", f"{wish} [moderated]")
    message = studio.fail({"1": graphs.poll(f"{bad}\n{worse}"), "2": graphs.look("1")})
    assert "The model failed to generate the image" in message
    assert "在服务端失败" in message and "Nothing was charged." in message


@pytest.mark.parametrize("text", ["", "  \n \n"])
def test_an_empty_id_names_the_unfinished_tasks(studio: Studio, wish: str, text: str) -> None:
    studio.clock.run(Clock.STOPPED)
    (task_id,) = submit(studio, wish)
    message = studio.fail({"1": graphs.poll(text), "2": graphs.look("1")})
    assert "task_id is empty" in message and "task_id 为空" in message
    assert task_id in message and "Seedream-4.0" in message


@pytest.mark.parametrize("text", ["https://example.com/task-1", "task 1", "../secret", "x" * 201])
def test_a_malformed_id_is_refused_unasked(studio: Studio, text: str) -> None:
    asked = len(studio.sandbox.requests)
    message = studio.fail({"1": graphs.poll(text), "2": graphs.look("1")})
    assert "is not a valid task ID" in message and "不是有效的任务 ID" in message
    assert len(studio.sandbox.requests) == asked


def test_poll_task_gives_up_in_time_and_names_the_task(studio: Studio, wish: str) -> None:
    studio.clock.run(Clock.STOPPED)
    (task_id,) = submit(studio, wish)
    message = studio.fail({"1": graphs.poll(task_id, timeout_s=1), "2": graphs.look("1")})
    assert task_id in message and "still" in message and "Poll Task" in message


def test_a_generator_that_nothing_hangs_on_never_runs(studio: Studio, wish: str) -> None:
    for make in (graphs.evolink, graphs.preferential):
        with pytest.raises(PromptRefused) as refused:
            studio.server.run({"1": make(wish)})
        assert refused.value.error["type"] == "prompt_no_outputs"
    # Beside a graph that runs it stays untouched as well.
    outcome = studio.run(
        {"1": graphs.evolink(wish), "2": graphs.colour(1, 2, 3), "3": graphs.look("2")}
    )
    assert "1" not in outcome.executed
    assert studio.posts(wish) == []
