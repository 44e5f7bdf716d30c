"""Graphs as people build them on the canvas: subgraphs, bypassed references, batch counts."""

from __future__ import annotations

from playwright.sync_api import expect

from support.browser_server import Site
from support.canvas import Canvas, place_generator


def test_twenty_runs_with_fixed_seed_charge_once(site: Site, canvas: Canvas, prompt: str) -> None:
    _, preview = place_generator(canvas, prompt)
    canvas.run(20)
    assert len(site.comfy.posts(prompt)) == 1
    assert canvas.pictures(preview) == [[1024, 1024]]
    line = canvas.page.locator(".seedream-line")
    expect(line).to_contain_text("stored result, no charge")
    # ComfyUI's own cache has served the repetitions; another graph in between empties it.
    graph = canvas.saved()
    canvas.clear()
    place_generator(canvas, f"{prompt} Another")
    canvas.run()
    canvas.load(graph)
    canvas.run()
    assert [request.json["prompt"] for request in site.comfy.posts(prompt)] == [
        prompt,
        f"{prompt} Another",
    ]
    expect(line).to_contain_text("1 stored image · not charged")
    canvas.shoot("stored-result")


def test_generator_inside_a_subgraph_runs_and_shows_its_images(
    site: Site, canvas: Canvas, prompt: str
) -> None:
    generator, preview = place_generator(canvas, prompt)
    holder = canvas.into_subgraph(generator)
    canvas.run()
    assert [request.json["prompt"] for request in site.comfy.posts(prompt)] == [prompt]
    assert canvas.pictures(preview) == [[1024, 1024]]
    canvas.shoot("subgraph")
    canvas.load(canvas.saved())
    assert canvas.prompt()[f"{holder}:{generator}"]["inputs"]["prompt"] == prompt


def test_bypassed_reference_is_left_out(site: Site, canvas: Canvas, prompt: str) -> None:
    generator, preview = place_generator(canvas, prompt)
    for number in (1, 2):
        source = canvas.add("EmptyImage", -400, 200 * number, width=64, height=64, color=number)
        canvas.link(source, "IMAGE", generator, f"images.image_{number}")
        if number == 1:
            canvas.bypass(source)
    canvas.run()
    (request,) = site.comfy.posts(prompt)
    assert len(request.json["image_urls"]) == 1
    assert canvas.pictures(preview) == [[1024, 1024]]
