"""Who may work on a request: equal requests share one row, and a dead owner's row is taken over."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from seedream_api.errors import Charge, LedgerFailed, OutcomeUnknown
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.states import RELEASED_STATES, STORED_STATES, JobSpec, State
from support.ledger_kit import execute
from support.paths import PACK_ROOT

pytestmark = pytest.mark.databases("sqlite", "postgresql")

ADDRESS = "https://api.deepspaceai.net"
WISH = JobSpec(
    fingerprint="wish",
    family="evolink",
    model="Seedream-4.5",
    address=ADDRESS,
    key_fingerprint="print",
    prompt="a cat",
    fields={},
    references=(),
    seed=0,
    asked=1,
)
OWNER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from seedream_api.ledger.states import JobSpec, State
from seedream_api.ledger.ledger import SyncLedger
ledger = SyncLedger(Path(sys.argv[2]))
wish = JobSpec("wish", "evolink", "Seedream-4.5", "https://api.deepspaceai.net", "print",
              "a cat", {}, (), 0, 1)
row = ledger.claim(wish, "its key")
for state in sys.argv[3:]:
    ledger.move(row.id, State(state), task_id="task-1" if state == "accepted" else None)
print(ledger.owner, flush=True)
sys.stdin.read()
"""


class Owner:
    """Another process that has claimed the request and moved it on; it runs until it is killed."""

    def __init__(self, home: Path, *states: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-c", OWNER, str(PACK_ROOT), str(home), *states],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.name = self.process.stdout.readline().strip()
        assert self.name, "the other process did not come so far"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


def stands_at(ledger: SyncLedger, state: State, owner: str | None = None) -> int:
    """The request's row in ``state``, with or without an owner."""
    row = ledger.claim(WISH, "key")
    change = "UPDATE requests SET state = :state, owner = :owner WHERE id = :id"
    execute(ledger, change, state=state.value, owner=owner, id=row.id)
    return row.id


# ---- equal requests ----


@pytest.mark.parametrize("state", [*State], ids=lambda state: state.value)
def test_equal_request_is_new_only_after_an_unpaid_end(ledger: SyncLedger, state: State) -> None:
    before = stands_at(ledger, state)
    row = ledger.claim(WISH, "other key")
    if state in RELEASED_STATES:
        assert row.id != before and row.state is State.INTENDED
        assert row.idempotency_key == "other key"
        assert ledger.get_record(before).state is state
    else:
        assert row.id == before and row.idempotency_key == "key"
        assert row.state is (State.UNKNOWN if state is State.SENDING else state)
    assert row.owner == ledger.owner


def test_another_request_is_another_row(ledger: SyncLedger) -> None:
    first = ledger.claim(WISH, "key")
    second = ledger.claim(replace(WISH, fingerprint="other wish"), "key")
    assert first.id != second.id


@pytest.mark.parametrize("state", [*State], ids=lambda state: state.value)
def test_reuse_off_concerns_completed_work_only(ledger: SyncLedger, state: State) -> None:
    before = stands_at(ledger, state)
    row = ledger.claim(WISH, "other key", reuse=False)
    if state in STORED_STATES:
        assert row.id != before and row.state is State.INTENDED
        assert ledger.get_record(before).state is State.FORGOTTEN
    else:
        assert (row.id == before) == (state not in RELEASED_STATES)


def test_my_own_row_stays_mine_even_while_i_am_sending_it(ledger: SyncLedger) -> None:
    row = ledger.claim(WISH, "key")
    ledger.move(row.id, State.SENDING)
    again = ledger.claim(WISH, "key")
    assert again.state is State.SENDING and again.owner == ledger.owner


def test_database_allows_one_live_row_per_request(ledger: SyncLedger) -> None:
    ledger.claim(WISH, "key")
    with pytest.raises(LedgerFailed, match=r"UNIQUE|unique"):
        execute(
            ledger,
            "INSERT INTO requests (state, fingerprint, address, created_at, updated_at) "
            "VALUES ('unknown', 'wish', '', 0, 0)",
        )


# ---- live owners ----


@pytest.mark.databases("sqlite")
def test_claim_waits_for_live_owner_and_takes_released_row(ledger: SyncLedger, home: Path) -> None:
    other = SyncLedger(home)
    try:
        theirs = other.claim(WISH, "key")
        seen = ledger.claim(WISH, "key")
        assert seen.id == theirs.id and seen.owner == other.owner != ledger.owner
        ledger.release(theirs.id)
        assert ledger.get_record(theirs.id).owner == other.owner, "only its owner lets a row go"
        other.release(theirs.id)
        assert ledger.claim(WISH, "key").owner == ledger.owner
    finally:
        other.close()


@pytest.mark.databases("sqlite")
def test_row_of_a_live_process_stays_its_own_at_every_state(ledger: SyncLedger, home: Path) -> None:
    owner = Owner(home, "sending")
    try:
        for _ in range(3):
            row = ledger.claim(WISH, "key")
            assert row.owner == owner.name and row.state is State.SENDING
    finally:
        owner.kill()


# ---- dead owners ----


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((), State.INTENDED),
        (("sending",), State.UNKNOWN),
        (("sending", "intended"), State.INTENDED),
        (("sending", "accepted"), State.ACCEPTED),
        (("sending", "accepted", "answered"), State.ANSWERED),
        (("sending", "unknown"), State.UNKNOWN),
        (("sending", "accepted", "answered", "completed"), State.COMPLETED),
    ],
)
def test_claim_of_dead_owners_row_makes_only_sending_unknown(
    ledger: SyncLedger, home: Path, states: tuple[str, ...], expected: State
) -> None:
    owner = Owner(home, *states)
    owner.kill()
    assert owner.process.returncode == (-signal.SIGKILL if sys.platform != "win32" else 1)
    row = ledger.claim(WISH, "my key")
    assert row.owner == ledger.owner and row.state is expected
    assert row.idempotency_key == "its key"
    assert row.task_id == ("task-1" if "accepted" in states else None)
    if states[-1:] == ("sending",):
        assert isinstance(row.error, OutcomeUnknown) and row.error.charge is Charge.POSSIBLE
        assert f"--forget {row.id}" in str(row.error)


