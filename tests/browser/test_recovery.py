"""What the page says of recovery, and the round that a person asks for."""

from __future__ import annotations

from playwright.sync_api import expect

from support.browser_server import ON_NEWEST, Site
from support.canvas import Canvas

_SAY = """(detail) => window.app.api.dispatchCustomEvent("seedream.recovered", detail)"""


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
    toast = canvas.page.get_by_role("alert").filter(has_text="3 images of 2 tasks")
    expect(toast).to_be_visible()
    canvas.shoot("recovery-toast")
    assert canvas.page.evaluate("localStorage.getItem('Seedream.Recovered')") == "a-1"
    toast.get_by_role("button", name="Close").click()
