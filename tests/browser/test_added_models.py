"""Tooltips of choices name the values of added models in the page's language, without a reload."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.browser_server import FRONTENDS, RETURNING, VERSIONS, Site
from support.canvas import Canvas
from support.paths import PACK_ROOT

EXAMPLE = (PACK_ROOT / "docs" / "examples" / "models.json").read_text("utf-8")
TOOLTIP = """([node, name]) => {
  const widget = app.graph.getNodeById(node).widgets.find((each) => each.name === name);
  return widget.tooltip;
}"""
ADDED = "Seedream-5.5：1K, 1.5K, 2K。Seedream-5.5-Cutout：1K, 1.5K, 2K。"


@pytest.fixture(params=FRONTENDS, ids=VERSIONS)
def chinese(
    request: pytest.FixtureRequest,
    open_site: Callable[[str], Site],
    visit: Callable[[Site], Canvas],
) -> tuple[Site, Canvas]:
    site = open_site(request.param)
    site.begin(**RETURNING, **{"Comfy.Locale": "zh"})
    canvas = visit(site)
    canvas.clear()
    return site, canvas


def test_tooltip_names_the_values_of_added_models(chinese: tuple[Site, Canvas]) -> None:
    site, canvas = chinese
    file = site.comfy.home / "models.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    node = canvas.add("SeedreamEvolink")
    assert canvas.page.evaluate(TOOLTIP, [node, "quality"]) is None
    file.write_text(EXAMPLE, "utf-8")
    try:
        canvas.page.evaluate("app.refreshComboInNodes()")
        assert canvas.page.evaluate(TOOLTIP, [node, "quality"]).endswith(ADDED)
        other = canvas.add("SeedreamEvolink", 900)
        priority = canvas.page.evaluate(TOOLTIP, [other, "prompt_priority"])
        assert "standard 标准" in priority and priority.endswith("Seedream-5.5-Cutout：不使用。")
        canvas.select(node)
        canvas.hover(node, "quality")
        tooltip = canvas.page.locator(".node-tooltip")
        tooltip.wait_for()
        assert ADDED in tooltip.inner_text()
        canvas.shoot("added-models")
    finally:
        file.unlink()
    canvas.page.evaluate("app.refreshComboInNodes()")
    assert canvas.page.evaluate(TOOLTIP, [node, "quality"]) is None
