"""Lists, subgraphs, parts of a graph, and nodes side by side."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support import workflows
from support.comfy_fixture import Clock, ComfyFixture, seen, shown


def test_list_of_prompts_is_as_many_paid_calls(comfy: ComfyFixture, prompt: str) -> None:
    prompts = [f"{prompt} {letter}" for letter in "abc"]
    graph = {
        "1": workflows.texts(*prompts),
        "2": workflows.evolink(["1", 0]),
        "3": workflows.look("2"),
        "4": workflows.show("2", 4),
    }
    outcome = comfy.run(graph)
    assert sorted(post.json["prompt"] for post in comfy.posts(prompt)) == prompts
    assert len(seen(outcome, "3")) == 3
    reports = [json.loads(text) for text in outcome.outputs["4"]["text"]]
    assert [report["call"] for report in reports] == ["1 of 3", "2 of 3", "3 of 3"]
    said = " ".join(outcome.texts("2"))
    assert all(f"call {number} of 3" in said for number in (1, 2, 3))


def test_list_of_images_is_as_many_paid_calls(comfy: ComfyFixture, prompt: str) -> None:
    graph = {
        "1": workflows.evolink(f"{prompt} a series of 2 images", n=2),
        "2": workflows.evolink(f"{prompt} each", **{"images.image_1": ["1", 1]}),
        "3": workflows.evolink(f"{prompt} both", **{"images.image_1": ["1", 0]}),
        "4": workflows.look("2"),
        "5": workflows.look("3"),
    }
    comfy.run(graph)
    assert [len(p.json["image_urls"]) for p in comfy.posts(f"{prompt} each")] == [1, 1]
    assert [len(p.json["image_urls"]) for p in comfy.posts(f"{prompt} both")] == [2]


def test_failing_call_of_a_list_loses_none_of_the_others(comfy: ComfyFixture, prompt: str) -> None:
    prompts = [f"{prompt} a", f"{prompt} b [fails]", f"{prompt} c"]
    graph = {
        "1": workflows.texts(*prompts),
        "2": workflows.evolink(["1", 0]),
        "3": workflows.look("2"),
    }
    assert "failed to generate" in comfy.fail(graph)
    good = {
        "1": workflows.texts(prompts[0], prompts[2]),
        "2": workflows.evolink(["1", 0]),
        "3": workflows.look("2"),
    }
    assert len(seen(comfy.run(good), "3")) == 2
    assert len(comfy.posts(prompt)) == 3


@pytest.mark.parametrize("ids", [("12:5", "12:6"), ("3:12:5", "3:12:6")])
def test_node_inside_a_subgraph(comfy: ComfyFixture, prompt: str, ids: tuple[str, str]) -> None:
    generator, viewer = ids
    graph = {
        generator: workflows.evolink(f"{prompt} {generator.count(':')}"),
        viewer: workflows.look(generator),
        "7": workflows.show(generator, 3),
    }
    outcome = comfy.run(graph)
    assert seen(outcome, viewer)
    texts = outcome.texts(generator)
    assert texts and "1 image · " in texts[-1]
    assert not [e for e in outcome.of_type("progress_text") if e.data["node"] != generator]


def test_only_what_is_asked_for_runs(comfy: ComfyFixture, prompt: str) -> None:
    graph = {
        "1": workflows.evolink(f"{prompt} one"),
        "2": workflows.evolink(f"{prompt} other"),
        "3": workflows.look("1"),
        "4": workflows.look("2"),
    }
    prompt_id = comfy.server.queue(graph, targets=["4"])
    outcome = comfy.server.wait(prompt_id)
    assert outcome.status == "success" and outcome.executed == {"2", "4"}
    assert [post.json["prompt"] for post in comfy.posts(prompt)] == [f"{prompt} other"]


def test_independent_nodes_run_at_the_same_time(comfy: ComfyFixture, prompt: str) -> None:
    """All four are at the service before the first of them has ended."""
    graph: dict[str, Any] = {}
    for number in range(4):
        graph[str(number)] = workflows.evolink(prompt, seed=number)
        graph[str(50 + number)] = workflows.look(str(number))
    comfy.clock.run(Clock.STOPPED)
    prompt_id = comfy.queue_and_wait_for_post(graph, prompt, count=4)
    comfy.clock.run(Clock.REAL)
    assert comfy.server.wait(prompt_id).status == "success" and len(comfy.posts(prompt)) == 4


def test_progress_is_shown_while_a_task_runs(comfy: ComfyFixture, prompt: str) -> None:
    comfy.clock.run(Clock.STOPPED)
    graph = {"1": workflows.evolink(prompt), "2": workflows.look("1"), "3": workflows.show("1", 3)}
    prompt_id = comfy.server.queue(graph)
    comfy.server.wait(
        prompt_id, until=lambda e: e.type == "progress_text" and "task-" in e.data["text"]
    )
    comfy.clock.run(Clock.REAL)
    outcome = comfy.server.wait(prompt_id)
    task_id = shown(outcome, "3")
    texts = outcome.texts("1")
    assert any(text.startswith(("Queued", "Processing")) for text in texts)
    assert any(task_id in text for text in texts)
    assert texts[-1].startswith("new · 1 image")
