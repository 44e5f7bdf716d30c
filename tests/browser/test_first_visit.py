"""A first visit with nothing but a browser, in English and in Chinese: choose the sandbox in the
settings, load each template by its title, run it, see the images and the task."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import expect

from support.browser_server import FRONTENDS, NEWEST, Site
from support.canvas import Canvas
from support.comfy_launch import PACK_FOLDER
from support.example_workflows import EXAMPLES, example_names, place_example_image
from support.paths import PACK_ROOT

SHOWS = {
    "seedream_01_text_to_image_and_upscale": [[4272, 2400]],
    "seedream_02_edit_with_two_references": [[2048, 2048]],
    "seedream_03_group_of_four": [[1024, 1024]] * 4,
    "seedream_04_submit_a_task": [],
    "seedream_05_collect_with_poll_task": [[2848, 1600]],
    "seedream_06_load_url_images": [[1024, 1024]] * 4,
    "seedream_07_app_text_to_image": [[2304, 1728]],
    "seedream_08_app_edit_with_reference": [[2048, 2048]],
    "seedream_09_cut_out_over_a_picture": [[768, 768]],
    "seedream_10_batch_from_a_table": [[1024, 1024]] * 4,
}
"""The images that each template puts on the canvas."""

ROW = {"seedream_10_batch_from_a_table": "A lighthouse in winter, seen from the sea"}
"""The prompt of one row of a batch."""
GENERATORS = ("SeedreamPreferential", "SeedreamEvolink")


def texts_of(language: str) -> dict[str, Any]:
    """The texts of the pack outside of nodes, as in ``en-US`` or ``zh-CN``."""
    return json.loads((PACK_ROOT / "locales" / language[:2] / "main.json").read_text("utf-8"))


@dataclass(frozen=True)
class Visitor:
    language: str
    site: Site
    canvas: Canvas


@pytest.fixture(
    scope="module",
    params=[(language, frontend) for frontend in FRONTENDS for language in ("en-US", "zh-CN")],
    ids=lambda visit: f"{visit[0]}-{visit[1].partition('==')[2]}",
)
def visitor(
    request: pytest.FixtureRequest,
    open_site: Callable[[str], Site],
    opener: Callable[..., Canvas],
) -> Iterator[Visitor]:
    """A user whose browser has a language, and who has chosen the sandbox in the settings."""
    language, frontend = request.param
    site = open_site(frontend)
    site.begin()
    place_example_image(site.comfy.server)
    canvas = opener(site, locale=language)
    # The template browser opens automatically on a first visit.
    templates = canvas.page.get_by_test_id("template-workflows-content")
    templates.wait_for()
    for picture in templates.locator("img").all():
        expect(picture).not_to_have_js_property("naturalWidth", 0)
    canvas.shoot(f"templates-{language}")
    canvas.page.locator("[role=dialog] button:has(.pi-times)").click()
    templates.wait_for(state="hidden")
    settings = canvas.open_settings()
    settings.locator("#seedream-setting-DEEPSPACE_BASE_URL").select_option("sandbox")
    saved = site.comfy.home / "settings.json"
    site.comfy.until(saved.exists)
    assert json.loads(saved.read_text("utf-8")) == {"DEEPSPACE_BASE_URL": "sandbox"}
    canvas.shoot(f"settings-{language}")
    canvas.close_settings()
    yield Visitor(language, site, canvas)
    canvas.page.context.close()
    canvas.watch.check()


def leave_app_mode(visitor: Visitor) -> None:
    """Expect the workflow to be shown as an app; then show its graph."""
    page = visitor.canvas.page
    if visitor.site.frontend == NEWEST.partition("==")[2]:
        expect(page.get_by_test_id("linear-center-panel").first).to_be_attached()
    tour = page.get_by_role("dialog").get_by_role("button", name=re.compile("Skip|跳过"))
    page.wait_for_timeout(500)  # the tour of a first app
    if tour.count():
        tour.click()
    visitor.canvas.run_command("Comfy.ToggleLinear")


@pytest.mark.parametrize("name", example_names())
def test_template_runs_from_the_browser(visitor: Visitor, name: str) -> None:
    canvas, texts = visitor.canvas, texts_of(visitor.language)
    said = texts["seedream"]["templates"][name]
    card = canvas.find_template(texts["templateWorkflows"]["category"][PACK_FOLDER], name)
    expect(card.get_by_role("heading")).to_have_text(said["title"])
    expect(card.get_by_role("paragraph")).to_have_text(said["description"])
    card.get_by_role("heading").click()
    wanted = json.loads((EXAMPLES / f"{name}.json").read_text("utf-8"))["nodes"]
    canvas.wait_for_nodes([node["type"] for node in wanted])
    if "_app_" in name:
        leave_app_mode(visitor)
    canvas.run()
    shown = [canvas.pictures(node) for node in canvas.nodes("SaveImage")]
    assert [size for sizes in shown for size in sizes] == SHOWS[name]
    canvas.shoot(f"{name}-{visitor.language}")
    words = ROW.get(name) or next(n["widgets_values"][0] for n in wanted if n["type"] in GENERATORS)
    row = canvas.open_tasks().locator(".seedream-task").filter(has_text=words)
    row.filter(has_text="已完成" if visitor.language == "zh-CN" else "Done").wait_for()
    expect(row.locator("img")).not_to_have_js_property("naturalWidth", 0)
    expect(row.locator(".seedream-cost")).to_have_text(texts["seedream"]["charges"]["free"])
    canvas.shoot(f"{name}-{visitor.language}-tasks")
    canvas.close_tasks()
