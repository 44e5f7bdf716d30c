"""The harness itself, proven on a real ComfyUI with a pack that only exists here."""

from __future__ import annotations

import io
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from support.comfy_launch import ComfyServerError
from support.comfy_server import ComfyServer, PromptRefused

PACK = '''
import asyncio
from comfy.model_management import InterruptProcessingException, processing_interrupted
from comfy.utils import ProgressBar
from server import PromptServer

class SlowText:
    """Counts to `steps`, a tenth of a second each, and can be interrupted."""
    INPUT_TYPES = classmethod(lambda cls: {
        "required": {"text": ("STRING", {}), "steps": ("INT", {"default": 1})},
        "hidden": {"node": "UNIQUE_ID"},
    })
    RETURN_TYPES = ("STRING",)
    FUNCTION = "run"
    OUTPUT_NODE = True

    async def run(self, text, steps, node):
        if text == "fail":
            raise ValueError("as asked")
        bar = ProgressBar(steps)
        for step in range(steps):
            bar.update(1)
            PromptServer.instance.send_progress_text(f"step {step + 1} of {steps} \\u4e2d", node)
            await asyncio.sleep(0.1)
            if processing_interrupted():
                raise InterruptProcessingException()
        return (text,)

NODE_CLASS_MAPPINGS = {"HarnessSlowText": SlowText}
'''


@pytest.fixture(scope="module")
def server(
    boot_comfyui: Callable[..., ComfyServer], tmp_path_factory: pytest.TempPathFactory
) -> ComfyServer:
    folder = tmp_path_factory.mktemp("pack")
    (folder / "__init__.py").write_text(PACK, "utf-8")
    return boot_comfyui(packs={"Harness-Pack": folder})


@pytest.mark.skipif(os.name == "nt", reason="a child cannot be sent Ctrl+C there")
def test_server_whose_starter_ignores_ctrl_c_ends_all_the_same(
    boot_comfyui: Callable[..., ComfyServer],
) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in a shell's background job
    try:
        server = boot_comfyui(packs={})
    finally:
        signal.signal(signal.SIGINT, before)
    server.stop()
    assert "Stopped server" in server.log


def picture(value: int) -> dict[str, object]:
    size = {"width": 8, "height": 4, "batch_size": 1, "color": value}
    return {"class_type": "EmptyImage", "inputs": size}


def slow_text(text: str, steps: int) -> dict[str, object]:
    return {"1": {"class_type": "HarnessSlowText", "inputs": {"text": text, "steps": steps}}}


def test_core_nodes_run_and_the_saved_image_can_be_fetched(server: ComfyServer) -> None:
    save = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "a"}}
    outcome = server.run({"1": picture(0xFF0000), "2": save})
    assert outcome.status == "success"
    assert outcome.executed == {"1", "2"}
    (saved,) = outcome.outputs["2"]["images"]
    image = Image.open(io.BytesIO(server.view(**saved)))
    assert image.size == (8, 4) and image.getpixel((0, 0)) == (255, 0, 0)


def test_node_that_did_not_change_comes_from_the_cache(server: ComfyServer) -> None:
    preview = {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}
    assert server.run({"1": picture(1), "2": preview}).executed == {"1", "2"}
    assert server.run({"1": picture(1), "2": preview}).executed == set()


def test_status_texts_and_the_bar_arrive_in_order(server: ComfyServer) -> None:
    outcome = server.run(slow_text("hello", 3))
    assert outcome.texts("1") == [f"step {n} of 3 中" for n in (1, 2, 3)]
    assert outcome.progress("1") == [(0, 1), (1, 3), (2, 3), (3, 3)]


def test_input_image_can_be_placed(server: ComfyServer) -> None:
    png = io.BytesIO()
    Image.new("RGB", (5, 7)).save(png, "PNG")
    name = server.place_input("placed.png", png.getvalue())
    load = {"class_type": "LoadImage", "inputs": {"image": name}}
    show = {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}
    assert server.run({"1": load, "2": show}).status == "success"


def test_interrupt_ends_a_running_prompt(server: ComfyServer) -> None:
    prompt_id = server.queue(slow_text("long", 600))
    server.wait(prompt_id, until=lambda event: event.type == "progress_text")
    server.interrupt(prompt_id)
    assert server.wait(prompt_id, timeout=5).status == "interrupted"


def test_exception_is_reported_with_its_node(server: ComfyServer) -> None:
    outcome = server.run(slow_text("fail", 1))
    assert outcome.status == "error"
    assert outcome.error["node_id"] == "1"
    assert "as asked" in outcome.error["exception_message"]


def test_invalid_prompt_is_refused(server: ComfyServer) -> None:
    with pytest.raises(PromptRefused) as refused:
        server.run({"1": {"class_type": "PreviewImage", "inputs": {}}})
    assert "1" in refused.value.node_errors


def test_only_the_given_packs_are_loaded(server: ComfyServer) -> None:
    nodes = server.object_info()
    assert nodes["HarnessSlowText"]["python_module"] == "custom_nodes.Harness-Pack"
    others = {info["python_module"] for info in nodes.values()} - {"custom_nodes.Harness-Pack"}
    assert not [module for module in others if module.startswith("custom_nodes.")]


def test_killed_server_says_so_and_restarts_on_the_same_folder(
    boot_comfyui: Callable[..., ComfyServer], tmp_path: Path
) -> None:
    (tmp_path / "__init__.py").write_text(PACK, "utf-8")
    server = boot_comfyui(packs={"Harness-Pack": tmp_path})
    prompt_id = server.queue(slow_text("long", 600))
    assert server.process
    server.process.kill()
    with pytest.raises(ComfyServerError, match="not running"):
        server.wait(prompt_id)
    server.kill()
    server.start()
    assert server.run(slow_text("again", 1)).status == "success"
    started = time.monotonic()
    server.stop()
    assert time.monotonic() - started < 10
    assert "Stopped server" in server.log
