"""The inputs of a job, put into a graph again: the result is stored, and nothing is sent."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from support import workflows
from support.comfy_fixture import ComfyFixture
from support.pack_routes import ask


def restore(comfy: ComfyFixture, row_id: int) -> dict[str, Any]:
    answer = ask(comfy.server, f"/tasks/{row_id}/inputs", {})
    assert answer.status == 200, answer.body
    return answer.json()


def find_task(comfy: ComfyFixture, prompt: str) -> dict[str, Any]:
    [task] = ask(comfy.server, f"/tasks?text={quote(prompt)}").json()["tasks"]
    return task


def test_restored_inputs_are_stored_and_free(comfy: ComfyFixture, prompt: str) -> None:
    generator = workflows.evolink(prompt, size="16:9", seed=5)
    links = {"images.image_1": ["1", 0], "images.image_2": ["2", 0]}
    comfy.run({
        "1": workflows.colour(200, 10, 30),
        "2": workflows.colour(1, 2, 3),
        "3": {**generator, "inputs": {**generator["inputs"], **links}},
        "4": workflows.look("3"),
    })  # fmt: skip
    row_id = find_task(comfy, prompt)["id"]
    restored = restore(comfy, row_id)
    assert restored["class_type"] == "SeedreamEvolink" and restored["is_exact"]
    files = [one["file"] for one in restored["references"]]
    loaders = {
        str(number): {"class_type": "LoadImage", "inputs": {"image": file}}
        for number, file in enumerate(files, start=1)
    }
    inputs = {**restored["inputs"], **{f"images.image_{n}": [n, 0] for n in loaders}}
    comfy.run({
        **loaders,
        "8": {"class_type": restored["class_type"], "inputs": inputs},
        "9": workflows.look("8"),
    })  # fmt: skip
    assert len(files) == 2 and len(comfy.posts(prompt)) == 1


def test_restored_preferential_inputs_are_its_widgets(comfy: ComfyFixture, prompt: str) -> None:
    comfy.run({"1": workflows.preferential(prompt, seed=3), "2": workflows.look("1")})
    restored = restore(comfy, find_task(comfy, prompt)["id"])
    comfy.run({
        "1": {"class_type": restored["class_type"], "inputs": restored["inputs"]},
        "2": workflows.look("1"),
    })  # fmt: skip
    assert restored["inputs"]["output_format"] == "auto" and len(comfy.posts(prompt)) == 1
    assert ask(comfy.server, "/tasks/999999/inputs", {}).status == 404
