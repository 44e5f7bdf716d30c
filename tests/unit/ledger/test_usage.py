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
from seedream_api.config.limits import Limits
from seedream_api.config.prices import Price, check_prices
from seedream_api.errors import ApiRefused, OutcomeUnknown
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.limits import Reservation
from seedream_api.ledger.states import JobSpec, State
from seedream_api.ledger.usage import GROUPS, Usage, first_day
from seedream_api.service.result_items import ResultItem

ADDRESS = "https://api.deepspaceai.net"
PRICES = {
    "Seedream-4.5": Price(Decimal("0.1"), Decimal("0.000001"), "CNY"),
    "Seedream-5.0-Lite": Price(Decimal("0.2"), Decimal(0), "CNY"),
    "Seedream-4.5-Preferential": Price(Decimal("0.035"), Decimal("0.008"), "USD"),
    "Seedream-4.0": None,
}


class Clock:
    """Wall-clock time that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield Clock()
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def ledger(home: Path, clock: Clock) -> Iterator[SyncLedger]:
    opened = SyncLedger(home, now=clock)
    yield opened
    opened.close()


def send(
    ledger: SyncLedger, model: str, *, asked: int, address: str = ADDRESS, profile: str = ""
) -> int:
    spec = JobSpec(
        fingerprint=f"{time.perf_counter_ns()}", family="evolink", model=model, address=address,
        key_fingerprint="print", prompt="A cat", fields={"quality": "2K"},
        references=("sha256:aa",), seed=0, asked=asked,
    )  # fmt: skip
    row = ledger.claim(spec, "key")
    ledger.reserve(row.id, Reservation("run", model, PRICES[model], Limits(), profile))
    return row.id


def complete(ledger: SyncLedger, row_id: int, made: int) -> None:
    items = [ResultItem(n, url=f"https://example.com/{row_id}/{n}.png") for n in range(made)]
    ledger.record_response(row_id, tuple(items), {})


def fill_month(ledger: SyncLedger, clock: Clock) -> Decimal:
    """Send mixed requests at every hour of two weeks; return what was charged in CNY."""
    clock.now = datetime.fromisoformat("2026-10-18 00:30").timestamp()
    charged = Decimal(0)
    models = list(PRICES)
    for number in range(14 * 24):
        model = models[number % 4]
        price, made = PRICES[model], 1 + number % 3
        row_id = send(ledger, model, asked=4, profile="studio" if number % 5 == 0 else "")
        if number % 7 == 0:
            refusal = ApiRefused("refused", http=400, code="", reason="no")
            ledger.move(row_id, State.REFUSED, error=refusal)
        elif number % 11 == 0:
            unknown = OutcomeUnknown("outcome_unknown_crash", entry=row_id)
            ledger.move(row_id, State.UNKNOWN, error=unknown)
        else:
            complete(ledger, row_id, made)
            charged += price.of(made) if price and price.currency == "CNY" else 0
        clock.now += 3600
    return charged


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
