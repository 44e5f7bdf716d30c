"""A connection that ends after the server has committed and before its response arrives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from seedream_api.errors import LedgerFailed
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.limits import Limits, Reservation
from seedream_api.ledger.records import JobRecord
from seedream_api.ledger.states import State
from support.ledger_kit import Open
from support.transition_kit import ADDRESS, wish


def fail_after_commit(
    monkeypatch: pytest.MonkeyPatch, ledger: SyncLedger, call: Callable[[], object]
) -> None:
    """Run a call whose commit succeeds and whose connection ends before the response."""
    database = ledger.database
    commit = database._commit  # type: ignore[attr-defined]

    def lose_response(connection: psycopg.Connection[Any]) -> None:
        commit(connection)
        connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patched:
        patched.setattr(database, "_commit", lose_response)
        with pytest.raises(LedgerFailed) as failed:
            call()
    assert failed.value.key == "ledger_unreachable"


def reserve(ledger: SyncLedger, name: str) -> int:
    row = ledger.claim(wish(name), "key")
    ledger.reserve(row.id, Reservation("run", "Seedream-4.5", None, Limits()))
    return row.id


@pytest.mark.parametrize("state", [State.ACCEPTED, State.EMPTY, State.REFUSED, State.INTENDED])
def test_move_whose_commit_response_was_lost_is_done(
    machine: Open, monkeypatch: pytest.MonkeyPatch, state: State
) -> None:
    ledger, other = machine(), machine()
    row_id = reserve(ledger, "a")
    task_id = "task-1" if state is State.ACCEPTED else None
    fail_after_commit(monkeypatch, ledger, lambda: ledger.move(row_id, state, task_id=task_id))
    assert other.get_record(row_id).state is state
    row = ledger.move(row_id, state, task_id=task_id)
    assert (row.state, row.task_id, row.owner) == (state, task_id, ledger.owner)
    with pytest.raises(ValueError, match="may not go"):
        ledger.move(row_id, state, task_id=task_id)


def test_move_to_the_same_state_with_another_task_is_refused(
    machine: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = machine()
    row_id = reserve(ledger, "a")
    accepted = State.ACCEPTED
    fail_after_commit(monkeypatch, ledger, lambda: ledger.move(row_id, accepted, task_id="task-1"))
    with pytest.raises(ValueError, match="may not go"):
        ledger.move(row_id, accepted, task_id="task-2")
    assert ledger.get_record(row_id).task_id == "task-1"


@pytest.mark.parametrize("kind", ["new", "released", "task"])
def test_claim_whose_commit_response_was_lost_is_released(
    machine: Open, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    ledger, other = machine(), machine()
    if kind == "released":
        other.release(other.claim(wish("a"), "key").id)

    def claim(ledger: SyncLedger) -> JobRecord:
        if kind == "task":
            return ledger.claim_task(ADDRESS, "task-1", "print")
        return ledger.claim(wish("a"), "key")

    fail_after_commit(monkeypatch, ledger, lambda: claim(ledger))
    assert [row.owner for row in ledger.list_records()] == [None]
    assert claim(other).owner == other.owner


def test_row_that_has_a_job_stays_claimed_after_lost_commit(
    machine: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, other = machine(), machine()
    row_id = reserve(ledger, "a")
    fail_after_commit(monkeypatch, ledger, lambda: ledger.claim_row(row_id))
    assert ledger.get_record(row_id).owner == ledger.owner
    assert other.claim(wish("a"), "key").owner == ledger.owner
    assert ledger.move(row_id, State.ACCEPTED, task_id="task-1").owner == ledger.owner
