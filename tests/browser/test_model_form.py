"""The form of model entries: in step with the JSON, mistakes at their field, in both languages."""

from __future__ import annotations

import json

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

from support.browser_server import ON_NEWEST, Site
from support.canvas import Canvas

SERIOUS = ("serious", "critical")
MADE = {
    "id": "Seedream-5.5",
    "family": "evolink",
    "like": "Seedream-4.0",
    "qualities": ["1K", "1.5K", "2K"],
    "max_references": 10,
    "sends_n": False,
    "extra": {"background": "transparent"},
    "prices": {"2K": "0.25", "reference": "0.06"},
}


MEMBERS = [
    {"a": "b", "link": "https://e.com/?a: b"},
    {"number": 1, "text": "1", "flag": True, "empty": "", "list": ["x", {"y": None}]},
    {"a:b": "c"},
    {"lines": "a\nb", " blank ": "c"},
]
FOLDER = """() => performance.getEntriesByType("resource").map((one) => one.name)
    .find((name) => name.endsWith("/model_text.js")).split("/").at(-2)"""
ROUND_TRIP = """async ([path, members]) => {
  const { formatMembers, parseMembers } = await import(path);
  return members.map((one) => parseMembers(formatMembers(one)));
}"""


def field(settings: Locator, key: str) -> Locator:
    return settings.locator(f"#seedream-model-{key}")


def enter(settings: Locator, key: str, text: str) -> None:
    field(settings, key).fill(text)
    field(settings, key).press("Tab")


@ON_NEWEST
def test_entry_made_in_the_form_is_the_json_and_back(site: Site, canvas: Canvas) -> None:
    settings = canvas.open_settings()
    text = settings.locator("#seedream-models-text")
    add = settings.locator("#seedream-models-add")
    expect(add).to_be_enabled()
    add.press("Enter")
    expect(field(settings, "id")).to_be_focused()
    canvas.page.keyboard.type("Seedream-5.5")
    canvas.page.keyboard.press("Tab")
    field(settings, "like").select_option("Seedream-4.0")
    enter(settings, "qualities", "1K, 1.5K, 2K")
    enter(settings, "max_references", "99")
    row = settings.locator("[data-key=max_references]")
    expect(row).to_contain_text("Allowed: a whole number from 0 to 14")
    expect(field(settings, "max_references")).to_have_attribute("aria-invalid", "true")
    canvas.shoot("model-form")
    enter(settings, "max_references", "10")
    expect(row.locator(".seedream-error")).to_be_hidden()
    field(settings, "sends_n").uncheck()
    enter(settings, "extra", "background: transparent")
    for tier, amount in MADE["prices"].items():
        settings.locator(f"#seedream-model-prices [name='{tier}']").fill(amount)
        settings.locator(f"#seedream-model-prices [name='{tier}']").press("Tab")
    assert json.loads(text.input_value()) == [MADE]
    expect(settings.locator("[data-key=max_results]")).to_contain_text("As Seedream-4.0")
    expect(field(settings, "max_results")).to_have_value("1")

    found = Axe().run(canvas.page, context="#seedream-settings")
    assert [one["id"] for one in found.response["violations"] if one["impact"] in SERIOUS] == []

    text.fill(json.dumps([{**MADE, "alpha": True, "max_references": 4}, {"id": "b"}]))
    expect(field(settings, "alpha")).to_be_checked()
    expect(field(settings, "max_references")).to_have_value("4")
    settings.locator("#seedream-models-save").click()
    expect(settings.locator("#seedream-models-problem")).to_contain_text("entry 2 (b): family")
    expect(field(settings, "family")).to_be_focused()
    settings.locator("#seedream-models-remove").click()
    row.get_by_role("button", name="Take it from Seedream-4.0").click()
    expect(field(settings, "max_references")).to_have_value("14")
    text.fill("[{")
    expect(field(settings, "id")).to_be_disabled()
    text.fill(json.dumps([MADE]))
    expect(field(settings, "id")).to_be_enabled()
    settings.locator("#seedream-models-save").click()
    expect(settings.get_by_text("Saved; added models: 1")).to_be_visible()
    assert json.loads((site.comfy.home / "models.json").read_text("utf-8")) == [MADE]
    module = "/extensions/" + canvas.page.evaluate(FOLDER) + "/model_text.js"
    assert canvas.page.evaluate(ROUND_TRIP, [module, MEMBERS]) == MEMBERS
    (site.comfy.home / "models.json").unlink()
    canvas.page.set_viewport_size({"width": 520, "height": 900})
    canvas.shoot("model-form-narrow")
