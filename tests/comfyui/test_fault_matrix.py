"""The fault matrix of ``support/fault_cases.py`` through the nodes of a real server."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest

from seedream_api import errors
from seedream_api.errors import Charge
from seedream_api.messages import CHARGE_TEXT
from support import workflows
from support.comfy_fixture import ComfyFixture, shown
from support.fault_cases import MODELS, PROMPT, Case, each, name_of


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing them is not what is tested here."""
    from seedream_api.sandbox import results

    monkeypatch.setattr(results, "compute_pixels", lambda tier, ratio: (64, 64))


def graph_of(family: str, prompt: str) -> dict[str, Any]:
    if family == "evolink":
        node, report = workflows.evolink(prompt, n=2), 4
    else:
        node, report = workflows.preferential(prompt, model=MODELS[family]), 3
    return {"1": node, "2": workflows.look("1"), "3": workflows.show("1", report)}


def states(comfy: ComfyFixture, prompt: str) -> list[str]:
    """The states of this test's entries in the record, oldest first."""
    with sqlite3.connect(comfy.home / "ledger.sqlite") as db:
        found = db.execute(
            "SELECT state FROM requests WHERE prompt LIKE ? ORDER BY id", (f"%{prompt}",)
        ).fetchall()
    db.close()
    return [state for (state,) in found]


class Told:
    """How a run of the node ended: its report, or its error as ComfyUI shows it."""

    def __init__(self, comfy: ComfyFixture, graph: dict[str, Any]) -> None:
        outcome = comfy.server.run(graph)
        self.words = outcome.error.get("exception_message", "")
        self.report = json.loads(shown(outcome, "3")) if outcome.status == "success" else {}
        self.images = [one["position"] for one in self.report.get("images", ())
                       if one["status"] == "ok"]  # fmt: skip
        self.is_charged = bool(self.report.get("may_have_been_charged_images"))
        kind = outcome.error.get("exception_type", "").rpartition(".")[2]
        known = getattr(errors, kind) if kind else None
        self.code = known.exit_code if known else 0
        self.status = known.status if known else self.report["status"]


@pytest.mark.parametrize(("case", "family"), each(is_real=True), ids=name_of)
def test_fault(comfy: ComfyFixture, prompt: str, case: Case, family: str) -> None:
    end, graph = getattr(case, family), graph_of(family, f"{PROMPT} {prompt}")
    comfy.sandbox.faults.push(case.route, case.real or case.fault, times=case.times)
    first = Told(comfy, graph)
    assert (first.code, first.status) == (end.code, end.status), first.words
    assert len(comfy.posts(prompt)) == case.sent and states(comfy, prompt) == [end.state]
    assert bool(first.images) is (end.code == 0) and first.is_charged is (end.code == 0)
    for charge, sentences in CHARGE_TEXT.items():
        is_said = charge == end.charge.value and end.code != 0
        assert [sentence in first.words for sentence in sentences] == [is_said, is_said]

    comfy.sandbox.faults.clear()
    graph["1"]["inputs"]["fit"] = "crop"  # or ComfyUI's own cache serves it
    again = Told(comfy, graph)
    if end.later == "sent":
        assert (again.code, again.is_charged) == (0, True)
        assert len(comfy.posts(prompt)) == case.sent + 1
        assert states(comfy, prompt) == [end.state, "completed"]
        return
    assert len(comfy.posts(prompt)) == case.sent and not again.is_charged
    if end.later == "fetched":
        assert (again.code, again.status) == (0, "completed")
        assert states(comfy, prompt) == ["completed"]
    else:
        assert (again.code, again.status, again.images) == (end.code, end.status, first.images)
        assert again.words == first.words and states(comfy, prompt) == [end.state]
        assert end.charge is not Charge.NONE
