"""The images of a task: the large view, inputs on the canvas, and finding a task by its image."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Locator, expect

from support.browser_server import ON_NEWEST, Site
from support.canvas import Canvas, place_generator
from support.task_panel import task


@ON_NEWEST
def test_big_view_zooms_steps_and_compares(site: Site, canvas: Canvas, prompt: str) -> None:
    first = f"{prompt} a series of 3 images"
    generator, _ = place_generator(canvas, first)
    canvas.page.evaluate(
        "(id) => { app.graph.getNodeById(id).widgets.find((w) => w.name === 'n').value = 3; }",
        generator,
    )
    canvas.run()
    canvas.clear()
    place_generator(canvas, f"{prompt} alone")
    canvas.run()
    panel, press = canvas.open_tasks(), canvas.page.keyboard.press
    task(panel, "a series").dblclick()
    viewer = canvas.page.locator(".seedream-viewer")
    image = viewer.locator(".seedream-pane img").first
    expect(image).to_have_js_property("naturalWidth", 1024)
    expect(viewer.locator(".seedream-strip img")).to_have_count(3)
    scale = viewer.locator(".seedream-zoom").inner_text()
    press("+")
    expect(viewer.locator(".seedream-zoom")).not_to_have_text(scale)
    press("0")
    expect(viewer.locator(".seedream-zoom")).to_have_text(scale)
    press("ArrowRight")
    expect(viewer.locator(".seedream-counter")).to_contain_text("2/3")
    press("c")
    divider = viewer.get_by_role("slider")
    expect(divider).to_have_attribute("aria-valuenow", "50")
    sources = viewer.locator(".seedream-pane img").evaluate_all("(all) => all.map((i) => i.src)")
    assert len(set(sources)) == 2
    divider.focus()
    press("ArrowLeft")
    expect(divider).to_have_attribute("aria-valuenow", "48")
    press("c")
    press("ArrowUp")
    expect(viewer.locator("h2")).to_have_text(f"{prompt} alone")
    press("Escape")
    expect(viewer).to_have_count(0)
    expect(panel.locator(".seedream-chosen")).to_contain_text("alone")
    canvas.close_tasks()


def test_inputs_on_canvas_have_the_stored_result(site: Site, canvas: Canvas, prompt: str) -> None:
    generator, _ = place_generator(canvas, prompt)
    reference = canvas.add("EmptyImage", -400, color=0xC81E3C)
    canvas.link(reference, "IMAGE", generator, "images.image_1")
    canvas.run()
    canvas.clear()
    asked = len(site.comfy.sandbox.requests)
    panel = canvas.open_tasks()
    task(panel, prompt).click()
    panel.locator("[data-action=inputs]").click()
    expect(panel.get_by_role("status")).to_contain_text("stored result")
    canvas.wait_for_nodes(["LoadImage", "SeedreamEvolink"])
    (restored,) = canvas.nodes("SeedreamEvolink")
    expect(canvas.page.locator(".seedream-line")).to_contain_text("stored result")
    preview = canvas.add("PreviewImage", -3000)
    canvas.select(preview)
    canvas.link(restored, "images", preview, "images")
    canvas.run()
    assert canvas.pictures(preview) == [[1024, 1024]]
    assert len(site.comfy.sandbox.requests) == asked, "a stored result needs no network"
    panel.locator("[data-action=inputs]").click()
    canvas.wait_for_nodes(["LoadImage"] * 2 + ["SeedreamEvolink"] * 2 + ["PreviewImage"])
    assert covered(canvas) == []
    canvas.close_tasks()


@ON_NEWEST
def test_image_finds_its_task_by_receipt_or_content(
    site: Site, canvas: Canvas, prompt: str, tmp_path: Path
) -> None:
    place_generator(canvas, prompt)
    canvas.run()
    with closing(sqlite3.connect(site.comfy.home / "ledger.sqlite")) as ledger:
        query = "SELECT fingerprint FROM requests WHERE prompt = ?"
        ((fingerprint,),) = ledger.execute(query, [prompt])
    panel, viewer = canvas.open_tasks(), canvas.page.locator(".seedream-viewer")
    drop(panel, write_receipt(tmp_path / "renamed.png", fingerprint=fingerprint))
    expect(viewer.locator("h2")).to_have_text(prompt)
    canvas.page.keyboard.press("Escape")
    task(panel, prompt).click()
    panel.locator("[data-action=save]").click()
    status = panel.get_by_role("status")
    expect(status).to_contain_text("seedream/")
    saved = site.comfy.server.base / "output" / status.inner_text().rpartition(": ")[2]
    panel.locator("#seedream-list-menu").click()
    with canvas.page.expect_file_chooser() as chooser:
        panel.locator("[data-action=find]").click()
    chooser.value.set_files(saved)
    expect(viewer.locator("h2")).to_have_text(prompt)
    canvas.page.keyboard.press("Escape")
    drop(panel, write_receipt(tmp_path / "foreign.png", fingerprint="f" * 64, task_id="task-far"))
    dialog = panel.get_by_role("dialog")
    expect(dialog).to_contain_text("task-far")
    canvas.shoot("task-receipt")
    canvas.page.keyboard.press("Escape")
    canvas.close_tasks()


def write_receipt(file: Path, **receipt: str) -> Path:
    from PIL import Image, PngImagePlugin

    info = PngImagePlugin.PngInfo()
    info.add_text("workflow", "{}")
    info.add_text("seedream", json.dumps([{"model": "Seedream-4.0", "seed": 7, **receipt}]))
    Image.new("RGB", (8, 8)).save(file, pnginfo=info)
    return file


def drop(panel: Locator, file: Path) -> None:
    """Drop a file on the panel, as from another window."""
    given = [list(file.read_bytes()), file.name]
    transfer = panel.page.evaluate_handle(
        """([bytes, name]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
          return transfer;
        }""",
        given,
    )
    panel.dispatch_event("drop", {"dataTransfer": transfer})


def covered(canvas: Canvas) -> list[list[str]]:
    """Pairs of nodes of which one covers a part of the other."""
    return canvas.page.evaluate(
        """() => {
          const box = ({ pos: [x, y], size: [width, height] }) => [x, y, x + width, y + height];
          const nodes = app.graph.nodes.map((node) => [`${node.id} ${node.type}`, box(node)]);
          const meet = ([a, b, c, d], [e, f, g, h]) => a < g && e < c && b < h && f < d;
          return nodes.flatMap(([one, at], index) => nodes.slice(index + 1)
            .filter(([, other]) => meet(at, other)).map(([other]) => [one, other]));
        }"""
    )
