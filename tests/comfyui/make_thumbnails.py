"""Makes the pictures that ComfyUI shows beside the example workflows, out of their own results.

``python tests/comfyui/make_thumbnails.py`` runs every workflow with the built-in sandbox as the
service: nothing is charged. One that only submits shares the picture of the one that collects.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from events import Outcome
from host import ComfyServer
from launch import PACK_ROOT, ComfyServerError, find_comfyui
from PIL import Image, ImageOps

EXAMPLES = PACK_ROOT / "example_workflows"
SHARED = {"04_submit_a_task": "05_collect_with_poll_task"}
LONG_SIDE = 512
QUALITY = 82


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


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="seedream-thumbnails-") as folder:
        base = Path(folder)
        settings = {"DEEPSPACE_BASE_URL": "sandbox", "SEEDREAM_HOME": str(base / "seedream")}
        with ComfyServer(base, environment=settings) as server:
            place_example_image(server)
            for name in example_names():
                graph = json.loads((EXAMPLES / "api" / f"{name}.json").read_text("utf-8"))
                pictures = saved_pictures(server, server.run(graph, timeout=300))
                if pictures:
                    file = EXAMPLES / f"{name}.jpg"
                    thumbnail(pictures).save(file, "JPEG", quality=QUALITY, optimize=True)
                    print(f"{file.relative_to(PACK_ROOT)}: {file.stat().st_size} bytes")
    for name, source in SHARED.items():
        shutil.copyfile(EXAMPLES / f"{source}.jpg", EXAMPLES / f"{name}.jpg")
    missing = [name for name in example_names() if not (EXAMPLES / f"{name}.jpg").is_file()]
    print("".join(f"{name} saved no picture\n" for name in missing), end="")
    return 1 if missing else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ComfyServerError as error:
        sys.exit(f"ComfyUI: {error}")
