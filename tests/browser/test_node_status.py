"""What a node says before, during and after a run, in the page's language."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, expect

from support import workflows
from support.browser_server import FRONTENDS, NEWEST, RETURNING, Site
from support.browsers import MIDDLE_FRONTEND
from support.canary import SECOND_KEY
from support.canvas import Canvas, place_generator
from support.comfy_fixture import Clock

VIEWS = [(FRONTENDS[0], "zh-CN", False), (NEWEST, "en-US", True)]
"""Frontend, language, and whether nodes are elements of the page (Nodes 2.0)."""
NAMES = ["oldest-zh", "newest-elements"]
ON_EVERY = pytest.mark.parametrize(
    "page",
    [*VIEWS, (MIDDLE_FRONTEND, "zh-CN", True)],
    indirect=True,
    ids=[*NAMES, "middle-zh-elements"],
)


@pytest.fixture(scope="module", params=VIEWS, ids=NAMES)
def page(
    request: pytest.FixtureRequest,
    open_site: Callable[[str], Site],
    opener: Callable[..., Canvas],
) -> Iterator[tuple[Site, Canvas, bool]]:
    frontend, locale, has_elements = request.param
    site = open_site(frontend)
    site.begin(**RETURNING, **{"Comfy.VueNodes.Enabled": has_elements})
    canvas = opener(site, locale=locale)
    yield site, canvas, locale == "en-US"
    canvas.page.context.close()
    canvas.watch.check()


def place(canvas: Canvas, prompt: str) -> tuple[int, Locator]:
    canvas.clear()
    node, _ = place_generator(canvas, prompt)
    canvas.select(node)
    return node, canvas.page.locator(".seedream-line")


def start(canvas: Canvas) -> None:
    canvas.page.evaluate("window.endings.length = 0")
    canvas.page.evaluate("app.queuePrompt(0, 1)")


def wait_for_end(canvas: Canvas) -> None:
    canvas.page.wait_for_function("window.endings.length > 0")
    canvas.page.keyboard.press("Escape")  # ComfyUI's own message


def shoot(canvas: Canvas, state: str, is_english: bool) -> None:
    canvas.shoot(f"node-{state}-{'en' if is_english else 'zh'}")


def test_node_without_a_key_offers_settings_and_sandbox(
    page: tuple[Site, Canvas, bool], prompt: str
) -> None:
    site, canvas, is_english = page
    site.begin(**RETURNING)
    _, line = place(canvas, prompt)
    quote = line.locator(".seedream-quote")
    expect(quote).to_contain_text("No API key is set." if is_english else "尚未设置 API 密钥。")
    shoot(canvas, "no-key", is_english)
    line.get_by_role("button").first.click()
    expect(canvas.page.locator("#seedream-settings input[type=password]").first).to_be_focused()
    canvas.close_settings()
    line.get_by_role("button").last.click()
    expect(quote).to_contain_text("sandbox, free" if is_english else "沙盒，免费")
    saved = json.loads((site.comfy.home / "settings.json").read_text("utf-8"))
    assert saved["DEEPSPACE_BASE_URL"] == "sandbox"


@ON_EVERY
def test_running_node_counts_seconds_then_tells_the_result(
    page: tuple[Site, Canvas, bool], prompt: str
) -> None:
    site, canvas, is_english = page
    site.sign_in()
    node, line = place(canvas, prompt)
    source = canvas.add("EmptyImage", -400, width=64, height=64)
    canvas.link(source, "IMAGE", node, "images.image_1")
    site.comfy.clock.run(Clock.STOPPED)
    start(canvas)
    state = line.locator(".seedream-last")
    expect(state).to_contain_text("Queued · task-" if is_english else "排队中 · task-")
    before = state.inner_text()
    expect(state).not_to_have_text(before)  # the seconds
    expect(line.locator(".seedream-quote")).to_be_hidden()
    expect(line.locator("img")).to_have_count(1)
    references = line.locator("img").get_attribute("src")
    shoot(canvas, "running", is_english)
    site.comfy.clock.run(Clock.FLYING)
    wait_for_end(canvas)
    made = "Last run: 1 new image · Sandbox, free" if is_english else "上次运行：新生成 1 张图"
    expect(state).to_contain_text(made)
    picture = line.locator("img")
    expect(picture).not_to_have_attribute("src", references or "")
    expect(picture).not_to_have_js_property("naturalWidth", 0)
    shoot(canvas, "done", is_english)
    canvas.page.evaluate("app.queuePrompt(0, 1)")
    kept = "No new run, ComfyUI kept" if is_english else "本次没有重新运行"
    expect(state).to_contain_text(kept)


@ON_EVERY
def test_failed_node_shows_reason_and_charge_until_the_next_run(
    page: tuple[Site, Canvas, bool], prompt: str
) -> None:
    from support.fake_service import DropAfterReceipt

    site, canvas, is_english = page
    site.sign_in()
    node, line = place(canvas, f"{prompt} [blocked]")
    state = line.locator(".seedream-last")
    start(canvas)
    wait_for_end(canvas)
    expect(state).to_have_attribute("data-tone", "failed")
    expect(state).to_contain_text("Nothing was charged." if is_english else "未产生费用。")
    shoot(canvas, "failed", is_english)
    site.comfy.sandbox.faults.push("generate", DropAfterReceipt())
    script = "([id, text]) => (app.graph.getNodeById(id).widgets[0].value = text)"
    canvas.page.evaluate(script, [node, f"{prompt} again"])
    start(canvas)
    wait_for_end(canvas)
    expect(state).to_contain_text("It may have been charged." if is_english else "可能已经扣费。")
    shoot(canvas, "unknown", is_english)
    canvas.page.evaluate(script, [node, f"{prompt} third"])
    start(canvas)
    expect(state).to_have_attribute("data-tone", "done")


def test_cancelled_node_shows_what_still_runs_and_when_it_ends(
    page: tuple[Site, Canvas, bool], prompt: str
) -> None:
    site, canvas, is_english = page
    site.sign_in()
    _, line = place(canvas, prompt)
    state = line.locator(".seedream-last")
    site.comfy.clock.run(Clock.STOPPED)
    start(canvas)
    expect(state).to_contain_text("task-")
    canvas.page.evaluate("app.api.interrupt(null)")
    wait_for_end(canvas)
    runs = "is still running at the service" if is_english else "任务仍在服务端运行"
    expect(state).to_contain_text(runs)
    shoot(canvas, "cancelled", is_english)
    site.comfy.clock.run(Clock.FLYING)
    expect(state).to_contain_text("has finished" if is_english else "已经完成")
    expect(line).to_contain_text("stored result, no charge" if is_english else "不扣费")


def test_node_shows_cost_before_and_after_and_the_limit(
    page: tuple[Site, Canvas, bool], prompt: str
) -> None:
    from seedream_api.sandbox import Account

    site, canvas, is_english = page
    site.comfy.accounts[SECOND_KEY] = Account()
    site.sign_in(SECOND_KEY)  # the sandbox's own key would be free
    node, line = place(canvas, prompt)
    quote, state = line.locator(".seedream-quote"), line.locator(".seedream-last")
    expect(quote).to_contain_text("1 image · price unknown" if is_english else "1 张图 · 价格未知")
    prices = site.comfy.home / "prices.json"
    prices.write_text('{"currency": "CNY", "models": {"Seedream-4.0": "0.20"}}', "utf-8")
    refresh = "window.dispatchEvent(new Event('seedream-settings'))"
    canvas.page.evaluate(refresh)
    expect(quote).to_contain_text("at most 0.20 CNY" if is_english else "最多 0.20 CNY")
    shoot(canvas, "before", is_english)
    badges = canvas.page.locator(f"[data-node-id='{node}']")
    if is_english:  # the view in which a badge is an element
        expect(badges.get_by_text("at most 0.20 CNY", exact=True)).to_be_visible()
    canvas.run()
    paid = "1 image charged · 0.20 CNY" if is_english else "扣费 1 张 · 0.20 CNY"
    expect(state).to_contain_text(paid)
    shoot(canvas, "charged", is_english)
    settings = site.comfy.home / "settings.json"
    saved = json.loads(settings.read_text("utf-8"))
    settings.write_text(json.dumps({**saved, "SEEDREAM_LIMIT_MONTH": "0.30 CNY"}), "utf-8")
    script = "([id, text]) => (app.graph.getNodeById(id).widgets[0].value = text)"
    canvas.page.evaluate(script, [node, f"{prompt} again"])
    canvas.page.evaluate(refresh)
    expect(quote).to_contain_text("SEEDREAM_LIMIT_MONTH")
    # What other tests of this server have spent counts too.
    used = r"0\.\d0 CNY already count" if is_english else r"已计入 0\.\d0 CNY"
    expect(quote).to_contain_text(re.compile(used))
    expect(quote).to_have_attribute("data-kind", "error")
    expect(line.get_by_role("button")).to_have_count(1)
    shoot(canvas, "limit", is_english)
    if is_english:
        expect(badges.get_by_text("over the limit", exact=True)).to_be_visible()
    prices.unlink()


def test_counts_of_a_list_are_sums(page: tuple[Site, Canvas, bool], prompt: str) -> None:
    site, canvas, is_english = page
    site.sign_in()
    node, line = place(canvas, prompt)
    texts = canvas.add(workflows.texts("")["class_type"], -400, lines=f"{prompt} a\n{prompt} b")
    canvas.page.evaluate(
        """([from, to]) => {
          const [source, target] = [from, to].map((id) => app.graph.getNodeById(id));
          let slot = target.inputs.findIndex((input) => input.name === "prompt");
          if (slot < 0) slot = target.inputs.length;
          source.connect(0, target, slot);
        }""",
        [texts, node],
    )
    canvas.run()
    both = "2 new images" if is_english else "新生成 2 张图"
    expect(line.locator(".seedream-last")).to_contain_text(both)
    expect(line.locator("img")).to_have_count(2)


def test_another_workflow_does_not_take_over_the_lines_of_a_run(
    page: tuple[Site, Canvas, bool], prompt: str
) -> None:
    site, canvas, _ = page
    site.sign_in()
    place(canvas, prompt)
    site.comfy.clock.run(Clock.STOPPED)
    start(canvas)
    line = canvas.page.locator(".seedream-line")
    expect(line.locator(".seedream-last")).to_contain_text("task-")
    canvas.run_command("Comfy.NewBlankWorkflow")
    canvas.wait_for_nodes([])
    _, line = place(canvas, f"{prompt} other")
    expect(line.locator(".seedream-quote")).to_be_visible()
    site.comfy.clock.run(Clock.FLYING)
    wait_for_end(canvas)
    expect(line.locator(".seedream-last")).to_be_hidden()
