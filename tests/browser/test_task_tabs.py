"""Two tabs of one ComfyUI: what one of them runs, the task panel of the other shows."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from support.browser_server import NEWEST, RETURNING, Site
from support.canvas import Canvas, place_generator


def test_task_of_one_tab_appears_in_another(
    open_site: Callable[[str], Site], visit: Callable[[Site], Canvas], prompt: str
) -> None:
    site = open_site(NEWEST)
    site.begin(**RETURNING)
    site.sign_in()
    here, there = visit(site), visit(site)
    panel = there.open_tasks()
    place_generator(here, prompt)
    here.run()
    row = panel.locator(".seedream-task").filter(has_text=prompt)
    expect(row).to_contain_text("Done")
    expect(row.locator("img")).not_to_have_js_property("naturalWidth", 0)
