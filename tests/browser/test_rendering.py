"""Nodes as frontends draw them on request: as elements of the page, not on the canvas."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from support.browser_server import FRONTENDS, RETURNING, VERSIONS, Site
from support.canvas import Canvas, place_generator


@pytest.mark.parametrize("frontend", FRONTENDS, ids=VERSIONS)
def test_nodes_drawn_as_elements_show_images_and_line(
    frontend: str, open_site: Callable[[str], Site], visit: Callable[[Site], Canvas], prompt: str
) -> None:
    site = open_site(frontend)
    site.begin(**RETURNING, **{"Comfy.VueNodes.Enabled": True})
    site.sign_in()
    canvas = visit(site)
    canvas.clear()
    generator, preview = place_generator(canvas, prompt)
    canvas.select(generator)
    node = canvas.page.locator(f'[data-node-id="{generator}"]')
    expect(node).to_contain_text("Seedream Evolink")
    expect(node.locator("textarea").first).to_have_value(prompt)
    canvas.run()
    assert canvas.pictures(preview) == [[1024, 1024]]
    assert len(site.comfy.posts(prompt)) == 1
    expect(node.locator(".seedream-line")).to_be_visible()
    canvas.shoot("elements")
    assert canvas.widgets(generator)["control"] == "fixed"
