"""The names that other people's workflows hold on to: design.md section 2, and the frozen copy."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.comfy_fixture import ComfyFixture
from support.node_contract import broken, contract_of
from support.paths import PACK_ROOT

FROZEN = json.loads(Path(__file__).with_name("node_contract.json").read_text("utf-8"))

FIT = ["fit", "COMBO", "pad", ["pad", "crop", "stretch"]]
SEED = ["seed", "INT", 0, None]
IMAGES = [[f"images.image_{number}", "IMAGE", None, None] for number in range(1, 15)]
IMAGE_URLS = ["image_urls", "STRING", "", None]
PROFILE = ["profile", "STRING", "", None]
WAIT = ["wait", "BOOLEAN", True, None]
RATIOS = [
    "16:9", "9:16", "1:1", "auto", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "21:9", "9:21",
]  # fmt: skip
PROMPT = ["prompt", "STRING", None, None]
PICTURES = [["images", "IMAGE", False], ["image_list", "IMAGE", True]]
URLS, TASK, REPORT = (["urls", "STRING", False], ["task_id", "STRING", False],
                      ["report", "STRING", False])  # fmt: skip
MASKS = ["masks", "MASK", False]

# id -> display name, required and optional inputs (id, type, default, choices), outputs
DESIGN: dict[str, tuple[str, list[Any], list[Any], list[Any]]] = {
    "SeedreamPreferential": (
        "Seedream Preferential",
        [
            PROMPT,
            ["model", "COMBO", None,
             ["Seedream-5.0-Lite-Preferential", "Seedream-4.5-Preferential"]],
        ],
        [
            ["size", "COMBO", "2K", ["2K", "4K"]],
            ["output_format", "COMBO", "auto", ["auto", "png", "jpeg"]],
            ["watermark", "BOOLEAN", False, None],
            SEED,
            *IMAGES,
            IMAGE_URLS,
            FIT,
            PROFILE,
        ],
        [*PICTURES, URLS, REPORT, MASKS],
    ),
    "SeedreamEvolink": (
        "Seedream Evolink",
        [PROMPT, ["model", "COMBO", None, ["Seedream-5.0-Lite", "Seedream-4.5", "Seedream-4.0"]]],
        [
            ["size", "COMBO", "1:1", RATIOS],
            ["quality", "COMBO", "2K", ["1K", "2K", "4K"]],
            ["n", "INT", 1, None],
            ["prompt_priority", "COMBO", "standard", ["standard", "fast"]],
            SEED,
            *IMAGES,
            IMAGE_URLS,
            WAIT,
            FIT,
            PROFILE,
        ],
        [*PICTURES, URLS, TASK, REPORT, MASKS],
    ),
    "SeedreamPollTask": (
        "Poll Task",
        [["task_id", "STRING", None, None]],
        [WAIT, ["timeout_s", "INT", 1800, None], FIT, PROFILE],
        [*PICTURES, URLS, TASK, REPORT, MASKS],
    ),
    "SeedreamLoadURLImages": (
        "Load URL Images",
        [["urls", "STRING", None, None]],
        [["on_error", "COMBO", "fail", ["fail", "skip"]], FIT],
        [PICTURES[0], MASKS, PICTURES[1], REPORT],
    ),
    "SeedreamBatch": (
        "Seedream Batch",
        [
            ["prompts", "STRING", None, None],
            ["model", "COMBO", None,
             ["Seedream-5.0-Lite-Preferential", "Seedream-4.5-Preferential",
              "Seedream-5.0-Lite", "Seedream-4.5", "Seedream-4.0"]],
        ],
        [
            ["size", "STRING", "", None],
            ["quality", "STRING", "", None],
            ["n", "INT", 1, None],
            SEED,
            *IMAGES,
            IMAGE_URLS,
            ["on_error", "COMBO", "keep", ["keep", "fail"]],
            FIT,
            PROFILE,
        ],
        [*PICTURES, URLS, ["task_ids", "STRING", False], REPORT],
    ),
    "SeedreamUploadReferences": ("Upload References", [], IMAGES, [URLS, REPORT]),
}  # fmt: skip


@pytest.fixture(scope="module")
def object_info(shared_comfy: ComfyFixture) -> dict[str, Any]:
    return shared_comfy.server.object_info()


@pytest.fixture(scope="module")
def now(object_info: dict[str, Any]) -> dict[str, Any]:
    return contract_of(object_info)


def plainly(inputs: list[list[Any]]) -> list[list[Any]]:
    return [[name, kind, o.get("default"), o.get("options")] for name, kind, o in inputs]


@pytest.mark.parametrize("node", DESIGN)
def test_node_is_as_designed(now: dict[str, Any], node: str) -> None:
    display_name, required, optional, outputs = DESIGN[node]
    info = now[node]
    assert (info["display_name"], info["category"]) == (display_name, "Seedream")
    assert plainly(info["required"]) == required
    assert plainly(info["optional"]) == optional
    assert info["outputs"] == outputs
    assert not info["output_node"] and not info["api_node"]


def test_numbers_and_texts_have_their_bounds_and_shape(now: dict[str, Any]) -> None:
    inputs = {
        (node, i[0]): i[2] for node in now for i in now[node]["required"] + now[node]["optional"]
    }
    assert inputs["SeedreamEvolink", "n"] == {"default": 1, "min": 1, "max": 15}
    for node, name in inputs:
        if name == "seed":
            assert inputs[node, name]["control_after_generate"] == "fixed"
            assert inputs[node, name]["min"] == 0
        if name in ("prompt", "image_urls", "task_id", "urls"):
            assert inputs[node, name]["multiline"] is True


def test_all_nodes_of_the_pack_are_in_the_contract(now: dict[str, Any]) -> None:
    assert set(DESIGN) <= set(now)
    assert set(now) == set(FROZEN), "freeze a new node: see contract.py"


def test_every_input_and_output_has_a_tooltip(object_info: dict[str, Any]) -> None:
    for node in DESIGN:
        info = object_info[node]
        given = {**info["input"].get("required", {}), **info["input"]["optional"]}
        assert [name for name, (_, options) in given.items() if not options.get("tooltip")] == []
        assert all(info["output_tooltips"]) and info["description"]


def test_output_ids_share_no_name_with_inputs() -> None:
    # /object_info shows display names only, so the ids are read where they are written.
    source = PACK_ROOT / "nodes"
    text = "".join(file.read_text("utf-8") for file in source.rglob("*.py"))
    declared = [part.split('"')[1] for part in text.split(".Output(")[1:] if '"' in part[:40]]
    assert declared and all(name.startswith("out_") for name in declared)


def test_nothing_breaks_workflows_that_exist(now: dict[str, Any]) -> None:
    assert broken(FROZEN, now) == []


def add_required(node: dict[str, Any]) -> None:
    node["required"].append(["more", "INT", {}])


def rename_choice(node: dict[str, Any]) -> None:
    node["optional"][0][2]["options"][0] = "other"


def change_default(node: dict[str, Any]) -> None:
    node["optional"][-1][2]["default"] = "crop"


def swap_inputs(node: dict[str, Any]) -> None:
    node["optional"][:2] = node["optional"][1::-1]


def drop_input(node: dict[str, Any]) -> None:
    del node["optional"][3]


def add_in_the_middle(node: dict[str, Any]) -> None:
    node["optional"].insert(2, ["more", "INT", {}])


def drop_output(node: dict[str, Any]) -> None:
    del node["outputs"][-1]


def rename(node: dict[str, Any]) -> None:
    node["display_name"] = "Seedream"


@pytest.mark.parametrize(
    "change",
    [add_required, rename_choice, change_default, swap_inputs, drop_input, add_in_the_middle,
     drop_output, rename],
)  # fmt: skip
def test_rule_sees(change: Callable[[dict[str, Any]], None]) -> None:
    changed = copy.deepcopy(FROZEN)
    change(changed["SeedreamEvolink"])
    assert broken(FROZEN, changed)


def test_contract_allows_new_node_last_input_and_last_output() -> None:
    changed = copy.deepcopy(FROZEN)
    changed["SeedreamEvolink"]["outputs"].append(["more", "STRING", False])
    changed["SeedreamEvolink"]["optional"].append(["more", "INT", {"default": 0}])
    changed["SeedreamNew"] = changed["SeedreamEvolink"]
    assert broken(FROZEN, changed) == []
    del changed["SeedreamEvolink"]
    assert broken(FROZEN, changed) == ["SeedreamEvolink is gone"]
