"""Our parts of the page by axe-core's rules, in dark and light colours, and by keyboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from support.browser_server import FRONTENDS, NEWEST, RETURNING, VERSIONS, Site
from support.canvas import Canvas, place_generator

SERIOUS = ("serious", "critical")


def violations(canvas: Canvas, part: str) -> list[str]:
    """What axe-core holds against a part of the page, where it is serious."""
    found = Axe().run(canvas.page, context=part, options={"resultTypes": ["violations"]})
    return [
        f"{each['id']}: {node['html'][:200]} {node['failureSummary']}"
        for each in found.response["violations"]
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]


@pytest.fixture(scope="module", params=["dark", "light"])
def palette(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module", params=FRONTENDS, ids=VERSIONS)
def looked_at(
    request: pytest.FixtureRequest,
    palette: str,
    open_site: Callable[[str], Site],
    opener: Callable[..., Canvas],
) -> Canvas:
    site = open_site(request.param)
    site.begin(**RETURNING, **{"Comfy.ColorPalette": palette})
    site.sign_in()
    canvas = opener(site, locale="zh-CN")
    canvas.clear()
    return canvas


def test_settings_have_no_serious_violation(looked_at: Canvas, palette: str) -> None:
    settings = looked_at.open_settings()
    for way in ("s3", "http", "evolink", "auto"):
        settings.locator("#seedream-setting-SEEDREAM_UPLOAD").select_option(way)
        expect(settings.locator("#seedream-upload-hint")).to_be_visible()
        assert violations(looked_at, "#seedream-settings") == []
    settings.locator("#seedream-check").click()
    expect(settings.locator("#seedream-check-findings li").first).to_be_visible()
    looked_at.shoot(f"settings-{palette}")
    assert violations(looked_at, "#seedream-settings") == []
    looked_at.close_settings()


def test_task_panel_has_no_serious_violation(looked_at: Canvas, palette: str, prompt: str) -> None:
    place_generator(looked_at, prompt)
    looked_at.run()
    panel = looked_at.open_tasks()
    row = panel.locator(".seedream-task").filter(has_text=prompt)
    row.click()
    expect(panel.locator(".seedream-details")).to_contain_text(prompt)
    expect(row.locator("img")).not_to_have_js_property("naturalWidth", 0)
    looked_at.shoot(f"tasks-{palette}")
    assert violations(looked_at, "#seedream-tasks") == []
    row.dblclick()
    viewer = looked_at.page.locator(".seedream-viewer")
    expect(viewer.locator("aside .seedream-actions")).to_be_visible()
    looked_at.shoot(f"viewer-{palette}")
    assert violations(looked_at, ".seedream-viewer") == []
    looked_at.page.keyboard.press("Escape")
    looked_at.close_tasks()


def test_line_on_the_node_has_no_serious_violation(
    looked_at: Canvas, palette: str, prompt: str
) -> None:
    looked_at.clear()
    node, _ = place_generator(looked_at, prompt)
    looked_at.select(node)
    expect(looked_at.page.locator(".seedream-line")).to_be_visible()
    looked_at.shoot(f"line-{palette}")
    assert violations(looked_at, ".seedream-line") == []


@pytest.mark.parametrize(("locale", "palette"), [("en-US", "dark"), ("zh-CN", "light")])
def test_unknown_outcome_and_forget_question_are_accessible(
    locale: str,
    palette: str,
    open_site: Callable[[str], Site],
    visit: Callable[..., Canvas],
    prompt: str,
) -> None:
    from support.fake_service import DropAfterReceipt

    site = open_site(NEWEST)
    site.begin(**RETURNING, **{"Comfy.ColorPalette": palette})
    site.sign_in()
    canvas = visit(site, locale)
    canvas.clear()
    site.comfy.sandbox.faults.push("generate", DropAfterReceipt())
    place_generator(canvas, prompt)
    assert canvas.queue()[0]["type"] == "execution_error"
    canvas.page.keyboard.press("Escape")
    panel = canvas.open_tasks()
    row = panel.locator(".seedream-task").filter(has_text=prompt)
    expect(row).to_have_attribute("data-tone", "unclear")
    row.click()
    expect(panel.locator(".seedream-trouble")).to_be_visible()
    assert violations(canvas, "#seedream-tasks") == []
    panel.locator("[data-action=more]").click()
    assert violations(canvas, ".seedream-menu") == []
    panel.locator("[data-action=forget]").click()
    dialog = panel.get_by_role("dialog")
    expect(dialog.locator(".seedream-warning")).to_be_visible()
    canvas.shoot(f"forget-{palette}")
    assert violations(canvas, ".seedream-dialog") == []
    canvas.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    canvas.close_tasks()


def test_settings_are_usable_by_keyboard_alone(site: Site, canvas: Canvas) -> None:
    settings, press = canvas.open_settings(), canvas.page.keyboard.press
    settings.locator("#seedream-setting-DEEPSPACE_BASE_URL").focus()
    press("Home")  # DeepSpaceAPI
    for _ in range(10):
        press("Tab")
        if canvas.page.evaluate("document.activeElement.type") == "password":
            break
    canvas.page.keyboard.type("sk-typed")
    press("Enter")
    state = settings.locator("#seedream-setting-DEEPSPACE_API_KEY-state")
    expect(state).to_have_attribute("data-set", "set")
    reached: list[str] = []
    for _ in range(90):
        press("Tab")
        reached.append(canvas.page.evaluate("document.activeElement.id"))
    names = ("REUSE", "PARTIAL", "STORE_GB", "MAX_SUBMITS", "TIMEOUT_S", "ALLOW_HOSTS", "PROXY")
    assert {f"seedream-setting-SEEDREAM_{name}" for name in names} <= set(reached)
    assert {"seedream-check", "seedream-test-upload"} <= set(reached)
    canvas.close_settings()
