"""Every fault of the service, both families, from Python and from the command line: how many
requests were sent, what the record says, what people are told, and what the same inputs do then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from fault_cases import (
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

from seedream_api import ContentRejected, SeedreamError, sandbox
from seedream_api.errors import Charge
from seedream_api.messages import CHARGE_TEXT
from seedream_api.sandbox import DropAfterReceipt, Fault, Json, Status, Truncated


@dataclass(frozen=True)
class Told:
    code: int
    status: str
    is_charged: bool
    images: int
    words: str


def by_library(customer: Any, model: str, prompt: str = PROMPT) -> Told:
    n = 2 if model == MODELS["evolink"] else None
    try:
        result = customer.generate(model=model, prompt=prompt, n=n)
    except SeedreamError as failed:
        charged = failed.may_have_been_charged
        return Told(failed.exit_code, failed.status, charged, 0, str(failed))
    return Told(0, result.status, result.charged_images > 0, len(result.images), "")


def by_command(customer: Any, model: str, prompt: str = PROMPT) -> Told:
    words = ["generate", "--model", model, "--prompt", prompt, "--json"]
    words += ["--n", "2"] if model == MODELS["evolink"] else []
    ran = customer.inside(*words, "--out", customer.home.parent / "out")
    told = ran.json
    assert (told["error"] is None) is (ran.code == 0) and set(told) == {
        "status", "task_id", "task_ids", "images", "failures", "references", "reused",
        "may_have_been_charged",
        "error", "notes",
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
        value for name in sandbox.__all__
        if isinstance(value := getattr(sandbox, name), type) and issubclass(value, Fault)
    }  # fmt: skip
    assert {type(case.fault) for case in CASES} == known - {Fault}
    assert {type(case.fault) for case, _ in each(is_real=True)} == known - {Fault}
    for case in CASES:
        assert case.route in case.fault.routes, case.name


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize(("case", "family"), each(is_real=False), ids=name_of)
def test_a_fault(customer: Any, case: Case, family: str, front: str) -> None:
    generate, model, end = FRONTS[front], MODELS[family], getattr(case, family)
    is_charged = end.charge is not Charge.NONE
    customer.sandbox.faults.push(case.route, case.fault, times=case.times)
    first = generate(customer, model)
    assert (first.code, first.status, first.is_charged) == (end.code, end.status, is_charged)
    assert customer.sent == case.sent and customer.states == [end.state], first.words
    assert bool(first.images) is (end.code == 0)
    for charge, sentences in CHARGE_TEXT.items():
        is_said = charge == end.charge.value and end.code != 0
        assert [sentence in first.words for sentence in sentences] == [is_said, is_said]

    customer.sandbox.faults.clear()
    again = generate(customer, model)
    if end.later == "sent":
        assert (again.code, again.is_charged, customer.sent) == (0, True, case.sent + 1)
        assert customer.states == [end.state, "completed"]
        return
    assert customer.sent == case.sent
    if end.later == "fetched":
        assert (again.code, again.status, again.is_charged) == (0, "completed", False)
        assert customer.states == ["completed"]
    else:
        assert (again.code, again.status) == (end.code, end.status)
        assert again.images == first.images and again.words == first.words
        assert customer.states == [end.state]
        assert again.is_charged is (is_charged and end.code != 0)  # a stored result is free


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize(
    ("prompt", "preferential", "evolink"),
    [("a [fails] cat", UNKNOWN, FAILED), ("a [moderated] cat", REFUSED, FAILED),
     ("a [blocked] cat", REFUSED, REFUSED)],
)  # fmt: skip
@pytest.mark.parametrize("family", MODELS)
def test_a_prompt_that_fails(
    customer: Any, prompt: str, preferential: End, evolink: End, family: str, front: str
) -> None:
    end = {"preferential": preferential, "evolink": evolink}[family]
    for run in (1, 2):
        told = FRONTS[front](customer, MODELS[family], prompt)
        assert (told.code, told.status, told.is_charged) == (
            end.code, end.status, end.charge is not Charge.NONE
        )  # fmt: skip
        assert customer.sent == (run if end.later == "sent" else 1)
    assert set(customer.states) == {end.state} and customer.sandbox.images_made == 0


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("family", MODELS)
def test_a_service_that_cannot_be_reached(customer: Any, family: str, front: str) -> None:
    customer.sandbox.stop()
    told = FRONTS[front](customer, MODELS[family])
    assert (told.code, told.status, told.is_charged) == (1, "error", False)
    assert "could not be reached" in told.words and customer.states == ["withdrawn"]
    assert sum(customer.clock.pauses) > 5  # it was tried for a while
    customer.sandbox.start()
    assert FRONTS[front](customer, MODELS[family]).code == 0 and customer.sent == 1


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize(
    "fault", [DropAfterReceipt(), Json({"data": []})], ids=["unknown", "empty"]
)
def test_forgetting_an_entry_is_the_deliberate_new_try(
    customer: Any, fault: Fault, front: str
) -> None:
    model = MODELS["evolink"]
    customer.sandbox.faults.push("generate", fault)
    told = FRONTS[front](customer, model)
    assert "tasks --forget 1" in told.words
    forgotten = customer.inside("tasks", "--forget", "1", "--json")
    assert forgotten.code == 0 and forgotten.json["tasks"][0]["state"] == "forgotten"
    again = FRONTS[front](customer, model)
    assert (again.code, again.is_charged, customer.sent) == (0, True, 2)


def test_a_refusal_inside_a_gateways_wrapping_keeps_its_reason(customer: Any) -> None:
    inner = {"error": {"message": "no cats today", "code": "content_policy_violation"}}
    customer.sandbox.faults.push("generate", Json({"code": 0, "message": "ok", "data": inner}))
    with pytest.raises(ContentRejected) as refused:
        customer.generate()
    assert "no cats today" in refused.value.message("en")


# ---- what was unknown, or named no image, may be known later ----


@pytest.mark.parametrize("fault", [Status(502), Status(404), DropAfterReceipt()])
def test_the_task_that_a_torn_answer_named_is_looked_for_again(customer: Any, fault: Fault) -> None:
    customer.sandbox.faults.push("generate", Truncated(0.5))
    customer.sandbox.faults.push("task", fault, times=2)
    for _ in (1, 2):
        told = by_library(customer, MODELS["evolink"])
        assert (told.code, told.status, told.is_charged) == (4, "unknown", True)
    assert customer.states == ["unknown"] and customer.rows[0].task_id
    again = by_command(customer, MODELS["evolink"])
    assert (again.code, again.images, customer.sent) == (0, 2, 1)
    assert customer.states == ["completed"]


def test_images_that_come_late_are_fetched_and_not_paid_for_again(customer: Any) -> None:
    customer.sandbox.faults.push("task", Json({"id": "x", "status": "completed", "output": {}}))
    assert by_library(customer, MODELS["evolink"]).status == "failed"
    again = by_library(customer, MODELS["evolink"])
    assert (again.code, again.images, customer.sent) == (0, 2, 1)
