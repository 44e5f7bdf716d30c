"""Costs in the settings panel: a price table, limits, and the usage with its chart and CSV."""

from __future__ import annotations

import json
import subprocess
import sys
import time

from playwright.sync_api import expect

from support.browser_server import ON_NEWEST, Site
from support.canvas import Canvas, place_generator
from support.paths import PACK_ROOT


def note_balance(site: Site) -> None:
    """Record a reading of the balance that differs from what the requests cost."""
    from seedream_api.ledger.states import key_fingerprint
    from seedream_api.sandbox import SANDBOX_KEY

    now = time.time()
    left = {"units": 49_800_000, "is_unlimited": False, "used": 200_000}
    taken = {"since": now - 60, "until": now, "taken": 200_000, "expected": 50_000}
    entry = {"at": now, "balance": left, "since": now, "before": left, "rates": {}}
    content = {**entry, "difference": {**taken, "cost": "0.10 USD"}}
    name = f"{key_fingerprint(SANDBOX_KEY)} {site.comfy.sandbox.url}"
    (site.comfy.home / "balance.json").write_text(json.dumps({name: content}), "utf-8")


@ON_NEWEST
def test_prices_are_entered_and_usage_shows_what_was_charged(
    site: Site, canvas: Canvas, prompt: str
) -> None:
    settings = canvas.open_settings()
    settings.locator("#seedream-check").click()
    findings = settings.locator("#seedream-check-findings li")
    expect(findings.first).to_be_visible()
    row = settings.locator("[data-model='Seedream-4.0']")
    row.locator("input").first.fill("0,20")
    settings.locator("#seedream-prices-save").click()
    expect(settings.get_by_role("status").first).to_have_text("Saved")
    expect(findings).to_have_count(0)  # they were about the settings before
    saved = json.loads((site.comfy.home / "prices.json").read_text("utf-8"))
    assert saved == {"currency": "CNY", "models": {"Seedream-4.0": {"1K": "0.20"}}}
    row.locator("input").first.fill("free")
    settings.locator("#seedream-prices-save").click()
    expect(settings.locator("#seedream-prices-problem")).to_contain_text("Seedream-4.0")
    # A browser logs every request that is refused.
    logged, canvas.watch.errors = canvas.watch.errors, []
    assert logged == [f"400 {site.url}/api/seedream/prices"]
    canvas.close_settings()

    place_generator(canvas, prompt)
    canvas.run()
    note_balance(site)
    settings = canvas.open_settings()
    usage = settings.locator("#seedream-usage")
    expect(usage.locator("dd").first).to_contain_text("0.20 CNY")
    expect(usage.locator("svg .seedream-bar-charged").last).to_be_visible()
    expect(usage).to_contain_text("49800000 quota units left (about 99.60 USD")
    expect(usage).to_contain_text("the relay took 200000 quota units from this key")
    usage.scroll_into_view_if_needed()
    canvas.shoot("costs")
    with canvas.page.expect_download() as download:
        settings.locator("#seedream-usage-csv").click()
    shown = download.value.path().read_text("utf-8")
    command = subprocess.run(
        [sys.executable, "-m", "seedream_api", "usage", "--csv"],
        env={"SEEDREAM_HOME": str(site.comfy.home), "PATH": ""},
        cwd=PACK_ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown == command.stdout
    canvas.close_settings()
    event = "new CustomEvent('seedream.balance', { detail: { en: 'differs', zh: '' } })"
    canvas.page.evaluate(f"app.api.dispatchEvent({event})")
    expect(canvas.page.get_by_role("alert").filter(has_text="differs").last).to_be_visible()
