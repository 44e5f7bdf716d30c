"""What a node shows a page, as facts and small pictures, and what other clients see of a run."""

from __future__ import annotations

import io
import json
from typing import Any

from PIL import Image

from support import workflows
from support.comfy_events import EventStream, Outcome
from support.comfy_fixture import Clock, ComfyFixture


def queue(comfy: ComfyFixture, graph: dict[str, Any]) -> str:
    return comfy.server.queue(graph, workflows.PAGE)


def kept(outcome: Outcome, node: str = "1") -> dict[str, Any]:
    """The outcome that ComfyUI keeps for the page."""
    return json.loads(outcome.outputs[node]["seedream"][0])


def last_run(comfy: ComfyFixture, graph: dict[str, Any]) -> dict[str, Any]:
    outcome = comfy.server.wait(queue(comfy, graph))
    assert outcome.status == "success", outcome.error
    return kept(outcome)


def open_picture(comfy: ComfyFixture, shown: dict[str, str]) -> Image.Image:
    assert (shown["type"], shown["subfolder"]) == ("temp", "seedream")
    data = comfy.server.view(shown["filename"], shown["subfolder"], shown["type"])
    assert len(data) < 200_000
    return Image.open(io.BytesIO(data))


def test_result_pictures_for_a_page_are_small(comfy: ComfyFixture, prompt: str) -> None:
    graph = {"1": workflows.preferential(prompt, size="2K"), "2": workflows.look("1")}
    (shown,) = last_run(comfy, graph)["pictures"]
    picture = open_picture(comfy, shown)
    assert picture.format == "JPEG" and max(picture.size) == 512


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
    prompt_id = queue(comfy, graph)
    comfy.server.wait(prompt_id, until=lambda e: bool(e.data.get("pictures")))
    comfy.clock.run(Clock.FLYING)
    outcome = comfy.server.wait(prompt_id)
    assert outcome.status == "success"
    first = next(e.data["pictures"] for e in outcome.of_type("seedream.node", "1"))
    sheet = open_picture(comfy, first[0]).convert("RGB")
    assert sheet.size == (320, 320)
    middles = [sheet.getpixel(at) for at in ((80, 80), (240, 80), (80, 240), (240, 240))]
    kinds = ["".join("1" if part > 128 else "0" for part in middle) for middle in middles]  # type: ignore[union-attr]
    assert kinds == ["100", "001", "001", "000"]


def test_node_says_where_its_result_came_from(comfy: ComfyFixture, prompt: str) -> None:
    def graph(nonce: int, **inputs: Any) -> dict[str, Any]:
        text = workflows.text(prompt, nonce)
        return {"8": text, "1": workflows.evolink(["8", 0], **inputs), "2": workflows.look("1")}

    new = last_run(comfy, graph(1))
    assert (new["origin"], new["images"], new["charged"], new["free"]) == ("new", 1, 1, True)
    stored = last_run(comfy, graph(2))
    assert (stored["origin"], stored["charged"]) == ("stored", 0)
    comfy.clock.run(Clock.STOPPED)
    submitted = {"1": workflows.evolink(prompt, seed=5, wait=False), "5": workflows.show("1", 3)}
    assert last_run(comfy, submitted)["status"] == "submitted"
    # The first run's task was left running: an equal request joins it.
    prompt_id = queue(comfy, graph(3, seed=5))
    comfy.server.wait(prompt_id, until=lambda e: "task-" in str(e.data.get("task_id")))
    comfy.clock.run(Clock.FLYING)
    joined = kept(comfy.server.wait(prompt_id))
    assert (joined["origin"], joined["charged"]) == ("joined", 0)
    assert len(comfy.posts(prompt)) == 2


def test_page_gets_facts_and_other_clients_nothing(comfy: ComfyFixture, prompt: str) -> None:
    stranger = EventStream(comfy.server.url, client_id="stranger")
    graph = {"1": workflows.evolink(prompt), "2": workflows.look("1")}
    comfy.clock.run(Clock.REAL)
    prompt_id = queue(comfy, graph)
    comfy.server.wait(prompt_id, until=lambda event: event.type == "seedream.node")
    comfy.clock.run(Clock.FLYING)
    outcome = comfy.server.wait(prompt_id)
    events = [event.data for event in outcome.of_type("seedream.node", "1")]
    assert [event["kind"] for event in events][-1] == "done"
    assert events[:-1] and {event["kind"] for event in events[:-1]} == {"progress"}
    assert outcome.texts() == [], "the page would show a second line"
    assert stranger.of_type("seedream.node") == []


def test_failed_node_tells_the_page_reason_charge_and_advice(
    comfy: ComfyFixture, prompt: str
) -> None:
    graph = {"1": workflows.evolink(f"{prompt} [blocked]"), "2": workflows.look("1")}
    outcome = comfy.server.wait(queue(comfy, graph))
    event = outcome.of_type("seedream.node", "1")[-1].data
    error = event["error"]
    assert (event["kind"], error["charge"]) == ("failed", "none")
    assert error["en"]["reason"].endswith("Nothing was charged.") and error["en"]["advice"]
    assert error["zh"]["reason"].endswith("未产生费用。")
    assert outcome.error["exception_type"] == f"seedream_api.{error['type']}"


def test_node_that_stops_for_a_sibling_tells_the_page(comfy: ComfyFixture, prompt: str) -> None:
    comfy.clock.run(Clock.STOPPED)
    graph = {"1": workflows.evolink(prompt), "2": workflows.look("1"), "9": workflows.fails(1.5)}
    outcome = comfy.server.wait(queue(comfy, graph))
    assert outcome.status == "error"
    assert outcome.of_type("seedream.node", "1")[-1].data["kind"] == "abandoned"


def test_program_gets_text_progress_and_no_pictures(comfy: ComfyFixture, prompt: str) -> None:
    """As comfy-cli and others do: no workflow, the outputs of every node taken for results."""
    stranger = EventStream(comfy.server.url, client_id="stranger")
    comfy.clock.run(Clock.REAL)
    prompt_id = comfy.server.queue({"1": workflows.evolink(prompt), "2": workflows.save("1")})
    comfy.server.wait(prompt_id, until=lambda e: e.type == "progress" and e.data["max"] == 100.0)
    comfy.clock.run(Clock.FLYING)
    outcome = comfy.server.wait(prompt_id)
    assert outcome.of_type("seedream.node") == []
    assert [node for node, ui in outcome.outputs.items() if ui.get("images")] == ["2"]
    assert kept(outcome)["pictures"] == []
    assert outcome.texts("1")[-1].startswith("new · 1 image · ")
    assert stranger.of_type("progress_text") == []
