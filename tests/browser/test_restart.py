"""A run that was begun before ComfyUI was killed, on the canvas of the next start."""

from __future__ import annotations

from collections.abc import Callable

import graphs
from canvas import Canvas
from playwright.sync_api import expect
from sites import Site
from studio import Clock
from test_graphs import place_generator


def test_the_node_says_that_it_took_up_an_earlier_task(
    site: Site, visit: Callable[[Site], Canvas], wish: str
) -> None:
    studio = site.studio
    studio.clock.run(Clock.STOPPED)
    begun = studio.server.queue({"1": graphs.evolink(wish), "2": graphs.save("1")})
    studio.server.wait(
        begun, until=lambda e: e.type == "progress_text" and "task-" in e.data["text"]
    )
    studio.server.kill()
    studio.server.start()
    studio.clock.run(Clock.FLYING)
    canvas = visit(site)
    canvas.clear()
    generator, preview = place_generator(canvas, wish)
    canvas.run()
    assert "resumed, not sent again" in canvas.said(generator)
    line = canvas.page.locator(".seedream-line")
    expect(line).to_contain_text("Last run: 1 image(s) of an earlier task")
    assert canvas.pictures(preview) == [[1024, 1024]]
    assert len(studio.posts(wish)) == 1
    canvas.shoot("resumed")
