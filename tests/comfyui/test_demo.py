"""The demo driver's own logic, with core nodes in place of the pack's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from support.comfy_server import ComfyServer
from support.tool_modules import load_tool

demo = load_tool("demo")


@pytest.fixture(scope="module")
def server(boot_comfyui: Callable[..., ComfyServer]) -> ComfyServer:
    return boot_comfyui(packs={})


def write(folder: Path, name: str, source: str) -> Path:
    """A workflow that shows ``source``, a text, as "Preview as Text" does."""
    text = {"class_type": "PrimitiveString", "inputs": {"value": source}}
    show = {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}}
    file = folder / name
    file.write_text(json.dumps({"1": text, "2": show}), "utf-8")
    return file


def test_workflow_uses_what_an_earlier_one_showed(server: ComfyServer, tmp_path: Path) -> None:
    shown: dict[str, str] = {}
    assert demo.run_workflow(server, write(tmp_path, "1.json", 'a "task"'), shown)
    assert shown == {"STRING": 'a "task"'}
    assert demo.run_workflow(server, write(tmp_path, "2.json", "{{STRING}} again"), shown)
    assert shown == {"STRING": 'a "task" again'}


def test_workflow_without_its_shown_input_fails(
    server: ComfyServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not demo.run_workflow(server, write(tmp_path, "1.json", "{{task_id}}"), {})
    assert "no earlier workflow showed 'task_id'" in capsys.readouterr().out


def test_refused_workflow_fails(server: ComfyServer, tmp_path: Path) -> None:
    (tmp_path / "1.json").write_text('{"1": {"class_type": "NoSuchNode", "inputs": {}}}')
    assert not demo.run_workflow(server, tmp_path / "1.json", {})


def test_saved_images_are_fetched(
    server: ComfyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "PICTURES", tmp_path)
    image = {"width": 8, "height": 8, "batch_size": 2, "color": 0}
    save = {"images": ["1", 0], "filename_prefix": "demo"}
    outcome = server.run(
        {
            "1": {"class_type": "EmptyImage", "inputs": image},
            "2": {"class_type": "SaveImage", "inputs": save},
        }
    )
    assert demo.save_pictures(server, outcome) == ["demo_00001_.png", "demo_00002_.png"]
    assert (tmp_path / "demo_00002_.png").read_bytes().startswith(b"\x89PNG")
