"""What the service reports of a request whose row another machine took over meanwhile."""

from __future__ import annotations

import pytest

from seedream_api.errors import CompletedWithoutImages, LedgerFailed, OutcomeUnknown, SeedreamError
from seedream_api.kept_response import KeptResponse
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.limits import Limits, Reservation
from seedream_api.ledger.states import State
from support.ledger_kit import Open
from support.postgres_server import PostgresServer
from support.transition_kit import wish

RESPONSE = KeptResponse(200, b'{"strange": "form"}', "no image")
ERRORS: dict[State, SeedreamError] = {
    State.EMPTY: CompletedWithoutImages("completed_without_images", entry=1),
    State.UNKNOWN: OutcomeUnknown("outcome_unknown_crash", entry=1),
}


def send(ledger: SyncLedger) -> int:
    row = ledger.claim(wish("a"), "key")
    ledger.reserve(row.id, Reservation("run", "Seedream-4.5", None, Limits()))
    return row.id


def list_bodies(ledger: SyncLedger, row_id: int) -> list[bytes]:
    return [kept.body for kept in ledger.list_responses(row_id)]


def test_empty_response_ends_a_row_that_was_taken_over(
    machine: Open, postgres: PostgresServer
) -> None:
    one, other = machine(), machine()
    row_id = send(one)
    postgres.cut_connections()
    assert other.claim(wish("a"), "other").state is State.UNKNOWN
    other.release(row_id)
    row = one.move(row_id, State.EMPTY, error=ERRORS[State.EMPTY], response=RESPONSE)
    assert (row.state, row.owner) == (State.EMPTY, one.owner)
    assert list_bodies(other, row_id) == [RESPONSE.body]


@pytest.mark.parametrize(
    ("state", "is_released"),
    [(State.EMPTY, False), (State.UNKNOWN, False), (State.UNKNOWN, True)],
)
def test_response_is_kept_when_its_row_cannot_be_changed(
    machine: Open, postgres: PostgresServer, state: State, is_released: bool
) -> None:
    one, other = machine(), machine()
    row_id = send(one)
    postgres.cut_connections()
    assert other.claim(wish("a"), "other").state is State.UNKNOWN
    if is_released:
        other.release(row_id)
    before = other.get_record(row_id)
    for _ in range(2):
        with pytest.raises(LedgerFailed) as failed:
            one.move(row_id, state, error=ERRORS[state], response=RESPONSE)
        assert failed.value.key == "row_taken_over"
    assert list_bodies(other, row_id) == [RESPONSE.body]
    assert vars(other.get_record(row_id)) | {"error": None} == vars(before) | {"error": None}
    assert [row.id for row in other.list_recoverable()] == ([row_id] if is_released else [])
