"""The seed's control, and workflows that travel from the newest frontend to the oldest."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.browser_server import NEWEST, OLDEST, RETURNING, Site
from support.canvas import Canvas

NOT_DEFAULT: dict[str, dict[str, Any]] = {
    "SeedreamPreferential": {
        "prompt": "two lines\n两行",
        "model": "Seedream-4.5-Preferential",
        "size": "4K",
        "output_format": "jpeg",
        "watermark": True,
        "seed": 9_007_199_254_740_991,
        "control": "decrement",
        "image_urls": "https://example.com/a.png\nhttps://example.com/b.png",
        "fit": "crop",
        "profile": "studio",
    },
    "SeedreamEvolink": {
        "prompt": "a lamp",
        "model": "Seedream-4.5",
        "size": "21:9",
        "quality": "4K",
        "n": 15,
        "prompt_priority": "fast",
        "seed": 12_345,
        "control": "increment",
        "image_urls": "https://example.com/c.png",
        "wait": False,
        "fit": "stretch",
        "profile": "studio",
    },
    "SeedreamPollTask": {
        "task_id": "task-1\ntask-2",
        "wait": False,
        "timeout_s": 77,
        "fit": "crop",
        "profile": "studio",
    },
    "SeedreamLoadURLImages": {
        "urls": "https://example.com/d.png",
        "on_error": "skip",
        "fit": "stretch",
    },
    "SeedreamUploadReferences": {},
}
"""Every widget of every node, each with another value than it begins with."""
KEPT = Path(__file__).with_name("saved_on_0_33.json")
"""``place_all`` as ComfyUI 0.33.0 with frontend 1.58.1 saved it, without ``profile``: no run of
the tests has two ComfyUIs."""


def fill(canvas: Canvas, node: int, values: dict[str, Any]) -> None:
    canvas.page.evaluate(
        """([id, values]) => {
          const { widgets = [] } = app.graph.getNodeById(id);
          const control = widgets.find((each) => each.name === "seed")?.linkedWidgets?.[0];
          for (const widget of widgets)
            widget.value = values[widget === control ? "control" : widget.name];
        }""",
        [node, values],
    )


def test_seed_of_a_new_node_stays_as_it_is(canvas: Canvas) -> None:
    for kind in ("SeedreamPreferential", "SeedreamEvolink"):
        assert canvas.widgets(canvas.add(kind))["control"] == "fixed"


def test_saved_seed_keeps_its_control(canvas: Canvas) -> None:
    node = canvas.add("SeedreamEvolink")
    fill(canvas, node, NOT_DEFAULT["SeedreamEvolink"])
    canvas.load(canvas.saved())
    assert canvas.widgets(node)["control"] == "increment"


def place_all(canvas: Canvas) -> dict[int, str]:
    """Every node with nothing as it begins, linked where it can be; gives the kinds by id."""
    canvas.clear()
    nodes: dict[int, str] = {}
    for place, (kind, values) in enumerate(NOT_DEFAULT.items()):
        node = canvas.add(kind, 480 * (place % 3), 700 * (place // 3))
        before = canvas.widgets(node)
        assert before.keys() == values.keys(), "a widget is missing in this test"
        assert [name for name in values if before[name] == values[name]] == []
        fill(canvas, node, values)
        nodes[node] = kind
    source = canvas.add("EmptyImage", -400)
    of_kind = {kind: node for node, kind in nodes.items()}
    for kind in ("SeedreamPreferential", "SeedreamEvolink", "SeedreamUploadReferences"):
        for number in (1, 2):
            canvas.link(source, "IMAGE", of_kind[kind], f"images.image_{number}")
    # Places after the growing inputs: how many stand before them is the host's affair.
    uploads, evolink = of_kind["SeedreamUploadReferences"], of_kind["SeedreamEvolink"]
    canvas.link(uploads, "urls", of_kind["SeedreamPreferential"], "image_urls")
    canvas.link(evolink, "task_id", of_kind["SeedreamPollTask"], "task_id")
    return nodes


def test_newest_workflow_loads_on_oldest_with_every_value(
    open_site: Callable[[str], Site], visit: Callable[[Site], Canvas]
) -> None:
    newest, oldest = open_site(NEWEST), open_site(OLDEST)
    for site in (newest, oldest):
        site.begin(**RETURNING)
    there = visit(newest)
    nodes = place_all(there)
    here = visit(oldest)
    expected = {node: NOT_DEFAULT[kind] for node, kind in nodes.items()}
    here.load(there.saved())
    assert {node: here.widgets(node) for node in nodes} == expected
    assert here.inputs() == there.inputs()
    kept = json.loads(KEPT.read_text("utf-8"))
    for canvas in (here, there):
        canvas.load(kept)
    without = {
        node: {**values, "profile": ""} if "profile" in values else values
        for node, values in expected.items()
    }
    assert {node: here.widgets(node) for node in nodes} == without
    assert here.inputs() == there.inputs()
    here.shoot("workflow-of-the-newest")
