"""What comes out of the nodes: batches, lists, sizes, and prompts of required inputs only."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from PIL import Image

from support import workflows
from support.comfy_fixture import ComfyFixture, seen, shown

SQUARE = [1024, 1024]


def saved_sizes(comfy: ComfyFixture, saved: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return [Image.open(io.BytesIO(comfy.server.view(**image))).size for image in saved]


def test_preferential_runs_with_its_required_inputs_alone(comfy: ComfyFixture, prompt: str) -> None:
    node = {
        "class_type": "SeedreamPreferential",
        "inputs": {"prompt": prompt, "model": "Seedream-5.0-Lite-Preferential"},
    }
    outcome = comfy.run({"1": node, "2": workflows.look("1"), "3": workflows.show("1", 3)})
    (post,) = comfy.posts(prompt)
    sent = {"model", "prompt", "size", "watermark"}
    assert set(post.json) == sent and post.json["watermark"] is False
    assert post.json["size"] == "2K"
    assert seen(outcome, "2")[0]["shape"][0] == 1
    assert json.loads(shown(outcome, "3"))["status"] == "completed"


def test_evolink_runs_with_its_required_inputs_alone(comfy: ComfyFixture, prompt: str) -> None:
    node = {"class_type": "SeedreamEvolink", "inputs": {"prompt": prompt, "model": "Seedream-4.5"}}
    outcome = comfy.run({"1": node, "2": workflows.look("1"), "3": workflows.show("1", 3)})
    (post,) = comfy.posts(prompt)
    assert post.json["size"] == "1:1" and post.json["quality"] == "2K" and post.json["n"] == 1
    assert "seed" not in post.json
    assert seen(outcome, "2")[0]["shape"] == [1, 2048, 2048, 3]
    assert shown(outcome, "3").startswith("task-")


def test_others_run_with_their_required_inputs_alone(comfy: ComfyFixture, prompt: str) -> None:
    first = comfy.run(
        {"1": workflows.evolink(prompt), "2": workflows.show("1", 2), "3": workflows.show("1", 3)}
    )
    url, task_id = shown(first, "2"), shown(first, "3")
    outcome = comfy.run(
        {
            "1": workflows.poll(task_id),
            "2": workflows.load_urls(url),
            "3": workflows.look("1"),
            "4": workflows.look("2"),
            "5": workflows.look("2", 1),
        }
    )
    for node in ("3", "4"):
        assert seen(outcome, node)[0]["shape"] == [1, *SQUARE, 3]
    assert seen(outcome, "5")[0]["shape"] == [1, *SQUARE]
    assert len(comfy.posts(prompt)) == 1


def test_group_is_one_batch_and_one_list(comfy: ComfyFixture, prompt: str) -> None:
    graph = {
        "1": workflows.evolink(f"{prompt} a series of 4 images", n=4),
        "2": workflows.look("1", 0),
        "3": workflows.look("1", 1),
        "4": workflows.save("1", 1),
        "5": workflows.save("1", 0),
    }
    outcome = comfy.run(graph)
    batch, items = seen(outcome, "2"), seen(outcome, "3")
    assert [one["shape"] for one in batch] == [[4, *SQUARE, 3]]
    assert [one["shape"] for one in items] == [[1, *SQUARE, 3]] * 4
    assert {one["dtype"] for one in batch + items} == {"torch.float32"}
    assert batch[0]["low"] >= 0 and batch[0]["high"] <= 1
    # The list holds the pictures of the batch, in its order.
    assert [one["middles"][0] for one in items] == batch[0]["middles"]
    for node in ("4", "5"):
        assert len(outcome.outputs[node]["images"]) == 4
    assert len(comfy.posts(prompt)) == 1


# The sandbox makes 1:1, 3:2, 2:3, 16:9 of a square group: the batch is 1280 wide, 1248 high.
NATIVE = [(1024, 1024), (1248, 832), (832, 1248), (1280, 720)]


@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
def test_images_of_mixed_sizes_come_out_both_ways(comfy: ComfyFixture, fit: str) -> None:
    asked = "prompt of a series of 4 images [mixed sizes]"
    graph = {
        "1": workflows.evolink(asked, n=4, fit=fit),
        "2": workflows.look("1", 0),
        "3": workflows.look("1", 1),
        "4": workflows.save("1", 1),
        "5": workflows.show("1", 4),
    }
    outcome = comfy.run(graph)
    (batch,) = seen(outcome, "2")
    assert batch["shape"] == [4, 1248, 1280, 3]
    items = [(one["shape"][2], one["shape"][1]) for one in seen(outcome, "3")]
    assert items == NATIVE
    assert saved_sizes(comfy, outcome.outputs["4"]["images"]) == NATIVE
    if fit == "pad":  # untouched and centred: the same middle
        assert batch["middles"] == [one["middles"][0] for one in seen(outcome, "3")]
    report = json.loads(shown(outcome, "5"))
    assert [(one["width"], one["height"]) for one in report["images"]] == NATIVE
    assert len(comfy.posts(asked)) == 1, "fit is not part of what is paid for"


def test_fewer_images_than_requested_are_reported(comfy: ComfyFixture, prompt: str) -> None:
    asked = f"{prompt} a series of 2 images"
    outcome = comfy.run({"1": workflows.evolink(asked, n=4), "2": workflows.show("1", 4)})
    report = json.loads(shown(outcome, "2"))
    assert len(report["images"]) == 2 and report["asked"] == 4
    assert any("upper limit" in note for note in report["notes"])


def test_group_with_a_failed_image_gives_the_others(comfy: ComfyFixture, prompt: str) -> None:
    from support.fake_service import PartialGroup

    comfy.sandbox.faults.push("generate", PartialGroup((1,)))
    graph = {
        "1": workflows.evolink(f"{prompt} a series of 3 images", n=3),
        "2": workflows.look("1", 0),
        "3": workflows.look("1", 1),
        "4": workflows.show("1", 4),
    }
    outcome = comfy.run(graph)
    assert seen(outcome, "2")[0]["shape"][0] == 2 and len(seen(outcome, "3")) == 2
    report = json.loads(shown(outcome, "4"))
    assert report["status"] == "partial"
    assert [one["status"] for one in report["images"]] == ["ok", "ok", "failed"]
    assert "could not be generated" in report["images"][2]["reason"]
    assert "1 failed" in outcome.texts("1")[-1]


def test_undecodable_image_leaves_the_others(comfy: ComfyFixture, prompt: str) -> None:
    from support.fake_service import Status

    broken = b"\x89PNG\r\n\x1a\n" + bytes(64) + b"IEND\xaeB`\x82"
    comfy.sandbox.faults.push("image", Status(200, broken), times=3)
    graph = {
        "1": workflows.evolink(f"{prompt} a series of 2 images", n=2),
        "2": workflows.look("1", 0),
        "3": workflows.show("1", 4),
    }
    outcome = comfy.run(graph)
    assert seen(outcome, "2")[0]["shape"][0] == 1
    statuses = [one["status"] for one in json.loads(shown(outcome, "3"))["images"]]
    assert sorted(statuses) == ["failed", "ok"]


def test_partial_fail_keeps_made_images_for_later(comfy: ComfyFixture, prompt: str) -> None:
    from support.fake_service import PartialGroup

    graph = {
        "1": workflows.evolink(f"{prompt} a series of 4 images", n=4),
        "2": workflows.look("1"),
    }
    comfy.sandbox.faults.push("generate", PartialGroup((2,)))
    with comfy.settings(SEEDREAM_PARTIAL="fail"):
        said = comfy.fail(graph)
    assert "1 of 4" in said and "paid for and stored" in said and "已付费并已保存" in said
    assert seen(comfy.run(graph), "2")[0]["shape"][0] == 3
    assert len(comfy.posts(prompt)) == 1


def test_image_that_cannot_be_saved_afterwards_is_not_lost(
    comfy: ComfyFixture, prompt: str
) -> None:
    graph = {"1": workflows.evolink(prompt), "2": workflows.save("1", prefix="../../outside")}
    outcome = comfy.server.run(graph)
    assert outcome.status == "error" and outcome.error["node_id"] == "2"
    again = comfy.run({"3": workflows.evolink(prompt), "4": workflows.save("3")})
    assert len(again.outputs["4"]["images"]) == 1 and len(comfy.posts(prompt)) == 1
