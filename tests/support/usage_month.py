"""A ledger with requests of several models, prices, currencies and outcomes over two weeks."""

from __future__ import annotations

import time
from datetime import datetime
from decimal import Decimal

from seedream_api.config.limits import Limits
from seedream_api.config.prices import Price
from seedream_api.errors import ApiRefused, OutcomeUnknown
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.limits import Reservation
from seedream_api.ledger.states import JobSpec, State
from seedream_api.service.result_items import ResultItem

from .wall_clock import Clock

ADDRESS = "https://api.deepspaceai.net"
PRICES = {
    "Seedream-4.5": Price(Decimal("0.1"), Decimal("0.000001"), "CNY"),
    "Seedream-5.0-Lite": Price(Decimal("0.2"), Decimal(0), "CNY"),
    "Seedream-4.5-Preferential": Price(Decimal("0.035"), Decimal("0.008"), "USD"),
    "Seedream-4.0": None,
}


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
