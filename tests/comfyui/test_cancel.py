"""Cancel frees the graph at once, tells the truth, and sends nothing afterwards."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from support import workflows
from support.comfy_events import Event, Outcome
from support.comfy_fixture import Clock, ComfyFixture, seen, shown

AT_MOST_S = 0.5


def cancel(comfy: ComfyFixture, prompt_id: str) -> Outcome:
    """Press Cancel; the graph must be free in half a second."""
    begun = time.monotonic()
    comfy.server.interrupt(prompt_id)
    outcome = comfy.server.wait(prompt_id, timeout=15)
    (event,) = outcome.of_type("execution_interrupted")
    assert event.at - begun < AT_MOST_S
    assert outcome.status == "interrupted" and outcome.outputs == {}
    return outcome


def check_alive(comfy: ComfyFixture, prompt: str) -> None:
    """The prompt worker continues: the next prompt runs, a paid one too."""
    outcome = comfy.run(
        {"1": workflows.evolink(f"alive after {prompt[5:]}"), "2": workflows.look("1")}
    )
    assert seen(outcome, "2")


def graph_of(prompt: str, **inputs: Any) -> dict[str, Any]:
    return {
        "1": workflows.evolink(prompt, **inputs),
        "2": workflows.look("1"),
        "3": workflows.show("1", 3),
    }


def is_text(words: str) -> Any:
    return lambda event: event.type == "progress_text" and words in event.data["text"]


def last_words(outcome: Outcome) -> str:
    """What the page gets last for the node, in both languages."""
    event = outcome.of_type("seedream.node", "1")[-1].data
    assert event["kind"] == "cancelled"
    texts = [event["error"][language] for language in ("en", "zh")]
    return "\n".join(f"{text['reason']} {text['advice']}" for text in texts)


def test_cancel_while_the_post_waits_for_its_response(comfy: ComfyFixture, prompt: str) -> None:
    comfy.sandbox.hold()
    prompt_id = comfy.server.queue(graph_of(prompt), workflows.PAGE)
    comfy.until(lambda: len(comfy.posts(prompt)) == 1)
    said = last_words(cancel(comfy, prompt_id))
    assert "its response is still recorded" in said and "响应仍会被记录" in said
    assert "may have been charged" in said
    comfy.sandbox.release()
    # The response that came after Cancel was recorded: the same prompt pays nothing.
    again = comfy.run(graph_of(prompt))
    assert seen(again, "2") and len(comfy.posts(prompt)) == 1
    check_alive(comfy, prompt)


def test_cancel_while_a_preferential_post_waits(comfy: ComfyFixture, prompt: str) -> None:
    graph = {"1": workflows.preferential(prompt), "2": workflows.look("1")}
    comfy.sandbox.hold()
    prompt_id = comfy.queue_and_wait_for_post(graph, prompt)
    cancel(comfy, prompt_id)
    comfy.sandbox.release()
    assert seen(comfy.run(graph), "2") and len(comfy.posts(prompt)) == 1


def test_while_the_task_runs(comfy: ComfyFixture, prompt: str) -> None:
    comfy.clock.run(Clock.STOPPED)
    prompt_id = comfy.server.queue(graph_of(prompt), workflows.PAGE)
    comfy.server.wait(prompt_id, until=lambda e: "task-" in str(e.data.get("task_id")))
    said = last_words(cancel(comfy, prompt_id))
    task_id = next(word.strip(".") for word in said.split() if word.startswith("task-"))
    assert f"task {task_id}. The task is still running" in said
    assert f"任务 {task_id}。任务仍在服务端运行" in said
    assert task_id in comfy.server.log
    comfy.clock.run(Clock.FLYING)
    again = comfy.run(graph_of(prompt))
    assert shown(again, "3") == task_id and seen(again, "2")
    assert len(comfy.posts(prompt)) == 1
    check_alive(comfy, prompt)


def test_named_task_can_be_fetched_by_poll_task(comfy: ComfyFixture, prompt: str) -> None:
    comfy.clock.run(Clock.STOPPED)
    prompt_id = comfy.server.queue(graph_of(prompt))
    comfy.server.wait(prompt_id, until=is_text("task-"))
    said = cancel(comfy, prompt_id).texts("1")[-1]
    task_id = next(word.strip(".") for word in said.split() if word.startswith("task-"))
    comfy.clock.run(Clock.FLYING)
    outcome = comfy.run({"1": workflows.poll(task_id), "2": workflows.look("1")})
    assert seen(outcome, "2") and len(comfy.posts(prompt)) == 1


def has_pictures(event: Event) -> bool:
    return bool(event.data.get("pictures"))


def is_node(node: str) -> Any:
    return lambda event: event.type == "executing" and event.data["node"] == node


def states(comfy: ComfyFixture, prompt: str) -> list[str]:
    """The states of this test's entries in the record."""
    with sqlite3.connect(comfy.home / "ledger.sqlite") as db:
        found = db.execute("SELECT state FROM requests WHERE prompt = ?", (prompt,)).fetchall()
    db.close()
    return [state for (state,) in found]


