"""Responses that could not be read are kept beside their rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedream_api.errors import CompletedWithoutImages, OutcomeUnknown
from seedream_api.kept_response import KeptResponse
from seedream_api.ledger import kept_responses
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.states import JobSpec, State
from seedream_api.service.result_items import ResultItem
from support.ledger_kit import opened
from support.old_ledgers import take_back_to_0_1

pytestmark = pytest.mark.databases("sqlite", "postgresql")

ADDRESS = "https://api.deepspaceai.net"
NOW = 1_790_000_000.0


@pytest.fixture
def ledger(request: pytest.FixtureRequest, home: Path) -> Iterator[SyncLedger]:
    yield from opened(request, home, lambda: NOW)


def sent_row(ledger: SyncLedger, name: str = "a") -> int:
    intent = JobSpec(name, "evolink", "Seedream-4.5", ADDRESS, "print", "a cat", {}, (), 0, 1)
    row = ledger.claim(intent, "key")
    return ledger.move(row.id, State.SENDING).id


def test_kept_response_is_read_back_as_received(ledger: SyncLedger) -> None:
    row = sent_row(ledger)
    assert ledger.list_responses(row) == []
    body = bytes(range(256)) * 20
    ledger.keep_response(row, 200, body, "no entry can be read")
    assert ledger.list_responses(row) == [
        KeptResponse(200, body, "no entry can be read", False, NOW)
    ]


def test_kept_response_may_be_empty_and_without_status(ledger: SyncLedger) -> None:
    row = sent_row(ledger)
    ledger.keep_response(row, None, b"", "")
    assert ledger.list_responses(row) == [KeptResponse(None, b"", "", False, NOW)]


def test_keep_response_compresses_and_cuts_what_is_too_large(
    ledger: SyncLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_responses, "MAX_KEPT_BYTES", 8192)
    row = sent_row(ledger)
    ledger.keep_response(row, 200, b"x" * 1_000_000, "fits once compressed")
    kept = ledger.list_responses(row)[0]
    assert kept is not None and kept.body == b"x" * 1_000_000 and not kept.truncated
    noise = b"".join(hashlib.sha256(b"%d" % each).digest() for each in range(300))
    ledger.keep_response(row, 200, noise, "does not fit")
    kept = ledger.list_responses(row)[0]
    assert kept is not None and kept.truncated
    assert noise.startswith(kept.body) and len(kept.body) > 7000


def test_keep_response_keeps_first_and_latest(ledger: SyncLedger) -> None:
    row = sent_row(ledger)
    for number in range(9):
        ledger.keep_response(row, 200, b"%d" % number, "")
        ledger.keep_response(row, 200, b"%d" % number, "again")
    assert [kept.body for kept in ledger.list_responses(row)] == [b"8", b"7", b"6", b"0"]


def test_move_keeps_response_in_its_own_transaction(ledger: SyncLedger) -> None:
    row = sent_row(ledger)
    error = OutcomeUnknown("outcome_unknown_crash", entry=row)
    kept = KeptResponse(502, b"<html>", "a gateway's page")
    with pytest.raises(ValueError, match="may not go"):
        ledger.move(row, State.FAILED, response=kept)
    assert ledger.list_responses(row) == []
    ledger.move(row, State.UNKNOWN, error=error, response=kept)
    found = ledger.list_responses(row)[0]
    assert found is not None and (found.status, found.body) == (502, b"<html>")


@pytest.mark.databases("sqlite")
def test_move_fails_whole_when_response_cannot_be_kept(ledger: SyncLedger) -> None:
    row = sent_row(ledger)
    ledger.database._connection.execute(
        "CREATE TEMP TRIGGER full BEFORE INSERT ON responses BEGIN "
        "SELECT RAISE(ABORT, 'disk I/O error'); END"
    )
    with pytest.raises(Exception, match="I/O"):
        ledger.move(row, State.UNKNOWN, response=KeptResponse(200, b"{}"))
    assert ledger.get_record(row).state is State.SENDING


@pytest.mark.parametrize("state", [State.UNKNOWN, State.EMPTY], ids=lambda state: state.value)
def test_reread_row_keeps_its_id_in_the_new_state(ledger: SyncLedger, state: State) -> None:
    row = sent_row(ledger)
    error = CompletedWithoutImages("completed_without_images", entry=row)
    ledger.move(row, state, error=error, response=KeptResponse(200, b"{}"))
    item = ResultItem(0, url="https://cdn.example.com/0.png")
    answered = ledger.record_response(row, (item,), {}, task_id="task-1")
    assert (answered.state, answered.task_id, answered.error) == (State.ANSWERED, "task-1", None)
    assert ledger.list_responses(row) != []


def test_record_response_keeps_the_known_task_id(ledger: SyncLedger) -> None:
    row = sent_row(ledger)
    ledger.move(row, State.ACCEPTED, task_id="task-1")
    item = ResultItem(0, url="https://cdn.example.com/0.png")
    assert ledger.record_response(row, (item,), {}).task_id == "task-1"


def test_ledger_of_0_1_gets_room_for_responses(home: Path) -> None:
    ledger = SyncLedger(home)
    row = sent_row(ledger)
    ledger.close()
    take_back_to_0_1(ledger.path)
    again = SyncLedger(home)
    try:
        again.keep_response(row, 200, b"{}", "")
        assert again.list_responses(row) != []
    finally:
        again.close()
