"""What a person reads at the node, in both languages: name, labels, help page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from support.browser_server import FRONTENDS, RETURNING, VERSIONS, Site
from support.canvas import Canvas
from support.paths import PACK_ROOT

HELP = PACK_ROOT / "web" / "docs"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
NODES = sorted(folder.name for folder in HELP.iterdir() if folder.is_dir())


def heading(node: str, language: str) -> str:
    """The first heading of the node's help page."""
    text = (HELP / node / f"{language}.md").read_text("utf-8")
    return next(line for line in text.splitlines() if line.startswith("#")).lstrip("# ")


@pytest.fixture(scope="module", params=["en", "zh"])
def language(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module", params=FRONTENDS, ids=VERSIONS)
def reader(
    request: pytest.FixtureRequest,
    language: str,
    open_site: Callable[[str], Site],
    opener: Callable[[Site], Canvas],
) -> Iterator[Canvas]:
    site = open_site(request.param)
    site.begin(**RETURNING, **{"Comfy.Locale": language})
    canvas = opener(site)
    yield canvas
    canvas.watch.check()


@pytest.mark.parametrize("node", NODES)
def test_help_page_shows_in_the_info_panel(reader: Canvas, language: str, node: str) -> None:
    reader.clear()
    reader.select(reader.add(node))
    reader.page.get_by_test_id("info-button").click()
    shown = reader.page.get_by_role("heading", name=heading(node, language)).first
    shown.wait_for()
    if node == "SeedreamEvolink":
        reader.shoot(f"help-{language}")


@pytest.mark.parametrize("node", NODES)
def test_every_label_is_in_the_readers_language(reader: Canvas, language: str, node: str) -> None:
    reader.clear()
    labels = reader.labels(reader.add(node))
    assert len(labels) > 3
    # The places of a growing input are named by the frontend, the same in every language.
    named = [label for label in labels if not re.fullmatch(r"image_\d+", label)]
    foreign = [label for label in named if bool(CHINESE.search(label)) != (language == "zh")]
    assert foreign == []


def test_tooltip_says_what_the_seed_is_for(reader: Canvas, language: str) -> None:
    reader.clear()
    node = reader.add("SeedreamPreferential")
    reader.select(node)
    reader.hover(node, "seed")
    tooltip = reader.page.locator(".node-tooltip")
    tooltip.wait_for()
    words = "不会发送" if language == "zh" else "Not sent"
    assert words in tooltip.inner_text()
    reader.shoot(f"tooltip-{language}")
