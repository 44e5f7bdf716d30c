"""The template browser: the cards of this pack have titles, and nothing else on the page has."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from support.browser_server import ON_NEWEST, Site
from support.canvas import Canvas
from support.comfy_launch import PACK_FOLDER
from support.example_workflows import EXAMPLES, example_names
from support.paths import PACK_ROOT

FIRST, SECOND, *_ = NAMES = example_names()
SECOND_TITLE = "Edit with two references"
OTHER = "another-pack"
BROWSER = f"""<div data-dialog-key="global-workflow-template-selector" id="browser">
  <div data-testid="template-workflow-{FIRST}"><h4>{FIRST}</h4><img alt=""></div>
  <div data-testid="template-workflow-{SECOND}"><h3>{SECOND}</h3></div>
</div>"""
"""A dialog whose first card is none that is known."""


def test_template_with_duplicate_name_keeps_its_file_name(
    site: Site, visit: Callable[[Site], Canvas]
) -> None:
    canvas = visit(site)
    page = canvas.page
    offered = json.dumps({PACK_FOLDER: NAMES, OTHER: [FIRST]})
    page.route("**/workflow_templates", lambda route: route.fulfill(body=offered))
    picture = EXAMPLES / f"{FIRST}.jpg"
    page.route(f"**/workflow_templates/{OTHER}/*", lambda route: route.fulfill(path=picture))
    canvas.open()
    canvas.run_command("Comfy.BrowseTemplates")
    titles = page.get_by_test_id("template-workflows-content").get_by_role("heading")
    expect(titles.filter(has_text=SECOND_TITLE)).to_have_count(1)
    assert titles.all_text_contents().count(FIRST) == 2


def test_cards_that_are_made_otherwise_keep_their_file_names(canvas: Canvas) -> None:
    page = canvas.page
    page.evaluate("(html) => document.body.insertAdjacentHTML('beforeend', html)", BROWSER)
    browser = page.locator("#browser")
    expect(browser.get_by_text(SECOND_TITLE)).to_be_visible()
    expect(browser.get_by_text(FIRST)).to_be_visible()
    page.evaluate("document.querySelector('#browser').remove()")


def test_closed_template_browser_is_no_longer_watched(canvas: Canvas) -> None:
    page = canvas.page
    page.evaluate("(html) => document.body.insertAdjacentHTML('beforeend', html)", BROWSER)
    expect(page.locator("#browser").get_by_text(SECOND_TITLE)).to_be_visible()
    after = page.evaluate(
        """async (name) => {
          const browser = document.querySelector("#browser");
          browser.remove();
          const frame = () => new Promise(requestAnimationFrame);
          await frame();
          browser.querySelector("h3").textContent = name;
          await frame();
          return browser.querySelector("h3").textContent;
        }""",
        SECOND,
    )
    assert after == SECOND


BLUEPRINTS = {
    "Seedream edit then upscale": "IMAGE",
    "Seedream series with contact sheet": "images",
    "Seedream submit and collect": "images",
}
"""Each blueprint, and the output that shows images."""


@ON_NEWEST
@pytest.mark.parametrize("name", BLUEPRINTS)
def test_blueprint_is_offered_and_runs(site: Site, canvas: Canvas, name: str) -> None:
    offered = site.comfy.server.request("GET", "/global_subgraphs").json()
    assert [each["name"] for each in offered.values()].count(name) == 1
    blueprint = json.loads((PACK_ROOT / "subgraphs" / f"{name}.json").read_text("utf-8"))
    canvas.load(blueprint)
    (node,) = blueprint["nodes"]
    preview = canvas.add("PreviewImage", 600)
    canvas.link(node["id"], BLUEPRINTS[name], preview, "images")
    if "edit" in name:
        picture = canvas.add("EmptyImage", -400, width=512, height=512)
        canvas.link(picture, "IMAGE", node["id"], "images.image_1")
    canvas.select(preview)
    canvas.run()
    assert canvas.pictures(preview)
