"""Every fault of the service, both families, from Python and from the command line: how many
requests were sent, what the record says, what the user sees, and what the same inputs do then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from seedream_api import ContentRejected, SeedreamError
from seedream_api.errors import Charge
from seedream_api.messages import CHARGE_TEXT
from support import fake_service
from support.fake_service import DropAfterReceipt, Fault, Json, Status, Truncated
from support.fault_cases import (
    CASES,
    FAILED,
    MODELS,
    PROMPT,
    REFUSED,
    SHORT_ANSWER,
    UNKNOWN,
    Case,
    End,
    each,
    name_of,
)


@dataclass(frozen=True)
class Told:
    code: int
    status: str
    is_charged: bool
    images: int
    words: str


def by_library(api_client: Any, model: str, prompt: str = PROMPT) -> Told:
    n = 2 if model == MODELS["evolink"] else None
    try:
        result = api_client.generate(model=model, prompt=prompt, n=n)
    except SeedreamError as failed:
        charged = failed.may_have_been_charged
        return Told(failed.exit_code, failed.status, charged, 0, str(failed))
    return Told(0, result.status, result.charged_images > 0, len(result.images), "")


def by_command(api_client: Any, model: str, prompt: str = PROMPT) -> Told:
    words = ["generate", "--model", model, "--prompt", prompt, "--json"]
    words += ["--n", "2"] if model == MODELS["evolink"] else []
    ran = api_client.inside(*words, "--out", api_client.home.parent / "out")
    told = ran.json
    assert (told["error"] is None) is (ran.code == 0) and set(told) == {
        "status", "task_id", "task_ids", "images", "failures", "references", "reused",
        "may_have_been_charged", "cost", "error", "notes", "job_id", "model", "seed", "origin",
        "charged_images", "seconds", "request_id",
    }  # fmt: skip
    words_told = told["error"]["message"] if told["error"] else ""
    charged = told["may_have_been_charged"]
    return Told(ran.code, told["status"], charged, len(told["images"]), words_told)


FRONTS = {"library": by_library, "command": by_command}


@pytest.fixture(autouse=True)
def short_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    from seedream_api.network import transport

    monkeypatch.setattr(transport, "MAX_RESPONSE_BYTES", SHORT_ANSWER)


def test_every_fault_that_the_sandbox_knows_is_in_the_matrix() -> None:
    known = {
        value for name in fake_service.__all__
        if isinstance(value := getattr(fake_service, name), type) and issubclass(value, Fault)
    }  # fmt: skip
    assert {type(case.fault) for case in CASES} == known - {Fault}
    assert {type(case.fault) for case, _ in each(is_real=True)} == known - {Fault}
    for case in CASES:
        assert case.route in case.fault.routes, case.name


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize(("case", "family"), each(is_real=False), ids=name_of)
def test_fault(api_client: Any, case: Case, family: str, front: str) -> None:
    generate, model, end = FRONTS[front], MODELS[family], getattr(case, family)
    is_charged = end.charge is not Charge.NONE
    api_client.sandbox.faults.push(case.route, case.fault, times=case.times)
    first = generate(api_client, model)
    assert (first.code, first.status, first.is_charged) == (end.code, end.status, is_charged)
    assert api_client.sent == case.sent and api_client.states == [end.state], first.words
    assert bool(first.images) is (end.code == 0)
    for charge, sentences in CHARGE_TEXT.items():
        is_said = charge == end.charge.value and end.code != 0
        assert [sentence in first.words for sentence in sentences] == [is_said, is_said]

    api_client.sandbox.faults.clear()
    again = generate(api_client, model)
    if end.later == "sent":
        assert (again.code, again.is_charged, api_client.sent) == (0, True, case.sent + 1)
        assert api_client.states == [end.state, "completed"]
        return
    assert api_client.sent == case.sent
    if end.later == "fetched":
        assert (again.code, again.status, again.is_charged) == (0, "completed", False)
        assert api_client.states == ["completed"]
    else:
        assert (again.code, again.status) == (end.code, end.status)
        assert again.images == first.images and again.words == first.words
        assert api_client.states == [end.state]
        assert again.is_charged is (is_charged and end.code != 0)  # a stored result is free


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize(
    ("prompt", "preferential", "evolink"),
    [("a [fails] cat", UNKNOWN, FAILED), ("a [moderated] cat", REFUSED, FAILED),
     ("a [blocked] cat", REFUSED, REFUSED)],
)  # fmt: skip
@pytest.mark.parametrize("family", MODELS)
def test_prompt_that_fails(
    api_client: Any, prompt: str, preferential: End, evolink: End, family: str, front: str
) -> None:
    end = {"preferential": preferential, "evolink": evolink}[family]
    for run in (1, 2):
        told = FRONTS[front](api_client, MODELS[family], prompt)
        assert (told.code, told.status, told.is_charged) == (
            end.code, end.status, end.charge is not Charge.NONE
        )  # fmt: skip
        assert api_client.sent == (run if end.later == "sent" else 1)
    assert set(api_client.states) == {end.state} and api_client.sandbox.images_made == 0


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("family", MODELS)
def test_service_that_cannot_be_reached(api_client: Any, family: str, front: str) -> None:
    api_client.sandbox.stop()
    told = FRONTS[front](api_client, MODELS[family])
    assert (told.code, told.status, told.is_charged) == (1, "error", False)
    assert "could not be reached" in told.words and api_client.states == ["withdrawn"]
    assert sum(api_client.clock.pauses) > 5  # it was tried for a while
    api_client.sandbox.start()
    assert FRONTS[front](api_client, MODELS[family]).code == 0 and api_client.sent == 1


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize(
    "fault", [DropAfterReceipt(), Json({"data": []})], ids=["unknown", "empty"]
)
def test_forgetting_an_entry_is_the_deliberate_new_try(
    api_client: Any, fault: Fault, front: str
) -> None:
    model = MODELS["evolink"]
    api_client.sandbox.faults.push("generate", fault)
    told = FRONTS[front](api_client, model)
    assert "tasks --forget 1" in told.words
    forgotten = api_client.inside("tasks", "--forget", "1", "--json")
    assert forgotten.code == 0 and forgotten.json["tasks"][0]["state"] == "forgotten"
    again = FRONTS[front](api_client, model)
    assert (again.code, again.is_charged, api_client.sent) == (0, True, 2)


def test_refusal_inside_a_gateways_wrapping_keeps_its_reason(api_client: Any) -> None:
    inner = {"error": {"message": "no cats today", "code": "content_policy_violation"}}
    api_client.sandbox.faults.push("generate", Json({"code": 0, "message": "ok", "data": inner}))
    with pytest.raises(ContentRejected) as refused:
        api_client.generate()
    assert "no cats today" in refused.value.message("en")


# ---- what was unknown, or named no image, may be known later ----


@pytest.mark.parametrize("fault", [Status(502), Status(404), DropAfterReceipt()])
def test_task_named_in_a_cut_response_is_polled(api_client: Any, fault: Fault) -> None:
    api_client.sandbox.faults.push("generate", Truncated(0.5))
    api_client.sandbox.faults.push("task", fault, times=2)
    for _ in (1, 2):
        told = by_library(api_client, MODELS["evolink"])
        assert (told.code, told.status, told.is_charged) == (4, "unknown", True)
    assert api_client.states == ["unknown"] and api_client.rows[0].task_id
    again = by_command(api_client, MODELS["evolink"])
    assert (again.code, again.images, api_client.sent) == (0, 2, 1)
    assert api_client.states == ["completed"]


def test_late_images_are_fetched_and_not_paid_for_again(api_client: Any) -> None:
    api_client.sandbox.faults.push("task", Json({"id": "x", "status": "completed", "output": {}}))
    assert by_library(api_client, MODELS["evolink"]).status == "failed"
    again = by_library(api_client, MODELS["evolink"])
    assert (again.code, again.images, api_client.sent) == (0, 2, 1)
