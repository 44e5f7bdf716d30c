"""Costs and limits: what a result says, and how many paid requests arrive at the service."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from seedream_api import LimitReached, Request, Result, SeedreamError, Session, generate
from support.api_client import ApiClient
from support.fake_service import Status

NOW, LATER = "Seedream-5.0-Lite-Preferential", "Seedream-4.5"
PRICES = {
    "currency": "CNY",
    "models": {NOW: "0.22", LATER: {"2K": "0.25", "4K": "0.40", "reference": "0.06"}},
}


@pytest.fixture
def priced(api_client: ApiClient) -> ApiClient:
    api_client.home.mkdir(parents=True, exist_ok=True)
    (api_client.home / "prices.json").write_text(json.dumps(PRICES), "utf-8")
    return api_client


def cost(result: Result) -> tuple[str | None, str | None, str | None]:
    found = result.cost.to_json()
    return found["estimated"], found["charged"], found["currency"]


def test_result_tells_its_cost_and_a_stored_one_is_free(priced: ApiClient) -> None:
    request = Request(model=LATER, prompt="A series of 2 images", n=3)

    async def run(session: Session) -> list[Result]:
        return [await generate(request, session) for _ in range(2)]

    first, again = priced.run(run)
    made = len(first.images)
    assert cost(first) == ("0.75", f"0.{25 * made}", "CNY")
    assert cost(again) == ("0.00", "0.00", None)


def test_submitted_task_has_a_known_cost_once_it_is_collected(priced: ApiClient) -> None:
    from seedream_api import collect

    async def run(session: Session) -> list[Result]:
        sent = await generate(Request(model=LATER, prompt="A cat"), session, wait=False)
        return [sent, await collect(sent.task_id or "", session)]

    sent, collected = priced.run(run)
    assert cost(sent) == ("0.25", None, "CNY")
    assert cost(collected) == ("0.25", "0.25", "CNY")


def test_model_without_a_price_has_an_unknown_cost(api_client: ApiClient) -> None:
    result = api_client.run(lambda session: generate(Request(model=NOW, prompt="A cat"), session))
    assert cost(result) == (None, None, None)


async def send_all(session: Session, count: int) -> list[Any]:
    requests = (Request(model=NOW, prompt="A cat", seed=seed) for seed in range(count))
    sent = (generate(request, session) for request in requests)
    return await asyncio.gather(*sent, return_exceptions=True)


@pytest.mark.parametrize(
    "limits",
    [{"SEEDREAM_LIMIT_RUN": "3"}, {"SEEDREAM_LIMIT_MONTH": "0.87 CNY"}],
    ids=["images", "money"],
)
def test_limit_lets_exactly_what_fits_arrive(priced: ApiClient, limits: dict[str, str]) -> None:
    outcomes = priced.run(lambda session: send_all(session, 6), **limits)
    assert priced.sent == 3
    refused = [one for one in outcomes if isinstance(one, LimitReached)]
    assert len(refused) == 3 and not refused[0].may_have_been_charged
    assert priced.states.count("withdrawn") == 3


def test_refused_request_leaves_room_in_the_limit(priced: ApiClient) -> None:
    priced.sandbox.faults.push("generate", Status(400))

    async def run(session: Session) -> list[Any]:
        return [*await send_all(session, 1), *await send_all(session, 2)]

    outcomes = priced.run(run, SEEDREAM_LIMIT_DAY="1")
    assert isinstance(outcomes[0], SeedreamError) and isinstance(outcomes[1], Result)
    assert isinstance(outcomes[2], LimitReached)
    assert priced.sent == 2


def test_stored_result_is_returned_although_the_limit_is_used_up(priced: ApiClient) -> None:
    async def run(session: Session) -> list[Any]:
        return [*await send_all(session, 1), *await send_all(session, 1)]

    first, again = priced.run(run, SEEDREAM_LIMIT_DAY="1")
    assert again.is_reused and len(again.images) == len(first.images) == 1


def test_command_refused_by_a_limit_exits_with_2(priced: ApiClient) -> None:
    command = ("generate", "--model", NOW, "--prompt", "A cat", "--json")
    ran = priced.command(*command, SEEDREAM_LIMIT_RUN="0.10 CNY")
    assert (ran.code, ran.json["error"]["type"], ran.json["status"]) == (2, "LimitReached", "error")
    assert priced.sent == 0


def test_doctor_tells_models_without_a_price(priced: ApiClient) -> None:
    ran = priced.inside("doctor", "--json")
    checks = {check["name"]: check for check in ran.json["checks"]}
    found = checks["prices"]
    assert found["verdict"] == "note" and "Seedream-4.0" in found["message"]
    assert NOW not in found["message"] and f"{LATER}," not in found["message"]
    (priced.home / "prices.json").write_text('{"currency": "CNY", "models": {"X": 1}}', "utf-8")
    ran = priced.inside("doctor", "--json")
    checks = {check["name"]: check for check in ran.json["checks"]}
    assert checks["prices"]["verdict"] == "problem" and "models['X']" in checks["prices"]["message"]
