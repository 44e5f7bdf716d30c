"""A forked child can do nothing to the ledger that its parent has open."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seedream_api.errors import Charge, LedgerFailed
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.queries import list_records
from seedream_api.ledger.states import JobSpec, State

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]
WISH = JobSpec("wish", "evolink", "Seedream-4.5", "sandbox", "print", "a cat", {}, (), 0, 1)


@pytest.fixture
def ledger(home: Path) -> Iterator[SyncLedger]:
    opened = SyncLedger(home)
    asyncio.run(opened.database.run(list_records))  # its thread runs
    yield opened
    opened.close()


def exit_code_of_child(work: Callable[[], object]) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if work() is not False else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def is_refused(work: Callable[[], object]) -> bool:
    try:
        work()
    except LedgerFailed as error:
        return error.key == "ledger_forked" and error.charge is Charge.NONE
    return False


def test_closing_in_forked_child_does_nothing(ledger: SyncLedger, home: Path) -> None:
    row = ledger.claim(WISH, "key")
    files = {path: path.stat().st_size for path in home.rglob("*") if path.is_file()}

    def close() -> None:
        ledger.close()
        ledger.database._connection.execute("SELECT 1")  # it is the parent's to close

    assert exit_code_of_child(close) == 0
    assert {path: path.stat().st_size for path in home.rglob("*") if path.is_file()} == files
    assert ledger.is_owner_alive(ledger.owner) and ledger.get_record(row.id).owner == ledger.owner
    assert ledger.move(row.id, State.SENDING).state is State.SENDING


def test_forked_child_cannot_write_for_its_parent(ledger: SyncLedger) -> None:
    assert exit_code_of_child(lambda: is_refused(lambda: ledger.claim(WISH, "key"))) == 0
    assert ledger.list_records() == []


def test_forked_child_gets_an_error_and_never_waits(ledger: SyncLedger) -> None:
    """The ledger's thread does not run in a child: waiting for it would never end."""
    run = lambda: asyncio.run(asyncio.wait_for(ledger.database.run(list_records), 5))  # noqa: E731
    assert exit_code_of_child(lambda: is_refused(run)) == 0
    assert ledger.list_records() == []


def test_forked_child_opens_another_ledger(ledger: SyncLedger, home: Path) -> None:
    def open_another() -> None:
        other = SyncLedger(home)
        assert other.is_owner_alive(ledger.owner)
        other.claim(WISH, "key")
        other.close()

    assert exit_code_of_child(open_another) == 0
    [row] = ledger.list_records()
    assert row.owner is not None and not ledger.is_owner_alive(row.owner)
