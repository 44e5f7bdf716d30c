"""What a node shows: the references while they are sent, the images that came, and from where."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from support import workflows
from support.comfy_fixture import Clock, ComfyFixture


def last_run(comfy: ComfyFixture, graph: dict[str, Any], node: str = "1") -> dict[str, Any]:
    return comfy.run(graph).outputs[node]["seedream"][0]


def test_previews_are_small_images(comfy: ComfyFixture, prompt: str) -> None:
    graph = {"1": workflows.preferential(prompt, size="2K"), "2": workflows.look("1")}
    outcome = comfy.run(graph)
    (shown,) = outcome.outputs["1"]["images"]
    assert (shown["type"], shown["subfolder"]) == ("temp", "seedream")
    data = comfy.server.view(shown["filename"], shown["subfolder"], shown["type"])
    picture = Image.open(io.BytesIO(data))
    assert picture.format == "JPEG" and max(picture.size) == 512 and len(data) < 200_000


def test_references_are_shown_side_by_side_while_they_are_sent(
    comfy: ComfyFixture, prompt: str
) -> None:
    graph = {
        "3": workflows.colour(255, 0, 0, side=100),
        "4": workflows.colour(0, 0, 255, side=100, batch=2),
        "1": workflows.evolink(prompt, **{"images.image_1": ["3", 0], "images.image_2": ["4", 0]}),
        "2": workflows.look("1"),
    }
    comfy.clock.run(Clock.STOPPED)  # a run that ends at once has nothing to show meanwhile
    prompt_id = comfy.server.queue(graph)
    comfy.server.wait(prompt_id, until=lambda event: event.type == "preview_image")
    comfy.clock.run(Clock.FLYING)
    outcome = comfy.server.wait(prompt_id)
    assert outcome.status == "success"
    (preview,) = outcome.of_type("preview_image")
    data: bytes = preview.data["bytes"]
    sheet = Image.open(io.BytesIO(data[data.index(b"\xff\xd8\xff") :])).convert("RGB")
    assert sheet.size == (320, 320)
    middles = [sheet.getpixel(at) for at in ((80, 80), (240, 80), (80, 240), (240, 240))]
    kinds = ["".join("1" if part > 128 else "0" for part in middle) for middle in middles]  # type: ignore[union-attr]
    assert kinds == ["100", "001", "001", "000"]


def test_a_node_says_where_its_result_came_from(comfy: ComfyFixture, prompt: str) -> None:
    def graph(nonce: int, **inputs: Any) -> dict[str, Any]:
        text = workflows.text(prompt, nonce)
        return {"8": text, "1": workflows.evolink(["8", 0], **inputs), "2": workflows.look("1")}

    new = last_run(comfy, graph(1))
    assert (new["origin"], new["images"], new["may_have_been_charged_images"]) == ("new", 1, 1)
    stored = last_run(comfy, graph(2))
    assert (stored["origin"], stored["may_have_been_charged_images"]) == ("stored", 0)
    comfy.clock.run(Clock.STOPPED)
    submitted = {"1": workflows.evolink(prompt, seed=5, wait=False), "5": workflows.show("1", 3)}
    assert last_run(comfy, submitted)["status"] == "submitted"
    # The first run's task was left running: whoever asks again joins it.
    prompt_id = comfy.server.queue(graph(3, seed=5))
    comfy.server.wait(
        prompt_id, until=lambda e: e.type == "progress_text" and "task-" in e.data["text"]
    )
    comfy.clock.run(Clock.FLYING)
    joined = comfy.server.wait(prompt_id).outputs["1"]["seedream"][0]
    assert (joined["origin"], joined["may_have_been_charged_images"]) == ("joined", 0)
    assert len(comfy.posts(prompt)) == 2
