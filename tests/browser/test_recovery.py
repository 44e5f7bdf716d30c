"""What the page says of recovery, and the task of an image that is dropped on the panel."""

from __future__ import annotations

import base64
from typing import Any

from playwright.sync_api import expect

from support import workflows
from support.browser_server import ON_NEWEST, Site
from support.canvas import Canvas

_SAY = """(detail) => window.app.api.dispatchCustomEvent("seedream.recovered", detail)"""
_DROP = """([text, name]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name, { type: "image/png" }));
  const drop = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
  document.querySelector("#seedream-tasks header").dispatchEvent(drop);
}"""


def drop(canvas: Canvas, data: bytes) -> None:
    canvas.page.evaluate(_DROP, [base64.b64encode(data).decode(), "moved.png"])


@ON_NEWEST
def test_dropped_image_shows_its_task(site: Site, canvas: Canvas, prompt: str) -> None:
    graph: dict[str, Any] = {
        "1": workflows.evolink(prompt),
        "2": workflows.save("1"),
        "3": workflows.colour(1, 2, 3),
        "4": workflows.save("3"),
    }
    outputs = site.comfy.run(graph).outputs
    with_receipt, plain = (
        site.comfy.server.view(outputs[node]["images"][0]["filename"]) for node in ("2", "4")
    )
    panel = canvas.open_tasks()
    drop(canvas, plain)
    expect(panel.get_by_role("status")).to_have_text("This file has no Seedream receipt")
    drop(canvas, with_receipt)
    expect(panel.locator(".seedream-whole")).to_have_text(prompt)
    canvas.shoot("task-dropped")
    canvas.close_tasks()


@ON_NEWEST
def test_panel_fetches_unfinished_images(site: Site, canvas: Canvas) -> None:
    panel = canvas.open_tasks()
    panel.locator("#seedream-list-menu").click()
    panel.get_by_role("menuitem", name="Fetch unfinished images").click()
    expect(panel.get_by_role("status")).to_have_text("Nothing to fetch")
    canvas.close_tasks()


@ON_NEWEST
def test_recovery_shows_a_toast(site: Site, canvas: Canvas) -> None:
    canvas.page.evaluate(_SAY, {"id": "a-1", "images": 3, "tasks": [1, 2]})
    toast = canvas.page.get_by_role("alert").filter(has_text="3 images of 2 task(s)")
    expect(toast).to_be_visible()
    canvas.shoot("recovery-toast")
    assert canvas.page.evaluate("localStorage.getItem('Seedream.Recovered')") == "a-1"
    toast.get_by_role("button", name="Close").click()
