"""Profiles in the settings panel: added, checked, renamed, used by a node, removed."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from support.browser_server import ON_NEWEST, Site
from support.canary import SECOND_KEY
from support.canvas import Canvas


@ON_NEWEST
def test_profile_is_added_checked_renamed_used_and_removed(
    site: Site, canvas: Canvas, prompt: str
) -> None:
    from seedream_api.sandbox import Account

    comfy = site.comfy
    comfy.accounts[SECOND_KEY] = Account()
    settings = canvas.open_settings()
    settings.locator("#seedream-profile-add").click()
    settings.locator("#seedream-profile-name").fill("Client A")
    settings.locator("#seedream-profile-address").fill(comfy.sandbox.url)
    settings.locator("#seedream-profile-key").fill(SECOND_KEY)
    settings.locator("#seedream-profile-save").click()
    row = settings.locator("[data-profile=client_a]")
    expect(row).to_contain_text("Key set")
    row.get_by_role("button", name="Check").click()
    expect(row.locator("li").first).to_contain_text("OK")
    canvas.shoot("profiles")
    row.get_by_role("button", name="Edit").click()
    settings.locator("#seedream-profile-name").fill("studio")
    settings.locator("#seedream-profile-save").click()
    row = settings.locator("[data-profile=studio]")
    expect(row).to_be_visible()
    assert SECOND_KEY not in canvas.page.content()
    canvas.close_settings()

    widgets = {"prompt": prompt, "model": "Seedream-4.0", "quality": "1K", "profile": "studio"}
    generator = canvas.add("SeedreamEvolink", **widgets)
    canvas.link(generator, "images", canvas.add("PreviewImage", 500), "images")
    canvas.run()
    [paid] = comfy.posts(prompt)
    assert paid.headers["authorization"] == f"Bearer {SECOND_KEY}"

    settings = canvas.open_settings()
    remove = settings.locator("[data-profile=studio]").get_by_role("button", name="Remove")
    remove.click()
    expect(remove).to_have_text("Remove with its key")
    remove.click()
    expect(settings.locator("[data-profile]")).to_have_count(0)
    canvas.close_settings()
    saved = json.loads((comfy.home / "settings.json").read_text("utf-8"))
    assert saved.get("profiles") == {}
