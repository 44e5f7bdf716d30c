"""The example workflows, and the pictures that ComfyUI shows beside them."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageOps

from .comfy_events import Outcome
from .comfy_launch import find_comfyui
from .comfy_server import ComfyServer
from .paths import PACK_ROOT

EXAMPLES = PACK_ROOT / "example_workflows"
SHARED = {"seedream_04_submit_a_task": "seedream_05_collect_with_poll_task"}
LONG_SIDE = 512


def example_names() -> list[str]:
    return sorted(file.stem for file in (EXAMPLES / "api").glob("*.json"))


def saved_pictures(server: ComfyServer, outcome: Outcome) -> list[Image.Image]:
    """What the workflow's SaveImage nodes wrote."""
    images = [image for output in outcome.outputs.values() for image in output.get("images", [])]
    return [
        Image.open(io.BytesIO(server.view(**image))).convert("RGB")
        for image in images
        if image["type"] == "output"
    ]


def thumbnail(pictures: Sequence[Image.Image]) -> Image.Image:
    """The first picture scaled down; of a group of four, all four."""
    if len(pictures) < 4:
        return ImageOps.contain(pictures[0], (LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
    half = LONG_SIDE // 2
    sheet = Image.new("RGB", (LONG_SIDE, LONG_SIDE))
    for place, picture in enumerate(pictures[:4]):
        tile = ImageOps.fit(picture, (half, half), Image.Resampling.LANCZOS)
        sheet.paste(tile, (place % 2 * half, place // 2 * half))
    return sheet


def place_example_image(server: ComfyServer) -> None:
    """The image that ComfyUI comes with, where LoadImage looks."""
    server.place_input("example.png", (find_comfyui() / "input" / "example.png").read_bytes())
