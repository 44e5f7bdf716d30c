"""Prices and limits in a real ComfyUI: on the node, in the report, and across a graph."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import workflows
from support.comfy_fixture import ComfyFixture, shown
from support.pack_routes import ask

LATER = "Seedream-4.0"
TABLE = {"currency": "CNY", "models": {LATER: {"1K": "0.20", "2K": "0.25", "reference": "0.06"}}}


@pytest.fixture
def prices(comfy: ComfyFixture) -> Iterator[Path]:
    comfy.home.mkdir(mode=0o700, exist_ok=True)
    file = comfy.home / "prices.json"
    file.write_text(json.dumps(TABLE), "utf-8")
    yield file
    file.unlink()


def quote(comfy: ComfyFixture, **inputs: Any) -> dict[str, Any]:
    body = {"class_type": "SeedreamEvolink", "inputs": {"model": LATER, "quality": "2K", **inputs}}
    return ask(comfy.server, "/quote", body).json()


def test_run_limit_fails_one_node_and_the_others_finish(comfy: ComfyFixture, prompt: str) -> None:
    graph: dict[str, Any] = {}
    for number in range(3):
        graph[f"{number}"] = workflows.evolink(f"{prompt} {number}")
        graph[f"1{number}"] = workflows.look(f"{number}")
    with comfy.settings(SEEDREAM_LIMIT_RUN="2"):
        outcome = comfy.server.run(graph)
        assert outcome.status == "error"
        assert "SEEDREAM_LIMIT_RUN" in outcome.error["exception_message"]
        assert len(comfy.posts(prompt)) == 2
        looked = [node for node in ("10", "11", "12") if "seen" in outcome.outputs.get(node, {})]
        assert len(looked) == 2, "the images of the others reached their nodes"
        # Another run has room for the third; the first two are stored.
        assert comfy.server.run(graph).status == "success"
    assert len(comfy.posts(prompt)) == 3


def test_report_and_task_list_tell_the_cost(comfy: ComfyFixture, prompt: str, prices: Path) -> None:
    node = workflows.evolink(prompt, model=LATER, quality="2K")
    outcome = comfy.run({"1": node, "2": workflows.show("1", 4)})
    cost = {"estimated": "0.25", "charged": "0.25", "currency": "CNY"}
    assert json.loads(shown(outcome, "2"))["cost"] == cost
    (task,) = [
        task for task in ask(comfy.server, "/tasks").json()["tasks"] if task["prompt"] == prompt
    ]
    assert task["cost"] == cost


def test_quote_has_the_highest_cost_of_linked_inputs(
    comfy: ComfyFixture, prompt: str, prices: Path
) -> None:
    estimates = {
        "0.75": {"n": 3},
        "1.09": {"n": 1, "images.image_1": ["9", 0]},
        "1.00": {"n": 4, "quality": ["9", 0]},
    }
    for estimated, inputs in estimates.items():
        told = quote(comfy, prompt=prompt, **inputs)
        assert told["cost"] == {"estimated": estimated, "charged": None, "currency": "CNY"}
        assert told["limit"] is None
    unknown = quote(comfy, prompt=prompt, model=["9", 0])
    assert unknown["cost"]["estimated"] is None


def test_quote_of_a_batch_has_its_cost_and_the_limit_it_exceeds(
    comfy: ComfyFixture, prompt: str, prices: Path
) -> None:
    def quote_batch(**inputs: Any) -> dict[str, Any]:
        batch = workflows.seedream_batch(f"{prompt} a\n{prompt} b", model=LATER, **inputs)
        return ask(
            comfy.server, "/quote", {"class_type": "SeedreamBatch", "inputs": batch["inputs"]}
        ).json()

    told = quote_batch(quality="2K", n=2)
    assert told["cost"] == {"estimated": "1.00", "charged": None, "currency": "CNY"}
    assert told["limit"] is None
    linked = quote_batch(quality="2K", **{"images.image_1": ["9", 0]})
    assert linked["cost"]["estimated"] == "2.18"
    assert quote_batch(quality="4K")["cost"]["estimated"] is None
    with comfy.settings(SEEDREAM_LIMIT_DAY="0.90 CNY"):
        assert "whole batch may cost 1.00 CNY" in quote_batch(quality="2K", n=2)["limit"]["en"]
        assert "has no known price" in quote_batch(quality="4K")["limit"]["en"]


def test_batch_reports_what_its_rows_cost(comfy: ComfyFixture, prompt: str, prices: Path) -> None:
    batch = workflows.seedream_batch(f"{prompt} a\n{prompt} b", model=LATER, quality="2K")
    outcome = comfy.run({"1": batch, "2": workflows.show("1", 4)})
    report = json.loads(shown(outcome, "2"))
    assert report["cost"]["charged"] == "0.50" and report["cost"]["currency"] == "CNY"
    assert [row["cost"]["charged"] for row in report["rows"]] == ["0.25", "0.25"]


def test_quote_tells_which_limit_would_refuse_the_run(
    comfy: ComfyFixture, prompt: str, prices: Path
) -> None:
    with comfy.settings(SEEDREAM_LIMIT_MONTH="0.20 CNY"):
        told = quote(comfy, prompt=prompt, n=1)
    assert (
        "may cost 0.25 CNY" in told["limit"]["en"] and "SEEDREAM_LIMIT_MONTH" in told["limit"]["zh"]
    )
