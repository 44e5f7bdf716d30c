"""A run that was begun before ComfyUI was killed, on the canvas of the next start."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from support import workflows
from support.browser_server import Site
from support.canvas import Canvas, place_generator
from support.comfy_fixture import Clock


def test_node_says_that_it_took_up_an_earlier_task(
    site: Site, visit: Callable[[Site], Canvas], prompt: str
) -> None:
    comfy = site.comfy
    comfy.clock.run(Clock.STOPPED)
    begun = comfy.server.queue({"1": workflows.evolink(prompt), "2": workflows.save("1")})
    comfy.server.wait(
        begun, until=lambda e: e.type == "progress_text" and "task-" in e.data["text"]
    )
    comfy.server.kill()
    comfy.server.start()
    comfy.clock.run(Clock.FLYING)
    canvas = visit(site)
    canvas.clear()
    _, preview = place_generator(canvas, prompt)
    canvas.run()
    line = canvas.page.locator(".seedream-line")
    expect(line).to_contain_text("Last run: 1 image from an earlier task")
    assert canvas.pictures(preview) == [[1024, 1024]]
    assert len(comfy.posts(prompt)) == 1
    canvas.shoot("resumed")
