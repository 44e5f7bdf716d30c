"""Lists, subgraphs, parts of a graph, and nodes side by side."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support import workflows
from support.comfy_fixture import Clock, Studio, seen, shown


def test_a_list_of_prompts_is_as_many_paid_calls(studio: Studio, wish: str) -> None:
    prompts = [f"{wish} {letter}" for letter in "abc"]
    graph = {
        "1": workflows.texts(*prompts),
        "2": workflows.evolink(["1", 0]),
        "3": workflows.look("2"),
        "4": workflows.show("2", 4),
    }
    outcome = studio.run(graph)
    assert sorted(post.json["prompt"] for post in studio.posts(wish)) == prompts
    assert len(seen(outcome, "3")) == 3
    reports = [json.loads(text) for text in outcome.outputs["4"]["text"]]
    assert [report["call"] for report in reports] == ["1 of 3", "2 of 3", "3 of 3"]
    said = " ".join(outcome.texts("2"))
    assert all(f"call {number} of 3" in said for number in (1, 2, 3))


def test_a_list_of_images_is_as_many_paid_calls(studio: Studio, wish: str) -> None:
    graph = {
        "1": workflows.evolink(f"{wish} a series of 2 images", n=2),
        "2": workflows.evolink(f"{wish} each", **{"images.image_1": ["1", 1]}),
        "3": workflows.evolink(f"{wish} both", **{"images.image_1": ["1", 0]}),
        "4": workflows.look("2"),
        "5": workflows.look("3"),
    }
    studio.run(graph)
    assert [len(p.json["image_urls"]) for p in studio.posts(f"{wish} each")] == [1, 1]
    assert [len(p.json["image_urls"]) for p in studio.posts(f"{wish} both")] == [2]


def test_a_failing_call_of_a_list_loses_none_of_the_others(studio: Studio, wish: str) -> None:
    prompts = [f"{wish} a", f"{wish} b [fails]", f"{wish} c"]
    graph = {
        "1": workflows.texts(*prompts),
        "2": workflows.evolink(["1", 0]),
        "3": workflows.look("2"),
    }
    assert "failed to generate" in studio.fail(graph)
    good = {
        "1": workflows.texts(prompts[0], prompts[2]),
        "2": workflows.evolink(["1", 0]),
        "3": workflows.look("2"),
    }
    assert len(seen(studio.run(good), "3")) == 2
    assert len(studio.posts(wish)) == 3


@pytest.mark.parametrize("ids", [("12:5", "12:6"), ("3:12:5", "3:12:6")])
def test_a_node_inside_a_subgraph(studio: Studio, wish: str, ids: tuple[str, str]) -> None:
    generator, viewer = ids
    graph = {
        generator: workflows.evolink(f"{wish} {generator.count(':')}"),
        viewer: workflows.look(generator),
        "7": workflows.show(generator, 3),
    }
    outcome = studio.run(graph)
    assert seen(outcome, viewer)
    texts = outcome.texts(generator)
    assert texts and "1 image(s)" in texts[-1]
    assert not [e for e in outcome.of_type("progress_text") if e.data["node"] != generator]


def test_only_what_is_asked_for_runs(studio: Studio, wish: str) -> None:
    graph = {
        "1": workflows.evolink(f"{wish} one"),
        "2": workflows.evolink(f"{wish} other"),
        "3": workflows.look("1"),
        "4": workflows.look("2"),
    }
    prompt_id = studio.server.queue(graph, targets=["4"])
    outcome = studio.server.wait(prompt_id)
    assert outcome.status == "success" and outcome.executed == {"2", "4"}
    assert [post.json["prompt"] for post in studio.posts(wish)] == [f"{wish} other"]


def test_independent_nodes_run_at_the_same_time(studio: Studio, wish: str) -> None:
    """All four are at the service before the first of them has ended."""
    graph: dict[str, Any] = {}
    for number in range(4):
        graph[str(number)] = workflows.evolink(wish, seed=number)
        graph[str(50 + number)] = workflows.look(str(number))
    studio.clock.run(Clock.STOPPED)
    prompt_id = studio.queue_and_wait_for_post(graph, wish, count=4)
    studio.clock.run(Clock.REAL)
    assert studio.server.wait(prompt_id).status == "success" and len(studio.posts(wish)) == 4


def test_progress_is_shown_while_a_task_runs(studio: Studio, wish: str) -> None:
    studio.clock.run(Clock.STOPPED)
    graph = {"1": workflows.evolink(wish), "2": workflows.look("1"), "3": workflows.show("1", 3)}
    prompt_id = studio.server.queue(graph)
    studio.server.wait(
        prompt_id, until=lambda e: e.type == "progress_text" and "task-" in e.data["text"]
    )
    studio.clock.run(Clock.REAL)
    outcome = studio.server.wait(prompt_id)
    task_id = shown(outcome, "3")
    texts = outcome.texts("1")
    assert any("Queued 排队中" in text or "Processing 生成中" in text for text in texts)
    assert any(task_id in text for text in texts)
    assert texts[-1].startswith("new 新生成 · 1 image(s)")
