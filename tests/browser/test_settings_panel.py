"""The settings panel: what stays as a person sets it, and what is not theirs to set."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Route, expect

from support import browser_server
from support.browser_server import NEWEST, ON_NEWEST, RETURNING, Site
from support.canvas import Canvas

FIXED = {"DEEPSPACE_API_KEY": "sk-canary-fixed-outside", "SEEDREAM_MAX_SUBMITS": "7"}
TYPED = {"SEEDREAM_STORE_GB": "12.5", "SEEDREAM_MAX_SUBMITS": "2", "SEEDREAM_TIMEOUT_S": "90"}


def field(settings: Locator, name: str) -> Locator:
    return settings.locator(f"#seedream-setting-{name}")


def origin(settings: Locator, name: str) -> Locator:
    """Where the value comes from, as its row says."""
    return settings.locator(f"[data-name={name}] .seedream-origin")


def saved(site: Site) -> dict[str, str]:
    return json.loads((site.comfy.home / "settings.json").read_text("utf-8"))


@pytest.fixture
def fixed_site(tmp_path: Path) -> Iterator[Site]:
    """A server with settings in its environment; it outlives the test's pages."""
    with browser_server.open_site(NEWEST, tmp_path, FIXED) as site:
        site.begin(**RETURNING)
        yield site


def test_setting_of_environment_cannot_be_changed(
    fixed_site: Site, visit: Callable[[Site], Canvas]
) -> None:
    canvas = visit(fixed_site)
    settings = canvas.open_settings()
    for name in FIXED:
        expect(field(settings, name)).to_be_disabled()
        reason = field(settings, f"{name}-reason")
        expect(reason).to_be_visible()
        expect(reason).to_contain_text(f"{name} is fixed by the environment.")
        expect(origin(settings, name)).to_have_text("from the environment")
        # Nothing in the row undoes what was set outside.
        expect(settings.locator(f"[data-name={name}] button:visible")).to_have_count(0)
    expect(field(settings, "SEEDREAM_MAX_SUBMITS")).to_have_value("7")
    expect(field(settings, "SEEDREAM_MAX_SUBMITS")).to_have_accessible_description(
        re.compile("fixed by the environment")
    )
    expect(field(settings, "DEEPSPACE_API_KEY-state")).to_have_text("Set")
    expect(field(settings, "DEEPSPACE_API_KEY")).to_have_value("")
    # A key from outside goes to no address that is typed in a browser.
    own = field(settings, "DEEPSPACE_BASE_URL").locator("option[value=own]")
    expect(own).to_be_disabled()
    expect(field(settings, "SEEDREAM_MAX_DOWNLOADS")).to_be_enabled()
    canvas.shoot("settings-fixed")
    canvas.close_settings()


def closed_to_several_users(route: Route) -> None:
    """What every route of the pack returns with --multi-user."""
    from seedream_api.errors import InvalidRequest

    error = InvalidRequest("panel_multi_user")
    told = {language: error.summary(language) for language in ("en", "zh")}
    route.fulfill(status=403, json={"error": told})


@ON_NEWEST
def test_panels_that_several_users_may_not_see_say_so(site: Site, canvas: Canvas) -> None:
    ours = f"{site.url}/api/seedream/**"
    canvas.page.route(ours, closed_to_several_users)
    reason = "This ComfyUI serves several users (--multi-user)"
    settings = canvas.open_settings_dialog()
    expect(settings.get_by_role("note")).to_contain_text(reason)
    expect(settings.locator("input, select, button")).to_have_count(0)
    canvas.shoot("settings-several-users")
    canvas.close_settings()
    panel = canvas.open_tasks()
    expect(panel.locator(".seedream-nothing")).to_contain_text(reason)
    expect(panel.locator(".seedream-list")).to_be_hidden()
    expect(panel.locator(".seedream-count")).to_be_hidden()
    canvas.shoot("tasks-several-users")
    canvas.close_tasks()
    canvas.page.unroute(ours)
    # A browser logs every request that is refused.
    logged, canvas.watch.errors = canvas.watch.errors, []
    assert {error.partition("?")[0] for error in logged} == {
        f"403 {site.url}/api/seedream/{path}" for path in ("settings", "overview", "tasks")
    }


@ON_NEWEST
def test_what_is_switched_and_typed_is_there_after_a_reload(site: Site, canvas: Canvas) -> None:
    settings = canvas.open_settings()
    expect(field(settings, "SEEDREAM_REUSE")).to_be_checked()
    field(settings, "SEEDREAM_REUSE").uncheck()
    for name, value in TYPED.items():
        expect(field(settings, name)).to_have_value("")
        field(settings, name).fill(value)
        field(settings, name).press("Enter")
    typed = {"SEEDREAM_REUSE": "off", **TYPED}
    site.comfy.until(lambda: typed.items() <= saved(site).items())
    canvas.open()
    settings = canvas.open_settings()
    expect(field(settings, "SEEDREAM_REUSE")).not_to_be_checked()
    for name, value in TYPED.items():
        expect(field(settings, name)).to_have_value(value)
    for name in typed:
        expect(origin(settings, name)).to_have_text("saved here")
    canvas.close_settings()
