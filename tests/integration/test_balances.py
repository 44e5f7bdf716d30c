"""The balance after charged runs: read later, compared with the recorded costs, and reported."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seedream_api import Request, Session, generate
from seedream_api.jobs.balances import (
    BALANCE_FILE,
    INTERVAL_S,
    SETTLE_S,
    BalanceWatch,
    Difference,
    list_balances,
)
from seedream_api.service.balance import Balance
from support.api_client import ApiClient
from support.canary import SECOND_KEY
from support.fake_service import FakeService, Status

MODEL = "Seedream-4.0"
USAGE = "/api/usage/token"


@pytest.fixture
def payer(
    make_sandbox: Callable[..., FakeService], make_api_client: Callable[..., ApiClient]
) -> ApiClient:
    """A client whose key is not the sandbox's own, at a relay that takes 50 000 units an image."""
    from seedream_api.sandbox import Account

    sandbox = make_sandbox(keys={SECOND_KEY: Account()})
    return make_api_client(sandbox, SECOND_KEY)


def set_price(client: ApiClient, amount: str, currency: str) -> None:
    client.home.mkdir(parents=True, exist_ok=True)
    table = {"currency": currency, "models": {MODEL: amount}}
    (client.home / "prices.json").write_text(json.dumps(table), "utf-8")


def asked(client: ApiClient) -> int:
    return sum(request.path == USAGE for request in client.sandbox.requests)


def run_watched(client: ApiClient, *steps: Any, **environ: str) -> list[Difference]:
    """Generate one image per number, run the other steps; read the balance after each."""
    found = list[Difference]()

    async def run(session: Session) -> None:
        watch = BalanceWatch(session, found.append)
        session.on_change = watch.note_change
        for step in steps:
            if isinstance(step, int):
                await generate(Request(model=MODEL, prompt="A cat", seed=step), session)
            else:
                step()
            await asyncio.gather(*watch.readings.values())

    client.run(run, **environ)
    return found


def take_elsewhere(client: ApiClient, images: int) -> Callable[[], None]:
    """Make a step that lets the relay charge the key for images that this ledger does not know."""
    return lambda: client.sandbox.charge(images)


def test_balance_is_read_after_a_charged_run_and_listed(payer: ApiClient) -> None:
    set_price(payer, "0.10", "USD")
    assert run_watched(payer, 1) == []
    assert asked(payer) == 1 and SETTLE_S in payer.clock.pauses
    [(profile, found)] = list_balances(payer.settings())
    assert profile == "" and "49950000 quota units left" in found.balance.describe()
    assert SECOND_KEY not in (payer.home / BALANCE_FILE).read_text("utf-8")


@pytest.fixture
def dashboard_payer(
    make_sandbox: Callable[..., FakeService], make_api_client: Callable[..., ApiClient]
) -> ApiClient:
    """The same at a relay that states amounts in its dashboard, and no units."""
    from seedream_api.sandbox import Account

    sandbox = make_sandbox(keys={SECOND_KEY: Account()}, simulated=["dashboard-balance"])
    return make_api_client(sandbox, SECOND_KEY)


def test_amounts_of_a_dashboard_are_read_and_compared(dashboard_payer: ApiClient) -> None:
    payer = dashboard_payer
    set_price(payer, "0.10", "USD")
    assert run_watched(payer, 1, 2) == [], "the first decrease teaches"
    [(_, found)] = list_balances(payer.settings())
    assert found.balance == Balance(used=pytest.approx(0.2), amount=pytest.approx(99.8))
    assert found.balance.describe() == "99.80 left, in the currency that the relay displays"
    assert found.rates == {"USD": pytest.approx(1.0)}
    [difference] = run_watched(payer, take_elsewhere(payer, 3), 3)
    assert difference.taken == pytest.approx(0.4) and difference.cost == "0.10 USD"
    text = difference.describe()
    assert "took 0.40 from this key" in text and "扣除了 0.40（中转站显示的币种）" in text.zh


def test_amounts_are_not_compared_with_units(payer: ApiClient) -> None:
    set_price(payer, "0.10", "USD")
    run_watched(payer, 1)
    payer.sandbox.faults.push("usage", Status(404))
    assert run_watched(payer, 2) == []


def test_balance_is_read_at_most_once_per_interval(payer: ApiClient) -> None:
    run_watched(payer, 1, 2, 3)
    assert asked(payer) == 3
    assert sum(payer.clock.pauses) >= 2 * INTERVAL_S


def test_stored_refused_and_sandbox_runs_ask_for_no_balance(
    payer: ApiClient, api_client: ApiClient
) -> None:
    run_watched(payer, 1)
    run_watched(payer, 1)
    payer.sandbox.faults.push("generate", Status(400))
    with pytest.raises(Exception, match="refused"):
        run_watched(payer, 2)
    assert asked(payer) == 1
    run_watched(api_client, 1)
    assert asked(api_client) == 0


def test_equal_decrease_reports_no_difference(payer: ApiClient) -> None:
    set_price(payer, "0.10", "USD")
    assert run_watched(payer, 1, 2, 3) == []


def test_larger_decrease_is_reported_in_both_languages(payer: ApiClient) -> None:
    set_price(payer, "0.10", "USD")
    [difference] = run_watched(payer, 1, take_elsewhere(payer, 3), 2, 3)
    assert (difference.taken, difference.expected) == (200_000, 50_000)
    assert difference.cost == "0.10 USD"
    text = difference.describe()
    assert "took 200000 quota units" in text and "中转站从此密钥扣除了 200000 额度单位" in text.zh
    [(_, found)] = list_balances(payer.settings())
    assert found.difference == difference


def test_rate_of_another_currency_is_learned_first(payer: ApiClient) -> None:
    set_price(payer, "0.25", "CNY")
    assert run_watched(payer, 1, take_elsewhere(payer, 3), 2) == [], "the first decrease teaches"
    [(_, found)] = list_balances(payer.settings())
    assert found.rates == {"CNY": 800_000}
    [difference] = run_watched(payer, 3)
    assert (difference.taken, difference.expected) == (50_000, 200_000)


def test_unpriced_run_is_never_compared(payer: ApiClient) -> None:
    assert run_watched(payer, 1, take_elsewhere(payer, 9), 2) == []


def test_top_up_is_not_a_difference(payer: ApiClient) -> None:
    set_price(payer, "0.10", "USD")
    assert run_watched(payer, 1, take_elsewhere(payer, -1), 2, 3) == []


def test_silent_relay_records_no_balance(
    make_sandbox: Callable[..., FakeService], make_api_client: Callable[..., ApiClient]
) -> None:
    from seedream_api.sandbox import Account

    sandbox = make_sandbox(keys={SECOND_KEY: Account()}, simulated=["no-balance"])
    client = make_api_client(sandbox, SECOND_KEY)
    run_watched(client, 1)
    assert asked(client) == 1 and not (client.home / BALANCE_FILE).exists()


@pytest.mark.parametrize("text", ["", "[]", '{"x y": {}}', '{"x y": {"at": 1}}', "{"])
def test_unreadable_file_counts_as_never_asked(payer: ApiClient, text: str, home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / BALANCE_FILE).write_text(text, "utf-8")
    assert list(list_balances(payer.settings())) == []
