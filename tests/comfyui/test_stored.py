"""One click, one charge: the same inputs and seed are paid for once, whatever sends them."""

from __future__ import annotations

import itertools
import json
import threading
from typing import Any

from support import workflows
from support.comfy_events import Event
from support.comfy_fixture import Clock, ComfyFixture, seen, shown

NONCES = itertools.count()
STORED = "stored result, nothing charged"


def graph_of(prompt: str, node: str = "1", **inputs: Any) -> dict[str, Any]:
    """A graph that ComfyUI's own cache has no entry for, so that the pack has to find one."""
    return {
        "80": workflows.text(prompt, next(NONCES)),
        node: workflows.evolink(["80", 0], **inputs),
        "90": workflows.look(node),
        "91": workflows.show(node, 4),
    }


def test_same_inputs_under_another_node_id_are_free(comfy: ComfyFixture, prompt: str) -> None:
    first = comfy.run(graph_of(prompt, "1"))
    again = comfy.run(graph_of(prompt, "7"))
    assert len(comfy.posts(prompt)) == 1
    assert seen(first, "90") == seen(again, "90")
    assert STORED in again.texts("7")[-1]
    assert STORED not in first.texts("1")[-1]
    paid, free = json.loads(shown(first, "91")), json.loads(shown(again, "91"))
    assert (paid["origin"], paid["reused"], paid["may_have_been_charged_images"]) == (
        "new",
        False,
        1,
    )
    assert (free["origin"], free["reused"], free["may_have_been_charged_images"]) == (
        "stored",
        True,
        0,
    )


def test_option_without_effect_on_image_is_not_charged(comfy: ComfyFixture, prompt: str) -> None:
    comfy.run(graph_of(prompt, "1"))
    comfy.run(graph_of(prompt, "1", fit="crop"))
    # With wait off stored images come at once too.
    outcome = comfy.run(graph_of(prompt, "1", wait=False))
    assert seen(outcome, "90") and len(comfy.posts(prompt)) == 1


def test_another_seed_pays_for_a_new_one(comfy: ComfyFixture, prompt: str) -> None:
    for seed in (1, 2, 1, 2):
        outcome = comfy.run(graph_of(prompt, seed=seed))
    assert len(comfy.posts(prompt)) == 2
    assert STORED in outcome.texts("1")[-1]
    assert all("seed" not in post.json for post in comfy.posts(prompt))


def test_same_inputs_are_free_after_a_restart(comfy: ComfyFixture, prompt: str) -> None:
    first = comfy.run(graph_of(prompt))
    comfy.server.stop()
    comfy.server.start()
    again = comfy.run(graph_of(prompt))
    assert "1" in again.executed and seen(first, "90") == seen(again, "90")
    assert STORED in again.texts("1")[-1]
    assert len(comfy.posts(prompt)) == 1


def test_crashed_run_is_resumed_and_node_says_so(comfy: ComfyFixture, prompt: str) -> None:
    comfy.clock.run(Clock.STOPPED)
    prompt_id = comfy.server.queue(graph_of(prompt))
    comfy.server.wait(prompt_id, until=names_a_task)
    comfy.server.kill()
    comfy.server.start()
    comfy.clock.run(Clock.FLYING)
    again = comfy.run(graph_of(prompt))
    said, report = again.texts("1")[-1], json.loads(shown(again, "91"))
    assert "resumed, not sent again" in said
    assert (report["origin"], report["may_have_been_charged_images"]) == ("resumed", 0)
    assert seen(again, "90") and len(comfy.posts(prompt)) == 1


def names_a_task(event: Event) -> bool:
    return event.type == "progress_text" and "task-" in event.data["text"]


def test_response_during_shutdown_is_recorded(comfy: ComfyFixture, prompt: str) -> None:
    graph = {"80": workflows.text(prompt, "quits"), "1": workflows.preferential(["80", 0])}
    graph |= {"90": workflows.look("1")}
    comfy.sandbox.hold()
    comfy.queue_and_wait_for_post(graph, prompt)
    threading.Timer(1.0, comfy.sandbox.release).start()
    comfy.server.stop()
    comfy.server.start()
    assert seen(comfy.run(graph), "90")
    assert len(comfy.posts(prompt)) == 1


def test_two_equal_nodes_of_one_graph_share_one_charge(comfy: ComfyFixture, prompt: str) -> None:
    graph = {
        "80": workflows.text(prompt, "one"),
        "81": workflows.text(prompt, "other"),
        "1": workflows.evolink(["80", 0]),
        "2": workflows.evolink(["81", 0]),
        "3": workflows.look("1"),
        "4": workflows.look("2"),
        "5": workflows.show("1", 4),
        "6": workflows.show("2", 4),
    }
    comfy.sandbox.hold()
    prompt_id = comfy.queue_and_wait_for_post(graph, prompt)
    comfy.sandbox.release()
    outcome = comfy.server.wait(prompt_id)
    assert outcome.status == "success" and outcome.executed >= {"1", "2"}
    assert seen(outcome, "3") == seen(outcome, "4")
    charged = [json.loads(shown(outcome, n))["may_have_been_charged_images"] for n in ("5", "6")]
    assert sorted(charged) == [0, 1]
    assert len(comfy.posts(prompt)) == 1


def test_twenty_clicks_on_the_same_inputs_are_one_charge(comfy: ComfyFixture, prompt: str) -> None:
    queued = [comfy.server.queue(graph_of(prompt)) for _ in range(20)]
    outcomes = [comfy.server.wait(prompt_id) for prompt_id in queued]
    assert [outcome.status for outcome in outcomes] == ["success"] * 20
    assert all("1" in outcome.executed for outcome in outcomes)
    assert {json.dumps(seen(outcome, "90")) for outcome in outcomes} == {
        json.dumps(seen(outcomes[0], "90"))
    }
    assert len(comfy.posts(prompt)) == 1


def test_twenty_seeds_are_twenty_charges(comfy: ComfyFixture, prompt: str) -> None:
    queued = [comfy.server.queue(graph_of(prompt, seed=seed)) for seed in range(20)]
    outcomes = [comfy.server.wait(prompt_id) for prompt_id in queued]
    assert [outcome.status for outcome in outcomes] == ["success"] * 20
    assert len(comfy.posts(prompt)) == 20
    tasks = {json.loads(shown(outcome, "91"))["task_ids"][0] for outcome in outcomes}
    assert len(tasks) == 20


def test_refused_request_is_sent_again(comfy: ComfyFixture, prompt: str) -> None:
    key, account = next(iter(comfy.accounts.items()))
    del comfy.accounts[key]
    comfy.fail(graph_of(prompt))
    comfy.accounts[key] = account
    comfy.run(graph_of(prompt))
    assert len(comfy.posts(prompt)) == 2 and comfy.posts(prompt)[0].status == 401
