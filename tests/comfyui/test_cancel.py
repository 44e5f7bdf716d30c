"""Cancel frees the graph at once, tells the truth, and sends nothing afterwards."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

import graphs
from events import Event, Outcome
from studio import Clock, Studio, seen, shown

AT_MOST_S = 0.5


def cancel(studio: Studio, prompt_id: str) -> Outcome:
    """Press Cancel; the graph must be free in half a second."""
    begun = time.monotonic()
    studio.server.interrupt(prompt_id)
    outcome = studio.server.wait(prompt_id, timeout=15)
    (event,) = outcome.of_type("execution_interrupted")
    assert event.at - begun < AT_MOST_S
    assert outcome.status == "interrupted" and outcome.outputs == {}
    return outcome


def check_alive(studio: Studio, wish: str) -> None:
    """The prompt worker goes on: the next prompt runs, a paid one too."""
    outcome = studio.run({"1": graphs.evolink(f"alive after {wish[5:]}"), "2": graphs.look("1")})
    assert seen(outcome, "2")


def graph_of(wish: str, **inputs: Any) -> dict[str, Any]:
    return {"1": graphs.evolink(wish, **inputs), "2": graphs.look("1"), "3": graphs.show("1", 3)}


def is_text(words: str) -> Any:
    return lambda event: event.type == "progress_text" and words in event.data["text"]


def test_while_the_request_is_being_answered(studio: Studio, wish: str) -> None:
    studio.sandbox.hold()
    prompt_id = studio.queue_and_wait_for_post(graph_of(wish), wish)
    outcome = cancel(studio, prompt_id)
    said = outcome.texts("1")[-1]
    assert "its response is still recorded" in said and "响应仍会被记录" in said
    assert "may have been charged" in said
    studio.sandbox.release()
    # The answer that came after Cancel was written down: the same prompt pays nothing.
    again = studio.run(graph_of(wish))
    assert seen(again, "2") and len(studio.posts(wish)) == 1
    check_alive(studio, wish)


def test_while_a_preferential_request_is_being_answered(studio: Studio, wish: str) -> None:
    graph = {"1": graphs.preferential(wish), "2": graphs.look("1")}
    studio.sandbox.hold()
    prompt_id = studio.queue_and_wait_for_post(graph, wish)
    cancel(studio, prompt_id)
    studio.sandbox.release()
    assert seen(studio.run(graph), "2") and len(studio.posts(wish)) == 1


def test_while_the_task_runs(studio: Studio, wish: str) -> None:
    studio.clock.run(Clock.STOPPED)
    prompt_id = studio.server.queue(graph_of(wish))
    studio.server.wait(prompt_id, until=is_text("task-"))
    outcome = cancel(studio, prompt_id)
    said = outcome.texts("1")[-1]
    task_id = next(word for word in said.split() if word.startswith("task-"))
    assert f"task {task_id} is still running" in said and f"任务 {task_id} 仍在服务端运行" in said
    assert task_id in studio.server.log
    studio.clock.run(Clock.FLYING)
    again = studio.run(graph_of(wish))
    assert shown(again, "3") == task_id and seen(again, "2")
    assert len(studio.posts(wish)) == 1
    check_alive(studio, wish)


def test_the_named_task_can_be_fetched_by_poll_task(studio: Studio, wish: str) -> None:
    studio.clock.run(Clock.STOPPED)
    prompt_id = studio.server.queue(graph_of(wish))
    studio.server.wait(prompt_id, until=is_text("task-"))
    said = cancel(studio, prompt_id).texts("1")[-1]
    task_id = next(word for word in said.split() if word.startswith("task-"))
    studio.clock.run(Clock.FLYING)
    outcome = studio.run({"1": graphs.poll(task_id), "2": graphs.look("1")})
    assert seen(outcome, "2") and len(studio.posts(wish)) == 1


def is_node(node: str) -> Any:
    return lambda event: event.type == "executing" and event.data["node"] == node


def states(studio: Studio, wish: str) -> list[str]:
    """The states of this test's entries in the record."""
    with sqlite3.connect(studio.home / "ledger.sqlite") as db:
        found = db.execute("SELECT state FROM requests WHERE prompt = ?", (wish,)).fetchall()
    db.close()
    return [state for (state,) in found]


def test_while_references_are_encoded(studio: Studio, wish: str) -> None:
    graph = {
        "8": graphs.colour(200, 100, 50, side=2048, batch=14),
        **graph_of(wish, **{"images.image_1": ["8", 0]}),
    }
    prompt_id = studio.server.queue(graph)
    studio.server.wait(prompt_id, until=is_node("1"))
    said = cancel(studio, prompt_id).texts("1")[-1]
    assert "Nothing was charged." in said and "未产生费用" in said
    check_alive(studio, wish)
    assert studio.posts(wish) == [] and set(states(studio, wish)) <= {"withdrawn"}
    assert seen(studio.run(graph), "2") and len(studio.posts(wish)) == 1


