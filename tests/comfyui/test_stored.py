"""One click, one charge: the same inputs and seed are paid for once, whoever asks."""

from __future__ import annotations

import itertools
import json
import threading
from typing import Any

import graphs
from events import Event
from studio import Clock, Studio, seen, shown

NONCES = itertools.count()
STORED = "stored result, nothing charged"


def graph_of(wish: str, node: str = "1", **inputs: Any) -> dict[str, Any]:
    """A graph that ComfyUI's own cache has no answer for, so that the pack has to find one."""
    return {
        "80": graphs.text(wish, next(NONCES)),
        node: graphs.evolink(["80", 0], **inputs),
        "90": graphs.look(node),
        "91": graphs.show(node, 4),
    }


def test_the_same_inputs_under_another_node_id_are_free(studio: Studio, wish: str) -> None:
    first = studio.run(graph_of(wish, "1"))
    again = studio.run(graph_of(wish, "7"))
    assert len(studio.posts(wish)) == 1
    assert seen(first, "90") == seen(again, "90")
    assert STORED in again.texts("7")[-1] and "已保存的结果，未扣费" in again.texts("7")[-1]
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


def test_what_does_not_change_the_picture_does_not_change_the_charge(
    studio: Studio, wish: str
) -> None:
    studio.run(graph_of(wish, "1"))
    studio.run(graph_of(wish, "1", fit="crop"))
    # With wait off stored images come at once too.
    outcome = studio.run(graph_of(wish, "1", wait=False))
    assert seen(outcome, "90") and len(studio.posts(wish)) == 1


def test_another_seed_pays_for_a_new_one(studio: Studio, wish: str) -> None:
    for seed in (1, 2, 1, 2):
        outcome = studio.run(graph_of(wish, seed=seed))
    assert len(studio.posts(wish)) == 2
    assert STORED in outcome.texts("1")[-1]
    assert all("seed" not in post.json for post in studio.posts(wish))


def test_the_same_inputs_are_free_after_a_restart(studio: Studio, wish: str) -> None:
    first = studio.run(graph_of(wish))
    studio.server.stop()
    studio.server.start()
    again = studio.run(graph_of(wish))
    assert "1" in again.executed and seen(first, "90") == seen(again, "90")
    assert STORED in again.texts("1")[-1]
    assert len(studio.posts(wish)) == 1


def test_a_run_that_a_crash_cut_short_is_picked_up_and_the_node_says_so(
    studio: Studio, wish: str
) -> None:
    studio.clock.run(Clock.STOPPED)
    prompt_id = studio.server.queue(graph_of(wish))
    studio.server.wait(prompt_id, until=names_a_task)
    studio.server.kill()
    studio.server.start()
    studio.clock.run(Clock.FLYING)
    again = studio.run(graph_of(wish))
    said, report = again.texts("1")[-1], json.loads(shown(again, "91"))
    assert "resumed, not sent again" in said and "继续此前的任务，未重新发送" in said
    assert (report["origin"], report["may_have_been_charged_images"]) == ("resumed", 0)
    assert seen(again, "90") and len(studio.posts(wish)) == 1


def names_a_task(event: Event) -> bool:
    return event.type == "progress_text" and "task-" in event.data["text"]


def test_an_answer_that_comes_while_comfyui_quits_is_kept(studio: Studio, wish: str) -> None:
    graph = {"80": graphs.text(wish, "quits"), "1": graphs.preferential(["80", 0])}
    graph |= {"90": graphs.look("1")}
    studio.sandbox.hold()
    studio.queue_and_wait_for_post(graph, wish)
    threading.Timer(1.0, studio.sandbox.release).start()
    studio.server.stop()
    studio.server.start()
    assert seen(studio.run(graph), "90")
    assert len(studio.posts(wish)) == 1


def test_two_equal_nodes_of_one_graph_share_one_charge(studio: Studio, wish: str) -> None:
    graph = {
        "80": graphs.text(wish, "one"),
        "81": graphs.text(wish, "other"),
        "1": graphs.evolink(["80", 0]),
        "2": graphs.evolink(["81", 0]),
        "3": graphs.look("1"),
        "4": graphs.look("2"),
        "5": graphs.show("1", 4),
        "6": graphs.show("2", 4),
    }
    studio.sandbox.hold()
    prompt_id = studio.queue_and_wait_for_post(graph, wish)
    studio.sandbox.release()
    outcome = studio.server.wait(prompt_id)
    assert outcome.status == "success" and outcome.executed >= {"1", "2"}
    assert seen(outcome, "3") == seen(outcome, "4")
    charged = [json.loads(shown(outcome, n))["may_have_been_charged_images"] for n in ("5", "6")]
    assert sorted(charged) == [0, 1]
    assert len(studio.posts(wish)) == 1


def test_twenty_clicks_on_the_same_inputs_are_one_charge(studio: Studio, wish: str) -> None:
    queued = [studio.server.queue(graph_of(wish)) for _ in range(20)]
    outcomes = [studio.server.wait(prompt_id) for prompt_id in queued]
    assert [outcome.status for outcome in outcomes] == ["success"] * 20
    assert all("1" in outcome.executed for outcome in outcomes)
    assert {json.dumps(seen(outcome, "90")) for outcome in outcomes} == {
        json.dumps(seen(outcomes[0], "90"))
    }
    assert len(studio.posts(wish)) == 1


def test_twenty_seeds_are_twenty_charges(studio: Studio, wish: str) -> None:
    queued = [studio.server.queue(graph_of(wish, seed=seed)) for seed in range(20)]
    outcomes = [studio.server.wait(prompt_id) for prompt_id in queued]
    assert [outcome.status for outcome in outcomes] == ["success"] * 20
    assert len(studio.posts(wish)) == 20
    tasks = {json.loads(shown(outcome, "91"))["task_ids"][0] for outcome in outcomes}
    assert len(tasks) == 20


def test_a_refused_request_is_sent_again(studio: Studio, wish: str) -> None:
    key, account = next(iter(studio.accounts.items()))
    del studio.accounts[key]
    studio.fail(graph_of(wish))
    studio.accounts[key] = account
    studio.run(graph_of(wish))
    assert len(studio.posts(wish)) == 2 and studio.posts(wish)[0].status == 401
