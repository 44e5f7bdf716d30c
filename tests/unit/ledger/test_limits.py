"""Limits: what counts, and that a request which does not fit stays as it was."""

from __future__ import annotations

from decimal import Decimal

import pytest

from seedream_api.errors import LimitReached, OutcomeUnknown, TaskFailed
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.limits import Reservation
from seedream_api.ledger.states import State
from support.limit_kit import PRICE, REFUSED, answer, job, limits, send

pytestmark = pytest.mark.databases("sqlite", "postgresql")

FAILED = TaskFailed("task_failed", task_id="task-1", reason="no")
UNKNOWN = OutcomeUnknown("outcome_unknown_crash", entry=1)


# ---- what counts ----


def test_reserve_counts_requested_images_up_to_the_limit(ledger: SyncLedger) -> None:
    send(ledger, limits(day="5"), asked=3)
    with pytest.raises(LimitReached) as caught:
        send(ledger, limits(day="5"), asked=3)
    text = caught.value.message("en")
    assert "SEEDREAM_LIMIT_DAY allows 5 images per day: 3 images already count" in text
    assert "may cost 3 images" in text and "Nothing was charged" in text
    assert (caught.value.exit_code, caught.value.name) == (2, "SEEDREAM_LIMIT_DAY")
    send(ledger, limits(day="5"), asked=2)


def test_reserve_that_does_not_fit_leaves_the_row_as_it_was(ledger: SyncLedger) -> None:
    row = ledger.claim(job("one"), "key")
    with pytest.raises(LimitReached):
        ledger.reserve(row.id, Reservation("run", "Seedream-4.5", PRICE, limits(run="0")))
    with pytest.raises(LimitReached):
        ledger.check_limits(
            Reservation("run", "Seedream-4.5", PRICE, limits(run="0")), 1, sandbox=False
        )
    kept = ledger.get_record(row.id)
    assert (kept.state, kept.sent_at, kept.price, kept.run) == (State.INTENDED, None, None, None)


@pytest.mark.parametrize(
    ("states", "counts"),
    [
        (((State.REFUSED, REFUSED),), 0),
        (((State.ACCEPTED, None), (State.FAILED, FAILED)), 0),
        (((State.INTENDED, None), (State.WITHDRAWN, None)), 0),
        (((State.REFUSED, REFUSED), (State.FORGOTTEN, None)), 0),
        (((State.ACCEPTED, None),), 4),
        (((State.UNKNOWN, UNKNOWN),), 4),
        (((State.UNKNOWN, UNKNOWN), (State.FORGOTTEN, None)), 4),
        (((State.EMPTY, UNKNOWN),), 4),
    ],
)
def test_limit_counts_what_may_have_been_charged(
    ledger: SyncLedger, states: tuple[tuple[State, OutcomeUnknown | None], ...], counts: int
) -> None:
    row = send(ledger, limits(), asked=4)
    for state, error in states:
        ledger.move(row.id, state, error=error)
    [used] = ledger.list_spending(limits(month="9"), "run", sandbox=False)
    assert used.used == counts
    [used] = ledger.list_spending(limits(run="9 CNY"), "run", sandbox=False)
    assert used.used == (PRICE.of(4) if counts else 0)


def test_response_corrects_the_reservation_to_images_made(ledger: SyncLedger) -> None:
    row = answer(ledger, send(ledger, limits(), asked=4), made=2, failed=1)
    [money, images] = [
        ledger.list_spending(limits(day=unit), "run", sandbox=False)[0].used
        for unit in ("9 CNY", "9")
    ]
    assert (money, images) == (Decimal("0.62"), 2)
    assert row.cost.to_json() == {"estimated": "1.12", "charged": "0.62", "currency": "CNY"}


def test_request_sent_again_after_429_is_counted_once(ledger: SyncLedger) -> None:
    row = send(ledger, limits(day="1"))
    ledger.move(row.id, State.INTENDED)
    again = ledger.reserve(row.id, Reservation("run", "Seedream-4.5", PRICE, limits(day="1")))
    assert again.state is State.SENDING
    with pytest.raises(LimitReached):
        send(ledger, limits(day="1"))


def test_sandbox_has_its_own_sums(ledger: SyncLedger) -> None:
    send(ledger, limits(day="1"))
    send(ledger, limits(day="1"), address="sandbox")
    with pytest.raises(LimitReached):
        send(ledger, limits(day="1"), address="sandbox")


# ---- money ----


def test_money_limit_holds_to_the_last_decimal(ledger: SyncLedger) -> None:
    allowed = limits(month="1.11 CNY")
    for _ in range(3):
        send(ledger, allowed)
    with pytest.raises(LimitReached) as caught:
        send(ledger, limits(month="1.479999 CNY"))
    assert "1.11 CNY already count, and this request may cost 0.37 CNY" in str(caught.value)
    send(ledger, limits(month="1.48 CNY"))


def test_money_limit_refuses_a_model_without_price(ledger: SyncLedger) -> None:
    with pytest.raises(LimitReached, match=r"Seedream-4\.5 has no known price"):
        send(ledger, limits(day="5 CNY"), price=None)
    send(ledger, limits(day="5"), price=None)


def test_money_limit_refuses_another_currency(ledger: SyncLedger) -> None:
    with pytest.raises(LimitReached, match="the price table is in CNY"):
        send(ledger, limits(day="5 USD"))


@pytest.mark.databases("sqlite")
def test_window_is_summed_from_an_index_alone(ledger: SyncLedger) -> None:
    from seedream_api.ledger import statements

    values = {"currency": "CNY", "is_sandbox": False, "since": 0.0, "run": "run"}
    with ledger.database.read():
        plan = ledger.database.execute(f"EXPLAIN QUERY PLAN {statements.SPENT_SINCE}", values)
        assert "COVERING INDEX requests_by_sending" in " ".join(row["detail"] for row in plan)
        plan = ledger.database.execute(f"EXPLAIN QUERY PLAN {statements.SPENT_IN_RUN}", values)
        assert "requests_by_run" in " ".join(row["detail"] for row in plan)
