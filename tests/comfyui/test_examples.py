"""The example workflows: they run in order, charge once, and are the same in both forms."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from support.comfy_events import Outcome
from support.comfy_fixture import ComfyFixture
from support.comfy_launch import PACK_FOLDER
from support.example_workflows import (
    EXAMPLES,
    LONG_SIDE,
    SHARED,
    example_names,
    place_example_image,
    saved_pictures,
    thumbnail,
)
from support.paths import PACK_ROOT
from support.saved_workflows import NOTES, to_api

NAMES = example_names()
PAID = {
    "seedream_01_text_to_image_and_upscale": 1,
    "seedream_02_edit_with_two_references": 1,
    "seedream_03_group_of_four": 1,
    "seedream_04_submit_a_task": 1,
    "seedream_05_collect_with_poll_task": 0,
    "seedream_06_load_url_images": 0,
    "seedream_07_app_text_to_image": 1,
    "seedream_08_app_edit_with_reference": 1,
    "seedream_09_cut_out_over_a_picture": 1,
    "seedream_10_batch_from_a_table": 4,
}


@dataclass
class Ran:
    outcome: Outcome
    posts: int
    pictures: list[Image.Image]


def read(name: str, form: str = "") -> dict[str, Any]:
    return json.loads((EXAMPLES / form / f"{name}.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def ran(shared_comfy: ComfyFixture) -> dict[str, Ran]:
    """Every example, run once, in the order of their names."""
    comfy = shared_comfy
    comfy.reset()
    place_example_image(comfy.server)
    found: dict[str, Ran] = {}
    for name in NAMES:
        before = len(comfy.sandbox.posts)
        outcome = comfy.run(read(name, "api"))
        posts = len(comfy.sandbox.posts) - before
        found[name] = Ran(outcome, posts, saved_pictures(comfy.server, outcome))
    return found


def test_every_example_has_its_three_files() -> None:
    assert list(PAID) == NAMES
    for form, ending in (("", "json"), ("", "jpg"), ("api", "json")):
        assert sorted(file.stem for file in (EXAMPLES / form).glob(f"*.{ending}")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_example_runs_and_charges_what_it_should(ran: dict[str, Ran], name: str) -> None:
    assert ran[name].outcome.status == "success"
    assert ran[name].posts == PAID[name]
    assert ran[name].pictures or name in SHARED


def test_what_the_examples_show(ran: dict[str, Ran]) -> None:
    sizes = {name: [picture.size for picture in one.pictures] for name, one in ran.items()}
    assert sizes["seedream_01_text_to_image_and_upscale"] == [
        (4272, 2400)
    ]  # 2848 x 1600, times 1.5
    assert (
        sizes["seedream_03_group_of_four"]
        == sizes["seedream_06_load_url_images"]
        == [(1024, 1024)] * 4
    )
    assert sizes["seedream_05_collect_with_poll_task"] == [(2848, 1600)]
    (task_id,) = ran["seedream_04_submit_a_task"].outcome.outputs["2"]["text"]
    assert task_id.startswith("task-")


@pytest.mark.parametrize("name", NAMES)
def test_both_forms_are_one_graph(comfy: ComfyFixture, name: str) -> None:
    prompt = read(name, "api")
    titles = [node.pop("_meta")["title"] for node in prompt.values()]
    assert all(titles), "some clients find nodes by their titles"
    assert to_api(read(name), comfy.server.object_info()) == prompt


@pytest.mark.parametrize("name", NAMES)
def test_note_is_short_and_in_both_languages(name: str) -> None:
    texts = [
        json.loads((PACK_ROOT / "locales" / language / "main.json").read_text("utf-8"))
        for language in ("en", "zh")
    ]
    notes = [one["seedream"]["templates"][name]["note"] for one in texts]
    (note,) = [node for node in read(name)["nodes"] if node["type"] in NOTES]
    # The page shows the one of its language: it replaces exactly this text.
    assert note["widgets_values"] == ["\n\n".join(notes)]
    assert max(map(len, notes)) < 280


@pytest.mark.parametrize("name", NAMES)
def test_saved_form_is_sound(comfy: ComfyFixture, name: str) -> None:
    workflow, known = read(name), comfy.server.object_info()
    nodes = {node["id"]: node for node in workflow["nodes"]}
    assert all(node["mode"] == 0 for node in nodes.values())
    assert [node for node in nodes.values() if node["type"] in NOTES], "it explains itself"
    assert workflow["last_node_id"] == max(nodes)
    for link, source, output, target, slot, kind in workflow["links"]:
        leaving = nodes[source]["outputs"][output]
        assert link in leaving["links"] and leaving["type"] == kind
        assert nodes[target]["inputs"][slot]["link"] == link
    for node in nodes.values():
        if node["type"].startswith("Seedream"):
            names = [output["name"] for output in node["outputs"]]
            assert names == known[node["type"]]["output_name"]


@pytest.mark.parametrize("name", NAMES)
def test_thumbnail_is_the_workflows_own_output(ran: dict[str, Ran], name: str) -> None:
    file = EXAMPLES / f"{name}.jpg"
    shown = Image.open(file)
    assert shown.format == "JPEG" and max(shown.size) == LONG_SIDE
    assert 10_000 < file.stat().st_size < 200_000
    made = thumbnail(ran[SHARED.get(name, name)].pictures)
    assert made.size == shown.size
    # Small, so that what another version of a font or of JPEG draws does not count.
    small = [image.convert("RGB").resize((32, 32), Image.Resampling.BOX) for image in (made, shown)]
    assert max(ImageStat.Stat(ImageChops.difference(*small)).mean) < 6


def test_server_offers_them_as_templates(comfy: ComfyFixture) -> None:
    offered = comfy.server.request("GET", "/workflow_templates").json()
    assert sorted(offered[PACK_FOLDER]) == NAMES
    path = f"/api/workflow_templates/{PACK_FOLDER}/{NAMES[0]}"
    assert comfy.server.request("GET", f"{path}.json").status == 200
    assert comfy.server.request("GET", f"{path}.jpg").status == 200