def test_while_references_are_uploaded(studio: Studio, wish: str) -> None:
    from seedream_api.sandbox import Delay

    graph = {
        "8": graphs.colour(9, sum(wish.encode()) % 251, 77),
        **graph_of(wish, **{"images.image_1": ["8", 0]}),
    }
    studio.sandbox.faults.push("upload", Delay(20.0))
    prompt_id = studio.server.queue(graph)
    studio.server.wait(prompt_id, until=is_text("Uploading references"))
    said = cancel(studio, prompt_id).texts("1")[-1]
    assert "Nothing was charged." in said and "未产生费用" in said
    studio.reset()
    check_alive(studio, wish)
    assert studio.posts(wish) == [] and states(studio, wish) == ["withdrawn"]
    assert seen(studio.run(graph), "2") and len(studio.posts(wish)) == 1


def test_while_the_images_are_decoded(studio: Studio, wish: str) -> None:
    prompt = f"2 images of a cat {wish}"
    graph = graph_of(prompt, n=2, quality="4K")
    assert len(seen(studio.run(graph), "2")) == 1
    graph["1"]["inputs"]["fit"] = "crop"  # the same images, decoded anew
    prompt_id = studio.server.queue(graph)
    studio.server.wait(prompt_id, until=is_node("1"))
    outcome = cancel(studio, prompt_id)
    assert "2" not in outcome.executed, "it was not decoding any more"
    assert seen(studio.run(graph), "2")[0]["shape"][0] == 2
    assert len(studio.posts(wish)) == 1


def test_while_the_images_are_fetched(studio: Studio, wish: str) -> None:
    from seedream_api.sandbox import SlowDrip

    studio.sandbox.faults.push("image", SlowDrip(100, 0.05, limit_s=1))
    prompt_id = studio.server.queue(graph_of(wish))
    studio.server.wait(prompt_id, until=is_text("Downloading"))
    outcome = cancel(studio, prompt_id)
    assert "does not need to be paid for again" in outcome.texts("1")[-1]
    studio.reset()
    again = studio.run(graph_of(wish))
    assert seen(again, "2") and len(studio.posts(wish)) == 1
    check_alive(studio, wish)


def test_while_twenty_queue_behind_the_limit(studio: Studio, wish: str) -> None:
    graph: dict[str, Any] = {}
    for number in range(20):
        graph[str(number)] = graphs.evolink(wish, seed=number)
        graph[str(100 + number)] = graphs.look(str(number))
    with studio.settings(SEEDREAM_MAX_SUBMITS="1"):
        studio.sandbox.hold()
        prompt_id = studio.queue_and_wait_for_post(graph, wish)
        cancel(studio, prompt_id)
        studio.sandbox.release()
        # A later request of the same line is answered: whatever stood in it has had its turn.
        check_alive(studio, wish)
        assert len(studio.posts(wish)) == 1, "something was sent after Cancel"
        again = studio.run(graph)
    assert all(seen(again, str(100 + number)) for number in range(20))
    assert len(studio.posts(wish)) == 20


def test_while_poll_task_waits(studio: Studio, wish: str) -> None:
    studio.clock.run(Clock.STOPPED)
    first = studio.run({"1": graphs.evolink(wish, wait=False), "3": graphs.show("1", 3)})
    task_id = shown(first, "3")
    graph = {"1": graphs.poll(task_id), "2": graphs.look("1")}
    prompt_id = studio.server.queue(graph)
    studio.server.wait(prompt_id, until=is_text("task-"))
    outcome = cancel(studio, prompt_id)
    assert f"task {task_id} is still running" in outcome.texts("1")[-1]
    studio.clock.run(Clock.FLYING)
    assert seen(studio.run(graph), "2")


def test_a_list_of_calls_is_cancelled_whole(studio: Studio, wish: str) -> None:
    graph = {
        "1": graphs.texts(*(f"{wish} {number}" for number in "abcd")),
        "2": graphs.evolink(["1", 0]),
        "3": graphs.look("2"),
    }
    studio.sandbox.hold()
    prompt_id = studio.queue_and_wait_for_post(graph, wish, 4)
    cancel(studio, prompt_id)
    studio.sandbox.release()
    assert len(seen(studio.run(graph), "3")) == 4
    assert len(studio.posts(wish)) == 4


def failing(event: Event) -> bool:
    return event.type == "execution_error"


def test_a_failing_sibling_frees_the_graph_and_loses_nothing(studio: Studio, wish: str) -> None:
    studio.sandbox.hold()
    graph = graph_of(wish)
    prompt_id = studio.queue_and_wait_for_post({**graph, "9": graphs.fails(0.5)}, wish)
    outcome = studio.server.wait(prompt_id, timeout=15)
    assert outcome.status == "error" and outcome.error["node_id"] == "9"
    begun = outcome.of_type("execution_start")[0].at
    assert next(filter(failing, outcome.events)).at - begun < 2
    studio.sandbox.release()
    again = studio.run(graph)
    assert seen(again, "2") and len(studio.posts(wish)) == 1
    check_alive(studio, wish)


def test_a_failing_sibling_withdraws_what_was_not_sent(studio: Studio, wish: str) -> None:
    graph: dict[str, Any] = {"9": graphs.fails(0.5)}
    for number in range(3):
        graph[str(number)] = graphs.evolink(wish, seed=number)
        graph[str(100 + number)] = graphs.look(str(number))
    with studio.settings(SEEDREAM_MAX_SUBMITS="1"):
        studio.sandbox.hold()
        prompt_id = studio.queue_and_wait_for_post(graph, wish)
        assert studio.server.wait(prompt_id, timeout=15).status == "error"
        studio.sandbox.release()
        check_alive(studio, wish)
    assert len(studio.posts(wish)) == 1
