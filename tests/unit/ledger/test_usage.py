"""Usage: lines that add up to the last decimal, whatever they are grouped by."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from seedream_api.catalog import MODELS
from seedream_api.cli import main
from seedream_api.config.prices import check_prices
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.usage import GROUPS, Usage, first_day
from support.usage_month import complete, fill_month, send
from support.wall_clock import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield Clock(0.0)
    monkeypatch.undo()
    time.tzset()


def test_usage_of_a_month_adds_up_in_every_view(
    ledger: SyncLedger, clock: Clock, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    charged = fill_month(ledger, clock)
    views: dict[str, Usage] = {by: ledger.summarize_usage(since=0.0, by=by) for by in GROUPS}
    assert {str(usage.sum_costs()["CNY"][0]) for usage in views.values()} == {str(charged)}
    totals = [usage.to_json()["total"] for usage in views.values()]
    assert totals[0] == totals[1] == totals[2] and totals[0]["requests"] == 14 * 24
    monkeypatch.setenv("SEEDREAM_HOME", str(home))
    for by, usage in views.items():
        assert main(["usage", "--since", "2026-01-01", "--by", by, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["lines"] == usage.to_json()["lines"]
        assert main(["usage", "--since", "2026-01-01", "--by", by, "--csv"]) == 0
        rows = [*csv.DictReader(io.StringIO(capsys.readouterr().out))]
        assert sum(Decimal(row["cost"]) for row in rows if row["currency"] == "CNY") == charged
        assert sum(int(row["requests"]) for row in rows) == 14 * 24


def test_usage_by_day_follows_local_days_with_daylight_saving(
    ledger: SyncLedger, clock: Clock
) -> None:
    fill_month(ledger, clock)
    lines = ledger.summarize_usage(since=0.0, by="day").lines
    requests: dict[str, int] = {}
    for line in lines:
        requests[line.key] = requests.get(line.key, 0) + line.requests
    assert requests["2026-10-24"] == 24 and requests["2026-10-25"] == 25
    assert len(requests) == 14 and sum(requests.values()) == 14 * 24


def test_coverage_is_below_100_with_a_model_without_price(ledger: SyncLedger, clock: Clock) -> None:
    complete(ledger, send(ledger, "Seedream-4.5", asked=2), 2)
    assert ledger.summarize_usage(since=0.0, by="day").to_json()["total"]["coverage"] == {
        "images": 2, "priced": 2, "percent": "100.0",
    }  # fmt: skip
    send(ledger, "Seedream-4.0", asked=1)
    usage = ledger.summarize_usage(since=0.0, by="model")
    assert usage.to_json()["total"]["coverage"]["percent"] == "66.6"
    assert usage.to_json()["lines"][0] == {
        "model": "Seedream-4.0", "requests": 1, "images_charged": 0, "images_possibly_charged": 1,
        "cost": None, "cost_possible": None, "currency": None,
    }  # fmt: skip


def test_usage_without_requests_has_no_coverage(ledger: SyncLedger) -> None:
    usage = ledger.summarize_usage(since=0.0, by="profile")
    assert usage.lines == () and usage.coverage is None and usage.sum_costs() == {}


def test_old_rows_have_a_cost_only_when_it_is_estimated(ledger: SyncLedger, clock: Clock) -> None:
    complete(ledger, send(ledger, "Seedream-4.0", asked=1), 1)
    table = check_prices({"currency": "CNY", "models": {"Seedream-4.0": {"2K": "0.3"}}}, MODELS)
    assert ledger.summarize_usage(since=0.0, by="day").sum_costs() == {}
    estimated = ledger.summarize_usage(since=0.0, by="day", old_prices=table)
    assert estimated.sum_costs() == {"CNY": (Decimal("0.3"), Decimal(0))}


def test_sandbox_is_not_part_of_the_usage_of_the_service(ledger: SyncLedger) -> None:
    send(ledger, "Seedream-4.5", asked=2, address="sandbox")
    assert ledger.summarize_usage(since=0.0, by="day").lines == ()
    assert len(ledger.summarize_usage(since=0.0, by="day", sandbox=True).lines) == 1


@pytest.mark.parametrize(
    ("now", "days", "first"),
    [
        ("2026-11-29 10:00", 1, "2026-11-29"),
        ("2026-11-29 10:00", 30, "2026-10-31"),
        ("2026-10-26 00:10", 2, "2026-10-25"),
        ("2026-03-30 23:50", 3, "2026-03-28"),
    ],
)
def test_first_day_counts_today(
    clock: Callable[[], float], now: str, days: int, first: str
) -> None:
    moment = datetime.fromisoformat(now).timestamp()
    assert datetime.fromtimestamp(first_day(days, moment)).isoformat() == f"{first}T00:00:00"


# ---- the command ----


def test_command_usage_prints_a_table(
    ledger: SyncLedger, clock: Clock, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    clock.now = time.time()
    complete(ledger, send(ledger, "Seedream-4.5", asked=2), 2)
    send(ledger, "Seedream-4.0", asked=1)
    monkeypatch.setenv("SEEDREAM_HOME", str(home))
    assert main(["usage", "--by", "model"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[1:3]] == [
        ["Seedream-4.0", "1", "0", "1", "?", "?"],
        ["Seedream-4.5", "1", "2", "0", "0.200001", "CNY", "0.00", "CNY"],
    ]
    assert "Cost: 0.200001 CNY, possibly 0.00 CNY more." in lines
    assert "66.6 % of these images have a known price." in lines


@pytest.mark.parametrize("since", ["yesterday", "0d", "2026-13-01", "30"])
def test_command_usage_refuses_an_unclear_time(since: str, capsys: Any) -> None:
    assert main(["usage", "--since", since]) == 2
    assert repr(since)[1:-1] in capsys.readouterr().err
