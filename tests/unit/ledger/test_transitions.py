"""The record's rows: only the drawn moves, and what each writes down."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedream_api.errors import OutcomeUnknown, TaskFailed
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.migrations import STATE_TIMESTAMPS
from seedream_api.ledger.states import TRANSITIONS, State
from support.transition_kit import ADDRESS, NOW, row_in, wish

pytestmark = pytest.mark.databases("sqlite", "postgresql")


@pytest.mark.databases("sqlite")
def test_every_pair_of_states_is_a_move_or_a_defect(ledger: SyncLedger) -> None:
    allowed = 0
    for before in State:
        for after in State:
            row = row_in(ledger, before, f"{before.value} to {after.value}")
            if after in TRANSITIONS[before]:
                ledger.move(row.id, after)
                assert ledger.get_record(row.id).state is after
                allowed += 1
            else:
                with pytest.raises(ValueError, match=f"{before.value} to {after.value}"):
                    ledger.move(row.id, after)
                assert ledger.get_record(row.id).state is before
    assert allowed == sum(len(after) for after in TRANSITIONS.values()) > 20


def test_move_that_is_refused_writes_nothing_of_it(ledger: SyncLedger) -> None:
    row = ledger.claim(wish("a"), "key")
    with pytest.raises(ValueError, match="may not go"):
        ledger.move(row.id, State.ACCEPTED, task_id="task-1", request_id="req-1")
    assert ledger.get_record(row.id) == row


def test_new_row_contains_the_whole_request(ledger: SyncLedger) -> None:
    row = ledger.get_record(ledger.claim(wish("a"), "key").id)
    assert row.state is State.INTENDED and row.owner == ledger.owner
    assert (row.fingerprint, row.family, row.model) == ("a", "evolink", "Seedream-4.5")
    assert (row.address, row.key_fingerprint, row.prompt) == (ADDRESS, "print", "一只猫 a")
    assert row.fields == {"size": "1:1", "n": 2} and row.seed == 2**63 + 5 and row.asked == 2
    assert row.references == ("sha256:aa", "url:https://example.com/a.png")
    assert row.notes == ("a note",) and row.idempotency_key == "key"
    assert row.created_at == NOW and row.sent_at is None and row.task_id is None


@pytest.mark.parametrize("state", [*STATE_TIMESTAMPS], ids=lambda state: state.value)
def test_coming_to_a_state_is_stamped(home: Path, state: State) -> None:
    clock = [NOW]
    ledger = SyncLedger(home, now=lambda: clock[0])
    try:
        before = next(
            before for before in State if state in TRANSITIONS[before] and before != state
        )
        row = row_in(ledger, before, "a")
        clock[0] = NOW + 60
        ledger.move(row.id, state)
        assert getattr(ledger.get_record(row.id), STATE_TIMESTAMPS[state]) == NOW + 60
    finally:
        ledger.close()


def test_transition_writes_ids_and_error_and_keeps_them(
    ledger: SyncLedger,
) -> None:
    row = row_in(ledger, State.SENDING, "a")
    ledger.move(row.id, State.ACCEPTED, task_id="task-1", request_id="req-1")
    failed = TaskFailed("task_failed", task_id="task-1", reason="no")
    ledger.move(row.id, State.FAILED, error=failed)
    found = ledger.get_record(row.id)
    assert (found.task_id, found.request_id) == ("task-1", "req-1")
    assert type(found.error) is TaskFailed and str(found.error) == str(failed)


def test_error_ends_with_its_state(ledger: SyncLedger) -> None:
    row = row_in(ledger, State.SENDING, "a")
    ledger.move(row.id, State.UNKNOWN, error=OutcomeUnknown("outcome_unknown_crash", entry=1))
    assert ledger.get_record(row.id).error is not None
    ledger.move(row.id, State.ACCEPTED, task_id="task-1")
    assert ledger.get_record(row.id).error is None


def test_request_returned_to_intended_was_not_sent(ledger: SyncLedger) -> None:
    row = ledger.claim(wish("a"), "key")
    assert ledger.move(row.id, State.SENDING).sent_at == NOW
    assert ledger.move(row.id, State.INTENDED).sent_at is None
    ledger.move(row.id, State.SENDING)
    assert ledger.move(row.id, State.ACCEPTED, task_id="task-a").sent_at == NOW


def test_row_may_be_charged_from_first_byte_until_refused(ledger: SyncLedger) -> None:
    row = ledger.claim(wish("a"), "key")
    assert not row.may_have_been_charged and row.charged_images([]) == 0
    row = ledger.move(row.id, State.SENDING)
    assert row.may_have_been_charged and row.charged_images([]) == 2
    assert not ledger.move(row.id, State.INTENDED).may_have_been_charged
    ledger.move(row.id, State.SENDING)
    failed = TaskFailed("task_failed", task_id="task-1", reason="no")
    ledger.move(row.id, State.ACCEPTED, task_id="task-1")
    assert not ledger.move(row.id, State.FAILED, error=failed).may_have_been_charged


def test_foreign_task_may_have_been_charged(ledger: SyncLedger) -> None:
    row = ledger.claim_task(ADDRESS, "task-9", "print")
    assert row.may_have_been_charged
    assert (row.seed, row.asked, row.fields, row.references, row.notes) == (0, 0, {}, (), ())
