"""Every fault of the service, both families, from Python and from the command line: how many
requests were sent, what the record says, what people are told, and what the same inputs do then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from seedream_api import SeedreamError
from seedream_api.sandbox import (
    Delay,
    DropAfterReceipt,
    DropBeforeReceipt,
    EmptyCompleted,
    Fault,
    Json,
    Oversized,
    PartialGroup,
    RedirectTo,
    SlowDrip,
    Status,
    Truncated,
    WrongType,
    no_channel,
    rate_limited,
)

MODELS = {"preferential": "Seedream-5.0-Lite-Preferential", "evolink": "Seedream-4.0"}
PROMPT = "2 images of a cat"


@dataclass(frozen=True)
class End:
    """How a run ends, and whether the same inputs are sent again after it."""

    state: str
    code: int
    status: str
    is_charged: bool
    sends_again: bool


COMPLETED = End("completed", 0, "completed", True, False)
PARTIAL = End("partial", 0, "partial", True, False)
REFUSED = End("refused", 3, "refused", False, True)
FAILED = End("failed", 3, "failed", False, True)
UNKNOWN = End("unknown", 4, "unknown", True, False)
EMPTY = End("empty", 3, "failed", True, False)
WITHDRAWN = End("withdrawn", 1, "error", False, True)


@dataclass(frozen=True)
class Case:
    name: str
    fault: Fault
    preferential: End
    evolink: End
    sent: int = 1
    times: int = 1


def both(name: str, fault: Fault, end: End, *, sent: int = 1, times: int = 1) -> Case:
    return Case(name, fault, end, end, sent, times)


def error(code: str, message: str = "no") -> dict[str, Any]:
    return {"error": {"message": message, "type": "new_api_error", "param": "", "code": code}}


CASES = (
    # Refused: any 4xx but 408, a 200 with an error and no image, a 5xx with a known refusal code.
    *(both(str(code), Status(code), REFUSED) for code in (400, 401, 402, 403, 404, 413, 451)),
    both("400 html", Status(400, "<h1>Bad request</h1>"), REFUSED),
    both("429 of a quota", Status(429, error("insufficient_quota")), REFUSED),
    both("429 for too long", rate_limited(100), REFUSED, sent=2, times=9),
    both("429 once", rate_limited(), COMPLETED, sent=2),
    both("no channel", no_channel(), REFUSED, sent=3, times=9),
    both("no channel once", no_channel(), COMPLETED, sent=2),
    both("500 of the word filter", Status(500, error("sensitive_words_detected")), REFUSED),
    both("200 with an error", Json(error("", "not today")), REFUSED),
    both("200 without success", Json({"success": False, "message": "not today"}), REFUSED),
    both("200 with failed images only", Json({"data": [error("")]}), REFUSED),
    # Unknown: everything else after the first byte.
    *(both(str(code), Status(code), UNKNOWN) for code in (408, 500, 502, 503, 504, 524)),
    both("504 after it was charged", Status(504, "<h1>Timeout</h1>", charged=True), UNKNOWN),
    both("reset", DropBeforeReceipt(), UNKNOWN, sent=0),
    both("cut", DropAfterReceipt(), UNKNOWN),
    both("nothing of the answer", Truncated(0.0), UNKNOWN),
    both("a login page", WrongType(charged=True), UNKNOWN),
    both("no known shape", Json({"ok": True}), UNKNOWN),
    both("a list", Json([1]), UNKNOWN),
    both("redirect", RedirectTo("http://127.0.0.1:9/v1/images/generations", 307), UNKNOWN),
    # A task id that stands in a torn answer is found again by a free look.
    Case("half the answer", Truncated(0.5), UNKNOWN, COMPLETED),
    Case("too long an answer", Oversized(200_000), UNKNOWN, COMPLETED),
    # Answered.
    both("no image", EmptyCompleted(), EMPTY),
    both("no image at once", Json({"data": []}), EMPTY),
    Case("a part of the group", PartialGroup((0,)), REFUSED, PARTIAL),
    both("late", Delay(0.02), COMPLETED),
    both("dripping", SlowDrip(60, 0.001), COMPLETED),
)


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
        "status", "task_id", "task_ids", "images", "failures", "reused", "may_have_been_charged",
        "error", "notes",
    }  # fmt: skip
    words_told = told["error"]["message"] if told["error"] else ""
    charged = told["may_have_been_charged"]
    return Told(ran.code, told["status"], charged, len(told["images"]), words_told)


FRONTS = {"library": by_library, "command": by_command}


@pytest.fixture(autouse=True)
def short_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    from seedream_api import transport

    monkeypatch.setattr(transport, "MAX_ANSWER_BYTES", 100_000)


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("family", MODELS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_fault_of_the_paid_request(customer: Any, case: Case, family: str, front: str) -> None:
    generate, model, end = FRONTS[front], MODELS[family], getattr(case, family)
    customer.sandbox.faults.push("generate", case.fault, times=case.times)
    first = generate(customer, model)
    assert (first.code, first.status, first.is_charged) == (end.code, end.status, end.is_charged)
    assert customer.sent == case.sent and customer.states == [end.state], first.words
    assert bool(first.images) is (end.code == 0)
    money = "Nothing was charged" in first.words, "may have been charged" in first.words
    assert (
        money == (False, False) if end.code == 0 else money == (not end.is_charged, end.is_charged)
    )

    customer.sandbox.faults.clear()
    again = generate(customer, model)
    if end.sends_again:
        assert (again.code, customer.sent) == (0, case.sent + 1)
        assert customer.states == [end.state, "completed"]
    else:
        assert (again.code, again.status) == (end.code, end.status)
        assert again.images == first.images and again.words == first.words
        assert customer.sent == case.sent and customer.states == [end.state]
        assert again.is_charged is (end.is_charged and end.code != 0)  # a stored result is free


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
        assert (told.code, told.status, told.is_charged) == (end.code, end.status, end.is_charged)
        assert customer.sent == (run if end.sends_again else 1)
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
