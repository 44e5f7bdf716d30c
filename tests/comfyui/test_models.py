"""Models as data in a real ComfyUI: choices follow the file, a cut-out is an image and a mask."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support import workflows
from support.broken_models import BROKEN, write_broken
from support.comfy_fixture import ComfyFixture, open_comfy
from support.comfy_server import ComfyServer
from support.pack_routes import ask, refusal
from support.paths import PACK_ROOT

EXAMPLE = (PACK_ROOT / "docs" / "examples" / "models.json").read_text("utf-8")
KNOWN = ("Seedream-5.0-Lite", "Seedream-4.5", "Seedream-4.0")
CUTOUT = {"model": "Seedream-5.5-Cutout", "quality": "1.5K", "size": "16:9"}


@pytest.fixture(scope="module")
def comfy(
    boot_comfyui: Callable[..., ComfyServer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ComfyFixture]:
    """A server whose service offers Seedream 5.5 too."""
    from seedream_api.catalog import MODELS, parse_models

    folder, models = tmp_path_factory.mktemp("models"), parse_models(EXAMPLE, MODELS)
    with open_comfy(folder, boot_comfyui, models=models) as opened:
        opened.home.mkdir(mode=0o700, exist_ok=True)
        yield opened


@pytest.fixture
def server(comfy: ComfyFixture) -> ComfyServer:
    return comfy.server


@pytest.fixture
def data(comfy: ComfyFixture) -> Path:
    return comfy.home


def choices(server: ComfyServer, name: str) -> list[str]:
    given = server.object_info()["SeedreamEvolink"]["input"]
    return (given["required"] | given["optional"])[name][1]["options"]


def seen(outcome: Any, node: str) -> Any:
    return json.loads(outcome.outputs[node]["seen"][0])


def test_choices_follow_the_models_file_without_restart(server: ComfyServer, data: Path) -> None:
    before = choices(server, "quality")
    assert before == ["1K", "2K", "4K"]
    (data / "models.json").write_text(EXAMPLE, "utf-8")
    assert choices(server, "model")[-2:] == ["Seedream-5.5", "Seedream-5.5-Cutout"]
    assert choices(server, "quality") == [*before, "1.5K"]
    tooltip = server.object_info()["SeedreamEvolink"]["input"]["optional"]["quality"][1]["tooltip"]
    assert "Seedream-5.5: 1K, 1.5K, 2K." in tooltip


def test_cutout_arrives_as_image_and_mask(
    comfy: ComfyFixture, server: ComfyServer, data: Path, prompt: str
) -> None:
    (data / "models.json").write_text(EXAMPLE, "utf-8")
    graph = {
        "1": workflows.evolink(f"{prompt} a fox", **CUTOUT),
        "2": workflows.look("1", 0),
        "3": workflows.look("1", 5),
        "4": {"class_type": "PreviewAny", "inputs": {"source": ["1", 4]}},
    }
    outcome = server.run(graph)
    assert outcome.status == "success", outcome.error
    image, mask = seen(outcome, "2"), seen(outcome, "3")
    assert image["shape"] == [1, 1200, 2144, 3] and mask["shape"] == [1, 1200, 2144]
    assert (mask["low"], mask["high"], mask["middles"][0][0]) == (0.0, 1.0, 0.0)
    report = json.loads(outcome.outputs["4"]["text"][0])
    assert report["model"] == "Seedream-5.5-Cutout" and report["asked"] == 1
    [sent] = comfy.posts(prompt)
    assert sent.json == {
        "model": "Seedream-5.5", "prompt": f"{prompt} a fox", "size": "16:9", "quality": "1.5K",
        "background": "transparent", "output_format": "png",
    }  # fmt: skip


def test_mask_of_an_opaque_result_is_zeros(server: ComfyServer) -> None:
    graph = {"1": workflows.evolink("a plain fox"), "2": workflows.look("1", 5)}
    mask = seen(server.run(graph), "2")
    assert mask["shape"] == [1, 1024, 1024] and mask["high"] == 0.0


@pytest.mark.parametrize(
    ("wrong", "allowed"),
    [
        ({"quality": "4K"}, "Allowed: 1K, 1.5K, 2K."),
        ({"n": 2}, "n (given: 2) does not exist for Seedream-5.5."),
        (
            {"image_urls": "\n".join(f"https://example.com/{i}.png" for i in range(11))},
            "Allowed for Seedream-5.5: at most 10.",
        ),
    ],
    ids=["tier", "count", "references"],
)
def test_what_5_5_does_not_take_is_refused_before_sending(
    comfy: ComfyFixture, data: Path, prompt: str, wrong: dict[str, Any], allowed: str
) -> None:
    (data / "models.json").write_text(EXAMPLE, "utf-8")
    node = workflows.evolink(prompt, **{**CUTOUT, "model": "Seedream-5.5", **wrong})
    said = comfy.fail({"1": node, "2": workflows.save("1")})
    assert allowed in said and comfy.posts(prompt) == []


def test_broken_models_file_names_its_line_and_nodes_load(server: ComfyServer, data: Path) -> None:
    (data / "models.json").write_text('[{"id": "x",\n "family": "none"}]', "utf-8")
    assert choices(server, "model") == [*KNOWN]
    graph = {"1": workflows.evolink("a hen"), "2": workflows.save("1")}
    assert "line 2, entry 1 (x), family" in server.run(graph).error["exception_message"]
    (data / "models.json").unlink()
    assert server.run(graph).status == "success"


def test_every_broken_file_names_its_mistake_and_nodes_load(
    server: ComfyServer, data: Path
) -> None:
    assert len(BROKEN) >= 20
    for text, line, key, allowed in BROKEN.values():
        (data / "models.json").write_text(write_broken(text), "utf-8")
        shown = server.request("GET", "/object_info/SeedreamEvolink").json()["SeedreamEvolink"]
        assert shown["input"]["required"]["model"][1]["options"] == [*KNOWN], text
        said = ask(server, "/models").json()["error"]["en"]
        assert f"line {line}, entry 2" in said and key in said and allowed in said, text
    (data / "models.json").unlink()


# --- the settings panel ---------------------------------------------------------------------------


def test_panel_saves_entries_and_names_the_place_of_a_mistake(
    server: ComfyServer, data: Path
) -> None:
    file = data / "models.json"
    wrong = EXAMPLE.replace('"max_references": 10', '"max_references": 99')
    status, reason = refusal(ask(server, "/models", {"text": wrong}))
    line = 1 + wrong[: wrong.index("99")].count("\n")
    assert status == 400 and f"line {line}, entry 1 (Seedream-5.5), max_references: 99" in reason
    assert not file.exists()
    checked = ask(server, "/models/check", {"text": wrong}).json()["problem"]
    assert (checked["entry"], checked["key"]) == (0, "max_references")
    assert checked["allowed"] == {"en": "a whole number from 0 to 14", "zh": "0 到 14 的整数"}
    assert ask(server, "/models/check", {"text": "{"}).json()["problem"].keys() == {"en", "zh"}
    right = ask(server, "/models/check", {"text": EXAMPLE}).json()
    assert right["problem"] is None and right["models"][-1]["qualities"] == ["1K", "1.5K", "2K"]
    assert not file.exists()
    saved = ask(server, "/models", {"text": EXAMPLE}).json()
    assert saved["added"] == ["Seedream-5.5", "Seedream-5.5-Cutout"] and saved["editable"]
    assert file.read_text("utf-8") == saved["text"] == EXAMPLE
    assert choices(server, "model")[-1] == "Seedream-5.5-Cutout"
    offered = ask(server, "/models/live", {}).json()
    assert offered["is_open"] and len(offered["offered"]) == 6 and offered["missing"] == []
    assert offered["offered"][-1]["known_as"] == ["Seedream-5.5", "Seedream-5.5-Cutout"]
    other = json.dumps([{"id": "Seedream-9", "family": "evolink"}])
    file.write_text(other, "utf-8")
    assert ask(server, "/models/live", {}).json()["missing"] == ["Seedream-9"]
    file.write_text("[", "utf-8")
    assert "line 1" in ask(server, "/models").json()["error"]["en"]
    assert ask(server, "/models", {"text": ""}).json()["text"] == "" and not file.exists()
