"""Graphs as people build them on the canvas: subgraphs, bypassed references, batch counts."""

from __future__ import annotations

from canvas import Canvas
from playwright.sync_api import expect
from sites import Site


def place_generator(canvas: Canvas, wish: str, x: int = 0) -> tuple[int, int]:
    """The cheapest generator with a preview behind it; gives both ids."""
    widgets = {"prompt": wish, "model": "Seedream-4.0", "quality": "1K"}
    generator = canvas.add("SeedreamEvolink", x, **widgets)
    preview = canvas.add("PreviewImage", x + 500)
    canvas.link(generator, "images", preview, "images")
    return generator, preview


def test_twenty_runs_with_a_fixed_seed_charge_once_and_the_node_says_why(
    site: Site, canvas: Canvas, wish: str
) -> None:
    generator, preview = place_generator(canvas, wish)
    canvas.run(20)
    assert len(site.studio.posts(wish)) == 1
    assert canvas.pictures(preview) == [[1024, 1024]]
    line = canvas.page.locator(".seedream-line")
    expect(line).to_contain_text("stored result, no charge")
    # ComfyUI's own cache has answered the repetitions; another graph in between empties it.
    graph = canvas.saved()
    canvas.clear()
    place_generator(canvas, f"{wish} Another")
    canvas.run()
    canvas.load(graph)
    canvas.run()
    assert [request.json["prompt"] for request in site.studio.posts(wish)] == [
        wish,
        f"{wish} Another",
    ]
    assert "nothing charged" in canvas.said(generator)
    canvas.shoot("stored-result")


def test_a_generator_inside_a_subgraph_runs_and_shows_its_images(
    site: Site, canvas: Canvas, wish: str
) -> None:
    generator, preview = place_generator(canvas, wish)
    holder = canvas.into_subgraph(generator)
    canvas.run()
    assert [request.json["prompt"] for request in site.studio.posts(wish)] == [wish]
    assert canvas.pictures(preview) == [[1024, 1024]]
    canvas.shoot("subgraph")
    canvas.load(canvas.saved())
    assert canvas.prompt()[f"{holder}:{generator}"]["inputs"]["prompt"] == wish


def test_a_bypassed_reference_is_left_out(site: Site, canvas: Canvas, wish: str) -> None:
    generator, preview = place_generator(canvas, wish)
    for number in (1, 2):
        source = canvas.add("EmptyImage", -400, 200 * number, width=64, height=64, color=number)
        canvas.link(source, "IMAGE", generator, f"images.image_{number}")
        if number == 1:
            canvas.bypass(source)
    canvas.run()
    (request,) = site.studio.posts(wish)
    assert len(request.json["image_urls"]) == 1
    assert canvas.pictures(preview) == [[1024, 1024]]
