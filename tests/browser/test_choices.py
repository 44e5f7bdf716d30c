"""Combos whose choices are words: read in the reader's language, saved and sent in English."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from support.browser_server import FRONTENDS, RETURNING, VERSIONS, Site
from support.canvas import Canvas
from support.paths import PACK_ROOT

NODE_TEXTS = json.loads((PACK_ROOT / "locales" / "zh" / "nodeDefs.json").read_text("utf-8"))
FIT: dict[str, str] = NODE_TEXTS["SeedreamEvolink"]["inputs"]["fit"]["options"]
BOTTOM_PX = 900
"""Where the window ends."""

Open = Callable[..., Canvas]


@pytest.fixture(params=FRONTENDS, ids=VERSIONS)
def open_as(
    request: pytest.FixtureRequest,
    open_site: Callable[[str], Site],
    visit: Callable[[Site], Canvas],
) -> Open:
    """``open_as("zh")``: an empty canvas of a user who reads Chinese."""
    site = open_site(request.param)

    def open_canvas(language: str, **settings: Any) -> Canvas:
        site.begin(**RETURNING, **settings, **{"Comfy.Locale": language})
        canvas = visit(site)
        canvas.clear()
        return canvas

    return open_canvas


@pytest.mark.parametrize("language", ["en", "zh"])
def test_combo_of_words_is_in_the_readers_language(open_as: Open, language: str) -> None:
    canvas = open_as(language)
    node = canvas.add("SeedreamEvolink")
    canvas.select(node)
    shown = list(FIT.values() if language == "zh" else FIT)
    assert shown[0] in canvas.drawn()
    entries = canvas.open_menu(node, "fit")
    expect(entries).to_have_text(shown)
    canvas.shoot(f"choices-{language}")
    entries.nth(1).click()
    assert canvas.widgets(node)["fit"] == "crop" and shown[1] in canvas.drawn()


def test_what_is_saved_and_sent_is_the_same_in_both_languages(open_as: Open) -> None:
    made: list[tuple[Any, Any]] = []
    for language in ("en", "zh"):
        canvas = open_as(language)
        for place, kind in enumerate(NODE_TEXTS):
            node = canvas.add(kind, 800 * place)
            if "fit" in canvas.widgets(node):
                canvas.select(node)
                canvas.open_menu(node, "fit").nth(2).click()
        saved = [(each["type"], each.get("widgets_values")) for each in canvas.saved()["nodes"]]
        made.append((saved, canvas.inputs()))
    assert json.dumps(made[0]) == json.dumps(made[1]) and '"stretch"' in json.dumps(made[0])


def test_menu_at_the_end_of_the_window_is_whole(open_as: Open) -> None:
    canvas = open_as("zh")
    node = canvas.add("SeedreamLoadURLImages")
    canvas.select(node)
    _, y = canvas.place_of(node, "fit")
    canvas.page.evaluate("(down) => { app.canvas.ds.offset[1] += down / 0.8; }", BOTTOM_PX - 30 - y)
    last = canvas.open_menu(node, "fit").last.bounding_box()
    assert last is not None and last["y"] + last["height"] <= BOTTOM_PX


def test_nodes_drawn_as_elements_show_the_words_too(open_as: Open) -> None:
    canvas = open_as("zh", **{"Comfy.VueNodes.Enabled": True})
    node = canvas.add("SeedreamLoadURLImages")
    canvas.select(node)
    element = canvas.page.locator(f'[data-node-id="{node}"]')
    element.get_by_text(FIT["pad"]).click()
    canvas.page.get_by_role("option", name=FIT["crop"]).click()
    expect(element.get_by_text(FIT["crop"]).first).to_be_visible()
    canvas.shoot("choices-elements")
    assert canvas.widgets(node)["fit"] == "crop"