def test_while_references_are_encoded(comfy: ComfyFixture, prompt: str) -> None:
    graph = {
        "8": workflows.colour(200, 100, 50, side=2048, batch=14),
        **graph_of(prompt, **{"images.image_1": ["8", 0]}),
    }
    prompt_id = comfy.server.queue(graph, workflows.PAGE)
    # ComfyUI itself ends a node that is cancelled before its code runs, without a word of ours.
    comfy.server.wait(prompt_id, until=has_pictures)
    said = last_words(cancel(comfy, prompt_id))
    assert "Nothing was charged." in said and "未产生费用" in said
    check_alive(comfy, prompt)
    assert comfy.posts(prompt) == [] and set(states(comfy, prompt)) <= {"withdrawn"}
    assert seen(comfy.run(graph), "2") and len(comfy.posts(prompt)) == 1


def test_while_references_are_uploaded(comfy: ComfyFixture, prompt: str) -> None:
    from support.fake_service import Delay

    graph = {
        "8": workflows.colour(9, sum(prompt.encode()) % 251, 77),
        **graph_of(prompt, **{"images.image_1": ["8", 0]}),
    }
    comfy.sandbox.faults.push("upload", Delay(20.0))
    prompt_id = comfy.server.queue(graph)
    comfy.server.wait(prompt_id, until=is_text("Uploading reference images"))
    said = cancel(comfy, prompt_id).texts("1")[-1]
    assert "Nothing was charged." in said
    comfy.reset()
    check_alive(comfy, prompt)
    assert comfy.posts(prompt) == [] and states(comfy, prompt) == ["withdrawn"]
    assert seen(comfy.run(graph), "2") and len(comfy.posts(prompt)) == 1


def test_while_the_images_are_decoded(comfy: ComfyFixture, prompt: str) -> None:
    graph = graph_of(f"2 images of a cat {prompt}", n=2, quality="4K")
    assert len(seen(comfy.run(graph), "2")) == 1
    graph["1"]["inputs"]["fit"] = "crop"  # the same images, decoded again
    prompt_id = comfy.server.queue(graph)
    comfy.server.wait(prompt_id, until=is_node("1"))
    outcome = cancel(comfy, prompt_id)
    assert "2" not in outcome.executed, "it was not decoding any more"
    assert seen(comfy.run(graph), "2")[0]["shape"][0] == 2
    assert len(comfy.posts(prompt)) == 1


def test_while_the_images_are_fetched(comfy: ComfyFixture, prompt: str) -> None:
    from support.fake_service import SlowDrip

    comfy.sandbox.faults.push("image", SlowDrip(100, 0.05, limit_s=1))
    prompt_id = comfy.server.queue(graph_of(prompt))
    comfy.server.wait(prompt_id, until=is_text("Downloading"))
    outcome = cancel(comfy, prompt_id)
    assert "does not need to be paid for again" in outcome.texts("1")[-1]
    comfy.reset()
    again = comfy.run(graph_of(prompt))
    assert seen(again, "2") and len(comfy.posts(prompt)) == 1
    check_alive(comfy, prompt)


