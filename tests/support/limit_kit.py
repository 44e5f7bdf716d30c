"""Requests that count against a limit."""

from __future__ import annotations

from decimal import Decimal

from seedream_api.config.limits import Limits, parse_limit
from seedream_api.config.prices import Price
from seedream_api.errors import ApiRefused
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.limits import Reservation
from seedream_api.ledger.records import JobRecord
from seedream_api.ledger.states import JobSpec
from seedream_api.service.result_items import ResultItem
from seedream_api.service.stated_errors import ServiceError

ADDRESS = "https://api.deepspaceai.net"
PRICE = Price(Decimal("0.25"), Decimal("0.12"), "CNY")
REFUSED = ApiRefused("refused", http=400, code="", reason="no")


def limits(**texts: str) -> Limits:
    return Limits(**{window: parse_limit(text) for window, text in texts.items()})


def job(name: str, asked: int = 1, address: str = ADDRESS) -> JobSpec:
    return JobSpec(
        fingerprint=name, family="evolink", model="Seedream-4.5", address=address,
        key_fingerprint="print", prompt=name, fields={"quality": "2K"},
        references=("sha256:aa", "sha256:bb"), seed=0, asked=asked,
    )  # fmt: skip


_names = iter(range(10**6))


def send(
    ledger: SyncLedger,
    allowed: Limits,
    *,
    asked: int = 1,
    run: str = "run",
    price: Price | None = PRICE,
    address: str = ADDRESS,
) -> JobRecord:
    row = ledger.claim(job(f"job {next(_names)}", asked, address), "key")
    return ledger.reserve(row.id, Reservation(run, "Seedream-4.5", price, allowed))


def answer(ledger: SyncLedger, row: JobRecord, made: int, failed: int = 0) -> JobRecord:
    urls = [f"https://example.com/{row.id}/{number}.png" for number in range(made)]
    items = [ResultItem(number, url=url) for number, url in enumerate(urls)]
    reason = ServiceError("moderation", "refused")
    items += [ResultItem(made + number, error=reason) for number in range(failed)]
    return ledger.record_response(row.id, tuple(items), {})
