"""What one request cost, at the price of when it was sent."""

from __future__ import annotations

from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.states import State
from support.limit_kit import ADDRESS, REFUSED, answer, limits, send


def test_cost_is_unknown_without_a_price(ledger: SyncLedger) -> None:
    row = send(ledger, limits(), price=None)
    unknown = {"estimated": None, "charged": None, "currency": None}
    assert row.cost.to_json() == unknown
    assert answer(ledger, row, made=1).cost.to_json() == unknown


def test_cost_keeps_the_price_of_when_it_was_sent(ledger: SyncLedger) -> None:
    row = send(ledger, limits(), asked=3)
    assert row.cost.to_json() == {"estimated": "0.87", "charged": None, "currency": "CNY"}
    ledger.move(row.id, State.REFUSED, error=REFUSED)
    refused = ledger.get_record(row.id).cost
    assert refused.to_json() == {"estimated": "0.87", "charged": "0.00", "currency": "CNY"}


def test_cost_of_a_task_of_another_client_is_unknown(ledger: SyncLedger) -> None:
    row = ledger.claim_task(ADDRESS, "task-1", "print")
    assert row.cost.estimated is None
    [used] = ledger.list_spending(limits(day="9"), "run", sandbox=False)
    assert used.used == 0
