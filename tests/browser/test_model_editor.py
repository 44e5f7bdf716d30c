"""The editor of model entries: a mistake is selected, and saved entries are choices at once."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Route, expect

from support.browser_server import ON_NEWEST, Site
from support.canvas import Canvas

ENTRY = {"id": "Seedream-5.5", "family": "evolink", "qualities": ["1K", "1.5K", "2K"]}


@ON_NEWEST
def test_entries_are_checked_saved_and_offered_at_once(site: Site, canvas: Canvas) -> None:
    node = canvas.add("SeedreamEvolink")
    settings = canvas.open_settings()
    text, problem = (settings.locator(f"#seedream-models-{part}") for part in ("text", "problem"))
    text.fill(json.dumps([{**ENTRY, "family": "none"}], indent=1))
    settings.locator("#seedream-models-save").click()
    expect(problem).to_contain_text("line 4, entry 1 (Seedream-5.5), family")
    selected = "element => element.value.slice(element.selectionStart, element.selectionEnd)"
    assert text.evaluate(selected).strip() == '"family": "none",'
    text.fill(json.dumps([ENTRY]))
    settings.locator("#seedream-models-save").click()
    expect(settings.get_by_text("Saved; added models: 1")).to_be_visible()
    expect(problem).to_be_hidden()
    settings.locator("#seedream-models-live").click()
    offers = settings.locator("#seedream-models-offers li")
    expect(offers).to_have_count(6)
    expect(offers.last).to_have_text("Seedream-5.5: not offered for this key")
    canvas.shoot("model-editor")
    canvas.close_settings()
    values = canvas.page.evaluate(
        "id => app.graph.getNodeById(id).widgets.find(w => w.name === 'model').options.values", node
    )
    assert values[-1] == "Seedream-5.5"
    (site.comfy.home / "models.json").unlink()


@ON_NEWEST
@pytest.mark.parametrize(
    ("path", "field", "save"),
    [
        ("models", "#seedream-models-text", "#seedream-models-save"),
        ("prices", "#seedream-currency", "#seedream-prices-save"),
    ],
)
def test_fields_wait_for_the_server(canvas: Canvas, path: str, field: str, save: str) -> None:
    waiting: list[Route] = []
    pattern = f"{canvas.url}/api/seedream/{path}"
    canvas.page.route(pattern, lambda route: waiting.append(route))
    with canvas.page.expect_request(pattern):
        settings = canvas.open_settings()
    expect(settings.locator(field)).to_be_disabled()
    expect(settings.locator(save)).to_be_disabled()
    waiting.pop().continue_()
    expect(settings.locator(field)).to_be_enabled()
    with canvas.page.expect_request(pattern):
        settings.locator(save).click()
    expect(settings.locator(field)).to_be_disabled()
    settings.locator(save).click()
    waiting.pop().continue_()
    expect(settings.locator(field)).to_be_enabled()
    assert waiting == []
    canvas.page.unroute(pattern)
    canvas.close_settings()
