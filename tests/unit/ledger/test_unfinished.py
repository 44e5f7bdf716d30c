"""Whether a ledger has jobs to recover, found without opening it."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.states import JobSpec, State
from seedream_api.ledger.unfinished import has_recoverable_jobs


def add_job(ledger: SyncLedger, *states: State, task_id: str | None = None) -> None:
    spec = JobSpec("print", "evolink", "Seedream-4.0", "sandbox", "key", "cat", {}, (), 0, 1)
    row = ledger.claim(spec, "id")
    for state in states:
        ledger.move(row.id, state, task_id=task_id)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((), False),
        ((State.SENDING, State.ACCEPTED), True),
        ((State.SENDING, State.ANSWERED), True),
        ((State.SENDING, State.UNKNOWN), False),
        ((State.SENDING, State.REFUSED), False),
    ],
)
def test_has_recoverable_jobs_follows_states(
    home: Path, states: tuple[State, ...], expected: bool
) -> None:
    ledger = SyncLedger(home)
    add_job(ledger, *states)
    assert has_recoverable_jobs(home) is expected, "while another process has it open"
    ledger.close()
    before = sorted(path.name for path in home.iterdir())
    assert has_recoverable_jobs(home) is expected
    assert sorted(path.name for path in home.iterdir()) == before


def test_has_recoverable_jobs_counts_unknown_with_task(home: Path) -> None:
    ledger = SyncLedger(home)
    add_job(ledger, State.SENDING, State.UNKNOWN, task_id="task-1")
    ledger.close()
    assert has_recoverable_jobs(home)


def test_has_recoverable_jobs_without_ledger_makes_none(home: Path) -> None:
    assert not has_recoverable_jobs(home) and not home.exists()


def test_has_recoverable_jobs_reports_damage_by_opening(home: Path) -> None:
    home.mkdir()
    (home / "ledger.sqlite").write_bytes(b"")
    assert not has_recoverable_jobs(home)
    (home / "ledger.sqlite").write_bytes(b"not a database" * 100)
    assert has_recoverable_jobs(home)
