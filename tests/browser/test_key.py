"""A key entered in the settings panel is found in nothing that is written or returned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.sync_api import Route, expect

from support.browser_server import Site
from support.canvas import Canvas, place_generator

CANARY = "sk-canary"
WRONG, KEY = f"{CANARY}-wrong-91aa", f"{CANARY}-7f31c0de"
READABLE = ("history", "queue", "settings", "object_info", "internal/logs", "internal/logs/raw")
OURS = ("seedream/settings", "seedream/tasks", "seedream/tasks/1")
_LOOK = """async (paths) => {
  for (const path of paths) await (await fetch(path)).arrayBuffer();
}"""
_CACHES = """async () => {
  const texts = [];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const answer of await cache.matchAll()) texts.push(await answer.text());
  }
  return texts.join();
}"""


def holds(data: bytes | str | None) -> bool:
    text = data.encode() if isinstance(data, str) else data
    return CANARY.encode() in (text or b"")


def written(site: Site) -> Iterator[Path]:
    """Every file that the server has written, its log too; the packs are links and not followed."""
    for file in site.comfy.server.base.rglob("*"):
        if file.is_file() and "custom_nodes" not in file.parts:
            yield file


def keep_answers(canvas: Canvas) -> list[tuple[str, bytes]]:
    """From now on every response to the page, with its address and headers."""
    kept: list[tuple[str, bytes]] = []

    def keep(route: Route) -> None:
        answer = route.fetch()
        kept.append((route.request.url, f"{answer.headers}".encode() + answer.body()))
        route.fulfill(response=answer)

    canvas.page.route(f"{canvas.url}/**", keep)
    return kept


def save_key(canvas: Canvas, address: str, key: str) -> None:
    """Type both into the settings panel, and have them checked."""
    settings = canvas.open_settings()
    settings.locator("#seedream-setting-DEEPSPACE_BASE_URL").select_option("own")
    own = settings.locator("#seedream-setting-DEEPSPACE_BASE_URL-own")
    own.fill(address)
    own.press("Enter")
    secret = settings.locator("#seedream-setting-DEEPSPACE_API_KEY")
    expect(secret).to_be_enabled()
    secret.fill(key)
    secret.press("Enter")
    state = settings.locator("#seedream-setting-DEEPSPACE_API_KEY-state")
    expect(state).to_have_attribute("data-set", "set")
    expect(secret).to_have_value("")
    settings.locator("#seedream-check").click()
    expect(settings.locator("#seedream-check-findings li").first).to_be_visible()
    canvas.shoot("key")
    canvas.close_settings()


def test_key_is_nowhere_but_in_its_own_file(
    site: Site, visit: Callable[[Site], Canvas], prompt: str
) -> None:
    from seedream_api.sandbox import Account

    comfy, file = site.comfy, site.comfy.home / "settings.json"
    file.unlink()
    comfy.accounts[KEY] = Account()
    canvas = visit(site)
    canvas.clear()
    answers = keep_answers(canvas)
    save_key(canvas, comfy.sandbox.url, WRONG)
    place_generator(canvas, f"{prompt} Refused")
    # A failure: its text and traceback end in the history.
    assert canvas.queue()[0]["type"] == "execution_error"
    canvas.page.keyboard.press("Escape")
    canvas.clear()
    save_key(canvas, comfy.sandbox.url, KEY)
    place_generator(canvas, prompt)
    canvas.run()
    (paid,) = comfy.posts(f"{prompt}")[-1:]
    assert paid.headers["authorization"] == f"Bearer {KEY}"
    canvas.open_tasks()
    canvas.close_tasks()
    canvas.page.evaluate(_LOOK, [f"/{path}" for path in (*READABLE, *OURS)])

    carried = [r.url for r in canvas.watch.requests if holds(r.post_data_buffer) or holds(r.url)]
    assert carried == [f"{site.url}/api/seedream/settings"] * 2
    assert {f"{site.url}/{path}" for path in (*READABLE, *OURS)} <= {url for url, _ in answers}
    assert [url for url, answer in answers if holds(answer)] == []
    assert not any(map(holds, canvas.watch.frames))
    # Cookies, local storage and IndexedDB, then what lives with the page alone, then the caches.
    state = canvas.page.context.storage_state(indexed_db=True)
    assert not holds(str(state))
    assert not holds(canvas.page.evaluate("JSON.stringify(sessionStorage)"))
    assert not holds(canvas.page.evaluate(_CACHES))
    assert not holds(canvas.page.content())
    assert [found for found in written(site) if holds(found.read_bytes())] == [file]
    assert file.stat().st_mode & 0o077 == 0
