"""A proxy that is set in the settings panel."""

from __future__ import annotations

import json
from collections.abc import Callable

from playwright.sync_api import expect

from support.browser_server import Site
from support.canvas import Canvas

PASSWORD = "hush-4be1"
PROXY = "http://127.0.0.1:7890"
_TYPED = "[...document.querySelectorAll('input')].map((input) => input.value).join()"


def test_proxy_is_saved_shown_without_password_and_removed(
    site: Site, visit: Callable[[Site], Canvas]
) -> None:
    canvas, file = visit(site), site.comfy.home / "settings.json"
    settings = canvas.open_settings()
    field = settings.locator("#seedream-setting-SEEDREAM_PROXY")
    row = settings.locator("[data-name=SEEDREAM_PROXY]")
    used = settings.locator("#seedream-proxy")
    expect(used).to_have_text("none for this address")
    with_password = PROXY.replace("://", f"://me:{PASSWORD}@")
    field.fill(with_password)
    field.press("Enter")
    expect(row).to_contain_text("the secret part is set but not shown")
    expect(field).to_have_value("")
    expect(field).to_have_attribute("placeholder", PROXY)
    assert json.loads(file.read_text("utf-8"))["SEEDREAM_PROXY"] == with_password
    # The sandbox is on this machine, which needs none; another address is asked through it.
    expect(used).to_have_text("none for this address")
    settings.locator("#seedream-setting-DEEPSPACE_BASE_URL").select_option(index=0)
    expect(used).to_have_text(PROXY)
    row.scroll_into_view_if_needed()
    canvas.shoot("proxy")
    canvas.close_settings()
    settings = canvas.open_settings()
    expect(field).to_have_attribute("placeholder", PROXY)
    assert PASSWORD not in canvas.page.content() + canvas.page.evaluate(_TYPED)
    assert not any(PASSWORD in str(frame) for frame in canvas.watch.frames)
    row.get_by_role("button").click()
    expect(used).to_have_text("none for this address")
    assert "SEEDREAM_PROXY" not in json.loads(file.read_text("utf-8"))
    canvas.close_settings()


def test_invalid_proxy_is_refused_beside_its_field(
    site: Site, visit: Callable[[Site], Canvas]
) -> None:
    canvas = visit(site)
    settings = canvas.open_settings()
    field = settings.locator("#seedream-setting-SEEDREAM_PROXY")
    field.fill("ftp://127.0.0.1")
    field.press("Enter")
    error = settings.locator("#seedream-setting-SEEDREAM_PROXY-error")
    expect(error).to_contain_text("it is not an http, https or socks5 address")
    expect(field).to_have_value("ftp://127.0.0.1")
    canvas.close_settings()
    # A browser logs every request that is refused.
    logged, canvas.watch.errors = canvas.watch.errors, []
    assert logged == [f"400 {site.url}/api/seedream/settings"]
