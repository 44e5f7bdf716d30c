"""Added models in the page: offered without a reload, run, and named in translated tooltips."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.browser_server import FRONTENDS, RETURNING, VERSIONS, Site
from support.canvas import Canvas
from support.paths import PACK_ROOT

EXAMPLE = (PACK_ROOT / "docs" / "examples" / "models.json").read_text("utf-8")
TOOLTIP = """([node, name]) => {
  const widget = app.graph.getNodeById(node).widgets.find((each) => each.name === name);
  return widget.tooltip;
}"""
OFFERED = TOOLTIP.replace("widget.tooltip", "widget.options.values")
NODES = ("SeedreamPreferential", "SeedreamEvolink", "SeedreamPollTask", "SeedreamBatch")
ADDED = "Seedream-5.5 可用：1K, 1.5K, 2K。Seedream-5.5-Cutout 可用：1K, 1.5K, 2K。"


@pytest.fixture(scope="module", params=FRONTENDS, ids=VERSIONS)
def chinese(
    request: pytest.FixtureRequest,
    open_site: Callable[[str], Site],
    opener: Callable[[Site], Canvas],
) -> Iterator[tuple[Canvas, Path]]:
    """A page on a server with its own sandbox, and the models file of that server."""
    site = open_site(request.param)
    site.begin(**RETURNING, **{"Comfy.Locale": "zh"})
    site.comfy.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = {"DEEPSPACE_BASE_URL": "sandbox"}
    (site.comfy.home / "settings.json").write_text(json.dumps(settings), "utf-8")
    file = site.comfy.home / "models.json"
    canvas = opener(site)
    yield canvas, file
    file.unlink(missing_ok=True)
    canvas.watch.check()


def refresh(canvas: Canvas) -> None:
    canvas.page.evaluate("app.refreshComboInNodes()")


def test_tooltip_names_the_values_of_added_models(chinese: tuple[Canvas, Path]) -> None:
    canvas, file = chinese
    canvas.clear()
    node = canvas.add("SeedreamEvolink")
    assert canvas.page.evaluate(TOOLTIP, [node, "quality"]) is None
    file.write_text(EXAMPLE, "utf-8")
    refresh(canvas)
    assert canvas.page.evaluate(TOOLTIP, [node, "quality"]).endswith(ADDED)
    other = canvas.add("SeedreamEvolink", 900)
    priority = canvas.page.evaluate(TOOLTIP, [other, "prompt_priority"])
    assert "standard 标准" in priority and priority.endswith("Seedream-5.5-Cutout 不使用此项。")
    canvas.select(node)
    canvas.hover(node, "quality")
    tooltip = canvas.page.locator(".node-tooltip")
    tooltip.wait_for()
    assert ADDED in tooltip.inner_text()
    canvas.shoot("added-models")
    file.unlink()
    refresh(canvas)
    assert canvas.page.evaluate(TOOLTIP, [node, "quality"]) is None


def test_tooltip_of_another_pack_stays(chinese: tuple[Canvas, Path]) -> None:
    canvas, _ = chinese
    canvas.clear()
    node = canvas.add("TestFails")
    canvas.page.evaluate(
        TOOLTIP.replace("return widget.tooltip", "widget.tooltip = 'set by its pack'"),
        [node, "seconds"],
    )
    refresh(canvas)
    assert canvas.page.evaluate(TOOLTIP, [node, "seconds"]) == "set by its pack"


def test_added_model_runs_and_saved_workflows_stay(
    chinese: tuple[Canvas, Path], prompt: str
) -> None:
    canvas, file = chinese
    canvas.clear()
    for place, kind in enumerate(NODES):
        canvas.add(kind, 800 * place)
    saved, inputs = canvas.saved()["nodes"], canvas.inputs()
    file.write_text(EXAMPLE, "utf-8")
    refresh(canvas)
    canvas.load({**canvas.saved(), "nodes": saved})
    assert canvas.inputs() == inputs
    values = [node.get("widgets_values") for node in canvas.saved()["nodes"]]
    assert values == [node.get("widgets_values") for node in saved]

    canvas.clear()
    widgets = {"prompt": prompt, "model": "Seedream-5.5-Cutout", "quality": "1.5K", "size": "16:9"}
    node, preview = canvas.add("SeedreamEvolink", **widgets), canvas.add("PreviewImage", 500)
    canvas.link(node, "images", preview, "images")
    offered = canvas.page.evaluate(OFFERED, [node, "quality"])
    assert offered == ["1K", "2K", "4K", "1.5K"]
    canvas.run()
    assert canvas.pictures(preview) == [[2144, 1200]]
