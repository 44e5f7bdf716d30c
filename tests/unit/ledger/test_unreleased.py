"""Rows whose release failed: the next write releases them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from seedream_api.errors import LedgerFailed
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.states import State
from support.transition_kit import wish

pytestmark = pytest.mark.databases("sqlite", "postgresql")
WISH = wish("a")


def test_row_whose_release_failed_is_released_before_a_write(ledger: SyncLedger) -> None:
    row = ledger.claim(WISH, "key")
    with fail_to_release(ledger, row.id):
        with pytest.raises(LedgerFailed):
            ledger.forget_idle(row.id)
        assert ledger.get_record(row.id).owner == ledger.owner, "a full disk can be read"
    ledger.forget_idle(row.id)
    assert ledger.get_record(row.id).state is State.FORGOTTEN


def test_row_whose_release_failed_can_be_claimed_again(ledger: SyncLedger) -> None:
    row = ledger.claim(WISH, "key")
    with fail_to_release(ledger, row.id):
        pass
    assert ledger.claim(WISH, "key").id == row.id
    ledger.move(row.id, State.SENDING)
    assert ledger.get_record(row.id).owner == ledger.owner


@contextmanager
def fail_to_release(ledger: SyncLedger, row_id: int) -> Iterator[None]:
    """Release a row in vain, because the disk is full until the block ends."""
    with pytest.MonkeyPatch.context() as full_disk:
        full_disk.setattr(ledger.database, "_write", _fail_to_write)
        with pytest.raises(LedgerFailed):
            ledger.release(row_id)
        yield


def _fail_to_write(*, durable: bool) -> None:
    raise LedgerFailed("ledger_unwritable", path="ledger", reason=f"disk full, {durable}")
