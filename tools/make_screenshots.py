"""Make the images of the READMEs: a template that ran, with the task panel open beside it.

``python tools/make_screenshots.py`` visits the newest frontend once in each language, with
the built-in sandbox as the service: nothing is charged.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from pathlib import Path

PACK_ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(1, str(PACK_ROOT / "tests"))

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from support.browser_server import NEWEST, RETURNING
from support.browsers import ARGUMENTS, find_chromium, frontend_folder
from support.canvas import Canvas
from support.comfy_launch import PACK_FOLDER, ComfyServerError
from support.comfy_server import ComfyServer
from support.example_workflows import EXAMPLES, example_names, place_example_image
from support.page_log import Watch

SHOWN = "seedream_03_group_of_four"
TARGETS = {"en": PACK_ROOT / "docs" / "canvas.png", "zh": PACK_ROOT / "docs" / "canvas.zh-CN.png"}
SIZE = {"width": 1440, "height": 900}
COLOURS = 256
NOTICES_MS = 6_000
"""How long ComfyUI shows that something was queued."""

_FRAME = """() => {
  const [left, top, right, bottom] = [400, 110, 1420, 880];
  const boxes = app.graph.nodes.map((node) => node.getBounding());
  const [x, y] = [0, 1].map((axis) => Math.min(...boxes.map((box) => box[axis])));
  const ends = [0, 1].map((axis) => Math.max(...boxes.map((box) => box[axis] + box[axis + 2])));
  const { ds } = app.canvas;
  ds.scale = Math.min((right - left) / (ends[0] - x), (bottom - top) / (ends[1] - y));
  ds.offset = [left / ds.scale - x, top / ds.scale - y];
  app.canvas.setDirty(true, true);
}"""
"""Puts the whole graph beside the panel."""


def run_others(server: ComfyServer) -> None:
    """So that the panel has something to show."""
    for name in example_names():
        if name != SHOWN:
            server.run(json.loads((EXAMPLES / "api" / f"{name}.json").read_text("utf-8")))


def visit(browser: Browser, server: ComfyServer, language: str) -> Image.Image:
    page = browser.new_page(viewport=SIZE, locale=language, reduced_motion="reduce")
    canvas = Canvas(page, server.url, PACK_ROOT / ".dev" / "screenshots", "", Watch(server.url))
    canvas.open()
    texts = json.loads((PACK_ROOT / "locales" / language / "main.json").read_text("utf-8"))
    canvas.find_template(texts["templateWorkflows"]["category"][PACK_FOLDER], SHOWN).click()
    nodes = json.loads((EXAMPLES / f"{SHOWN}.json").read_text("utf-8"))["nodes"]
    canvas.wait_for_nodes([node["type"] for node in nodes])
    canvas.run()
    for node in [*canvas.nodes("SaveImage"), *canvas.nodes("PreviewImage")]:
        canvas.pictures(node, 4)
    canvas.open_tasks()
    page.mouse.move(SIZE["width"] / 2, SIZE["height"] - 5)
    page.wait_for_timeout(NOTICES_MS)
    page.evaluate(_FRAME)
    page.wait_for_timeout(500)
    shot = Image.open(io.BytesIO(page.screenshot()))
    page.close()
    return shot.convert("RGB").quantize(COLOURS)


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        for language, target in TARGETS.items():
            with tempfile.TemporaryDirectory(prefix="seedream-screenshots-") as folder:
                base = Path(folder)
                profile = base / "user" / "default" / "comfy.settings.json"
                profile.parent.mkdir(parents=True)
                own = {"Comfy.Locale": language, "Comfy.Minimap.Visible": False}
                profile.write_text(json.dumps({**RETURNING, **own}), "utf-8")
                service = {"DEEPSPACE_BASE_URL": "sandbox", "SEEDREAM_HOME": str(base / "seedream")}
                static = frontend_folder(NEWEST)
                with ComfyServer(base, environment=service, frontend=static) as server:
                    place_example_image(server)
                    run_others(server)
                    visit(browser, server, language).save(target, optimize=True)
            print(f"{target.relative_to(PACK_ROOT)}: {target.stat().st_size} bytes")
        browser.close()


if __name__ == "__main__":
    try:
        main()
    except ComfyServerError as error:
        sys.exit(f"ComfyUI: {error}")