def test_while_twenty_queue_behind_the_limit(comfy: ComfyFixture, prompt: str) -> None:
    graph: dict[str, Any] = {}
    for number in range(20):
        graph[str(number)] = workflows.evolink(prompt, seed=number)
        graph[str(100 + number)] = workflows.look(str(number))
    with comfy.settings(SEEDREAM_MAX_SUBMITS="1"):
        comfy.sandbox.hold()
        prompt_id = comfy.queue_and_wait_for_post(graph, prompt)
        cancel(comfy, prompt_id)
        comfy.sandbox.release()
        # A later request of the same queue has a response: all before it have had their turn.
        check_alive(comfy, prompt)
        assert len(comfy.posts(prompt)) == 1, "something was sent after Cancel"
        again = comfy.run(graph)
    assert all(seen(again, str(100 + number)) for number in range(20))
    assert len(comfy.posts(prompt)) == 20


def test_while_poll_task_waits(comfy: ComfyFixture, prompt: str) -> None:
    comfy.clock.run(Clock.STOPPED)
    first = comfy.run({"1": workflows.evolink(prompt, wait=False), "3": workflows.show("1", 3)})
    task_id = shown(first, "3")
    graph = {"1": workflows.poll(task_id), "2": workflows.look("1")}
    prompt_id = comfy.server.queue(graph)
    comfy.server.wait(prompt_id, until=is_text("task-"))
    outcome = cancel(comfy, prompt_id)
    assert f"task {task_id}. The task is still running" in outcome.texts("1")[-1]
    comfy.clock.run(Clock.FLYING)
    assert seen(comfy.run(graph), "2")


def test_list_of_calls_is_cancelled_whole(comfy: ComfyFixture, prompt: str) -> None:
    graph = {
        "1": workflows.texts(*(f"{prompt} {number}" for number in "abcd")),
        "2": workflows.evolink(["1", 0]),
        "3": workflows.look("2"),
    }
    comfy.sandbox.hold()
    prompt_id = comfy.queue_and_wait_for_post(graph, prompt, 4)
    cancel(comfy, prompt_id)
    comfy.sandbox.release()
    assert len(seen(comfy.run(graph), "3")) == 4
    assert len(comfy.posts(prompt)) == 4


def failing(event: Event) -> bool:
    return event.type == "execution_error"


def test_failing_sibling_frees_the_graph_and_loses_nothing(
    comfy: ComfyFixture, prompt: str
) -> None:
    comfy.sandbox.hold()
    graph = graph_of(prompt)
    prompt_id = comfy.queue_and_wait_for_post({**graph, "9": workflows.fails(0.5)}, prompt)
    outcome = comfy.server.wait(prompt_id, timeout=15)
    assert outcome.status == "error" and outcome.error["node_id"] == "9"
    begun = outcome.of_type("execution_start")[0].at
    assert next(filter(failing, outcome.events)).at - begun < 2
    comfy.sandbox.release()
    again = comfy.run(graph)
    assert seen(again, "2") and len(comfy.posts(prompt)) == 1
    check_alive(comfy, prompt)


def test_failing_sibling_withdraws_what_was_not_sent(comfy: ComfyFixture, prompt: str) -> None:
    graph: dict[str, Any] = {"9": workflows.fails(0.5)}
    for number in range(3):
        graph[str(number)] = workflows.evolink(prompt, seed=number)
        graph[str(100 + number)] = workflows.look(str(number))
    with comfy.settings(SEEDREAM_MAX_SUBMITS="1"):
        comfy.sandbox.hold()
        prompt_id = comfy.queue_and_wait_for_post(graph, prompt)
        assert comfy.server.wait(prompt_id, timeout=15).status == "error"
        comfy.sandbox.release()
        check_alive(comfy, prompt)
    assert len(comfy.posts(prompt)) == 1