def test_refused_request_of_a_killed_owner_is_new(ledger: SyncLedger, home: Path) -> None:
    owner = Owner(home, "sending", "refused")
    owner.kill()
    assert ledger.claim(WISH, "my key").idempotency_key == "my key"


def test_owner_that_never_was_is_dead(ledger: SyncLedger) -> None:
    row_id = stands_at(ledger, State.ACCEPTED, "0" * 32)
    assert (
        ledger.claim(WISH, "key").owner == ledger.owner
        and ledger.get_record(row_id).task_id is None
    )


def test_of_many_waiters_exactly_one_takes_over(home: Path) -> None:
    dead = SyncLedger(home)
    row_id = dead.claim(WISH, "key").id
    dead.close()
    waiters = [SyncLedger(home) for _ in range(6)]
    try:
        begin = threading.Barrier(len(waiters))
        owners: list[str | None] = []

        def claim(waiter: SyncLedger) -> None:
            begin.wait()
            row = waiter.claim(WISH, "key")
            assert row.id == row_id
            owners.append(row.owner)

        threads = [threading.Thread(target=claim, args=(waiter,)) for waiter in waiters]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(owners) == len(waiters) and len(set(owners)) == 1
        assert owners[0] in {waiter.owner for waiter in waiters}
    finally:
        for waiter in waiters:
            waiter.close()


# ---- tasks by their id ----


def test_strangers_task_is_adopted_once(ledger: SyncLedger) -> None:
    row = ledger.claim_task(ADDRESS, "task-9", "print")
    assert row.state is State.ACCEPTED and row.owner == ledger.owner
    assert row.fingerprint is None and row.task_id == "task-9" and row.asked == 0
    assert ledger.claim_task(ADDRESS, "task-9", "other print").id == row.id


def test_ones_own_task_is_its_own_row_at_whatever_state(ledger: SyncLedger) -> None:
    row = ledger.claim(WISH, "key")
    ledger.move(row.id, State.SENDING)
    ledger.move(row.id, State.ACCEPTED, task_id="task-1")
    ledger.record_response(row.id, (), {})
    ledger.move(row.id, State.COMPLETED)
    adopted = ledger.claim_task(ADDRESS, "task-1", "print")
    assert adopted.id == row.id and adopted.state is State.COMPLETED


def test_of_equal_ids_at_two_addresses_the_asked_one_is_meant(ledger: SyncLedger) -> None:
    here = ledger.claim_task(ADDRESS, "task-1", "print")
    execute(
        ledger,
        "INSERT INTO requests (state, address, task_id, created_at, updated_at) "
        "VALUES ('accepted', 'https://other.example.com', 'task-1', 0, 0)",
    )
    assert ledger.claim_task(ADDRESS, "task-1", "print").id == here.id
    assert ledger.claim_task("https://other.example.com", "task-1", "print").id != here.id
    # Elsewhere the row of another address is shown, for the caller to name that address.
    assert ledger.claim_task("https://third.example.com", "task-1", "print").address != ADDRESS


def test_forgotten_task_is_claimed_as_a_new_row(ledger: SyncLedger) -> None:
    row = ledger.claim_task(ADDRESS, "task-1", "print")
    ledger.forget(row.id)
    again = ledger.claim_task(ADDRESS, "task-1", "print")
    assert again.id != row.id and again.state is State.ACCEPTED


@pytest.mark.databases("sqlite")
def test_task_that_a_live_process_collects_is_waited_for(ledger: SyncLedger, home: Path) -> None:
    owner = Owner(home, "sending", "accepted")
    try:
        assert ledger.claim_task(ADDRESS, "task-1", "print").owner == owner.name
    finally:
        owner.kill()
    assert ledger.claim_task(ADDRESS, "task-1", "print").owner == ledger.owner
