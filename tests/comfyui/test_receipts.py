"""Receipts in the files of Save Image: of the generator before it, and of no other."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from typing import Any

from PIL import Image

from support import workflows
from support.comfy_fixture import ComfyFixture
from support.pack_routes import ask
from support.paths import PACK_ROOT


def read_texts(comfy: ComfyFixture, outcome: Any, node: str) -> list[dict[str, str]]:
    """Read the text chunks of each file that a Save Image node wrote."""
    files = outcome.outputs[node]["images"]
    images = [Image.open(io.BytesIO(comfy.server.view(one["filename"]))) for one in files]
    return [dict(image.text) for image in images]


def read_receipts(comfy: ComfyFixture, outcome: Any, node: str) -> list[Any]:
    [texts] = read_texts(comfy, outcome, node)
    return json.loads(texts["seedream"]) if "seedream" in texts else []


def test_each_image_has_the_receipt_of_its_generator(comfy: ComfyFixture, prompt: str) -> None:
    outcome = comfy.run({
        "1": workflows.evolink(prompt, seed=1, size="16:9"),
        "2": workflows.preferential(prompt, seed=2),
        "3": workflows.colour(1, 2, 3),
        "4": {"class_type": "ImageScaleBy", "inputs": {
            "image": ["1", 0], "upscale_method": "bilinear", "scale_by": 0.5}},
        "5": workflows.save("4", prefix="one"),
        "6": workflows.save("2", prefix="two"),
        "7": workflows.save("3", prefix="plain"),
    })  # fmt: skip
    [first], [second] = read_receipts(comfy, outcome, "5"), read_receipts(comfy, outcome, "6")
    assert (first["node"], first["seed"], first["fields"]["size"]) == ("1", 1, "16:9")
    assert (second["node"], second["seed"], second["task_id"]) == ("2", 2, None)
    assert first["task_id"] and first["fingerprint"] != second["fingerprint"]
    [plain] = read_texts(comfy, outcome, "7")
    assert list(plain) == ["prompt"], "an image of another node is saved as without the pack"
    assert prompt not in json.dumps([first, second])
    for receipt in (first, second):
        [task] = ask(comfy.server, f"/tasks?fingerprint={receipt['fingerprint']}").json()["tasks"]
        assert task["prompt"] == prompt


def test_receipt_of_cached_generator_is_saved_again(comfy: ComfyFixture, prompt: str) -> None:
    generator = workflows.evolink(prompt)
    graph = {"1": generator, "2": workflows.save("1", prefix="first")}
    first = read_receipts(comfy, comfy.run(graph), "2")
    again = comfy.run({"1": generator, "2": workflows.save("1", prefix="second")})
    assert "1" not in [
        event.data.get("node") for event in again.events if event.type == "executing"
    ]
    assert read_receipts(comfy, again, "2") == first and len(first) == 1


def test_receipts_are_off_by_a_setting(comfy: ComfyFixture, prompt: str) -> None:
    graph = {"1": workflows.evolink(prompt), "2": workflows.save("1")}
    extra = {"extra_pnginfo": {"workflow": {"nodes": []}}}
    with comfy.settings(SEEDREAM_RECEIPTS="off"):
        outcome = comfy.server.wait(comfy.server.queue(graph, extra))
    [texts] = read_texts(comfy, outcome, "2")
    assert sorted(texts) == ["prompt", "workflow"]
    graph["2"] = workflows.save("1", prefix="on")
    outcome = comfy.server.wait(comfy.server.queue(graph, extra))
    [texts] = read_texts(comfy, outcome, "2")
    assert sorted(texts) == ["prompt", "seedream", "workflow"]
    assert json.loads(texts["workflow"]) == {"nodes": []}


def test_receipt_command_prints_stored_originals(comfy: ComfyFixture, prompt: str) -> None:
    outcome = comfy.run({"1": workflows.evolink(prompt), "2": workflows.save("1")})
    [file] = outcome.outputs["2"]["images"]
    path = comfy.server.base / "output" / file["filename"]
    moved = path.rename(path.with_name("a picture.png"))
    ran = subprocess.run(
        [sys.executable, "-m", "seedream_api", "receipt", str(moved), "--json"],
        env={**os.environ, "SEEDREAM_HOME": str(comfy.home)},
        cwd=PACK_ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    [receipt] = json.loads(ran.stdout)["receipts"]
    [original] = receipt["originals"]
    assert str(comfy.home) in original and receipt["entry"] and receipt["model"] == "Seedream-4.0"
