"""The pack in ComfyUI's menus, searches and About panel, on the newest frontend."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from seedream_api import __version__
from support.browser_server import ON_NEWEST, Site
from support.canvas import Canvas, place_generator

pytestmark = ON_NEWEST
MENU = "(id) => app.collectNodeMenuItems(app.graph.getNodeById(id))"


def test_commands_open_tasks_check_the_key_and_use_the_sandbox(site: Site, canvas: Canvas) -> None:
    canvas.run_command("Seedream.OpenTasks")
    expect(canvas.page.locator("#seedream-tasks")).to_be_visible()
    canvas.close_tasks()
    canvas.run_command("Seedream.CheckKey")
    found = canvas.page.get_by_text("responds and accepts the key").first
    found.wait_for(state="attached")
    canvas.run_command("Seedream.UseSandbox")
    expect(canvas.page.get_by_text("The sandbox is the service now").last).to_be_visible()
    saved = json.loads((site.comfy.home / "settings.json").read_text("utf-8"))
    assert saved["DEEPSPACE_BASE_URL"] == "sandbox"
    menu = """() => app.extensions.find((one) => one.name === "Seedream.Commands").menuCommands"""
    assert canvas.page.evaluate(menu)[0]["path"] == ["Seedream"]


def test_right_click_finds_the_tasks_of_a_node_and_makes_another(
    site: Site, canvas: Canvas, prompt: str
) -> None:
    node, _ = place_generator(canvas, prompt)
    canvas.run()
    items = f"({MENU})({node}).filter((item) => item?.content?.startsWith('Seedream'))"
    names = canvas.page.evaluate(f"{items}.map((item) => item.content)")
    assert names == [
        "Seedream: tasks of this node",
        "Seedream: copy task ID",
        "Seedream: make again with a new seed (a new charge)",
    ]
    canvas.page.evaluate(f"{items}[0].callback()")
    rows = canvas.page.locator("#seedream-tasks .seedream-task")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(prompt)
    canvas.close_tasks()
    canvas.page.evaluate("window.endings.length = 0")
    canvas.page.evaluate(f"{items}[2].callback()")
    canvas.page.wait_for_function("window.endings.length === 1")
    assert len(site.comfy.posts(prompt)) == 2
    badge = "(id) => app.graph.getNodeById(id).badges.map((b) => (b.call ? b() : b).text)"
    canvas.page.wait_for_function(f"({badge})({node}).includes('stored, no charge')")


@pytest.mark.parametrize("word", ["api key", "sandbox", "proxy"])
def test_settings_search_finds_the_panel(canvas: Canvas, word: str) -> None:
    canvas.run_command("Comfy.ShowSettingsDialog")
    canvas.page.get_by_role("dialog").locator("input").first.fill(word)
    expect(canvas.page.locator("#seedream-settings")).to_be_visible()
    canvas.close_settings()


def test_template_search_finds_seedream(canvas: Canvas) -> None:
    canvas.run_command("Comfy.BrowseTemplates")
    dialog = canvas.page.get_by_role("dialog")
    dialog.get_by_role("textbox").or_(dialog.get_by_role("searchbox")).first.fill("seedream")
    expect(dialog.get_by_role("heading", name="Edit with two references")).to_be_visible()
    canvas.page.keyboard.press("Escape")
    canvas.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_about_panel_names_version_and_documentation(canvas: Canvas) -> None:
    canvas.run_command("Comfy.Help.AboutComfyUI")
    about = canvas.page.get_by_role("dialog")
    expect(about.get_by_text(f"Seedream v{__version__}")).to_be_visible()
    expect(about.get_by_text("Seedream documentation")).to_be_visible()
    canvas.page.keyboard.press("Escape")
    expect(about).to_have_count(0)
