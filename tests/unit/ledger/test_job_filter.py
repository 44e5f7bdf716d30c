"""What a person searches for in the ledger: groups, words, model and dates."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from seedream_api.errors import OutcomeUnknown
from seedream_api.ledger.job_filter import Group, JobFilter, find_group
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.states import JobSpec, State
from seedream_api.service.result_items import ResultItem
from support.task_rows import fill_ledger

pytestmark = pytest.mark.databases("sqlite", "postgresql")

ROWS = 10_000


def add(
    ledger: SyncLedger,
    prompt: str,
    *states: State,
    model: str = "Seedream-4.5",
    release: bool = False,
) -> int:
    spec = JobSpec(prompt, "evolink", model, "sandbox", "print", prompt, {}, (), 0, 1)
    row = ledger.claim(spec, "key")
    for state in states:
        error = OutcomeUnknown("outcome_unknown_crash", entry=1) if state is State.UNKNOWN else None
        ledger.move(row.id, state, error=error)
    if release:
        ledger.release(row.id)
    return row.id


def prompts(ledger: SyncLedger, **wanted: object) -> list[str | None]:
    found = ledger.list_jobs(JobFilter(**wanted))  # type: ignore[arg-type]
    return [one.row.prompt for one in found.entries]


def test_groups_follow_owner_and_state(ledger: SyncLedger) -> None:
    add(ledger, "runs", State.SENDING)
    add(ledger, "left behind", State.SENDING, State.ACCEPTED, release=True)
    add(ledger, "unclear", State.SENDING, State.UNKNOWN)
    add(ledger, "refused", State.SENDING, State.REFUSED)
    add(ledger, "gone", State.WITHDRAWN, State.FORGOTTEN)
    assert prompts(ledger, group=Group.RUNNING) == ["runs"]
    assert prompts(ledger, group=Group.ATTENTION) == ["unclear", "left behind"]
    assert prompts(ledger, group=Group.FAILED) == ["refused"]
    assert prompts(ledger, group=Group.DONE) == []
    summary = ledger.summarize_jobs()
    assert summary.total == 4 and summary.models == ("Seedream-4.5",)
    assert [summary.groups[group] for group in Group] == [1, 2, 0, 1]


@pytest.mark.databases("sqlite")
def test_group_of_dead_owner_is_attention(home: Path, ledger: SyncLedger) -> None:
    other = SyncLedger(home)
    add(other, "crashed", State.SENDING, State.ACCEPTED)
    assert prompts(ledger, group=Group.RUNNING) == ["crashed"]
    other.close()
    assert prompts(ledger, group=Group.RUNNING) == []
    assert prompts(ledger, group=Group.ATTENTION) == ["crashed"]


def test_every_state_has_a_group_but_forgotten() -> None:
    ungrouped = {state for state in State if find_group(state, is_live=False) is None}
    assert ungrouped == {State.FORGOTTEN}


def test_each_word_must_match(ledger: SyncLedger) -> None:
    add(ledger, "a red fox in snow", State.WITHDRAWN)
    add(ledger, "a red car", State.WITHDRAWN, model="Seedream-4.0")
    assert prompts(ledger, text="snow RED") == ["a red fox in snow"]
    assert prompts(ledger, text="red 4.0") == ["a red car"]
    assert prompts(ledger, model="Seedream-4.0") == ["a red car"]
    assert prompts(ledger, text="red blue") == []


def test_dates_and_numbers_bound_a_search(home: Path) -> None:
    moment = iter((100.0, 100.0, 200.0, 200.0, 300.0, 300.0))
    ledger = SyncLedger(home, now=lambda: next(moment, 400.0))
    ids = [add(ledger, name, State.WITHDRAWN) for name in "abc"]
    created = {one.row.prompt: one.row.created_at for one in ledger.list_jobs().entries}
    assert prompts(ledger, since=created["b"]) == ["c", "b"]
    assert prompts(ledger, before=created["b"]) == ["a"]
    assert prompts(ledger, below_id=ids[2]) == ["b", "a"]
    assert prompts(ledger, ids=(ids[0], ids[2])) == ["c", "a"]
    ledger.close()


@pytest.mark.databases("sqlite")
def test_receipt_and_file_find_their_job(ledger: SyncLedger) -> None:
    ids = [add(ledger, name, State.SENDING) for name in "ab"]
    ledger.record_response(ids[0], (ResultItem(0, url="https://x.example/0.png"),), {})
    with ledger.database.write(durable=False):
        ledger.database.execute("UPDATE images SET sha256 = 'hash' WHERE request = ?", [ids[0]])
    assert prompts(ledger, content="hash") == ["a"]
    assert prompts(ledger, fingerprint="b") == ["b"]
    assert prompts(ledger, content="other") == prompts(ledger, fingerprint="c") == []


@pytest.mark.databases("sqlite")
def test_summary_notes_changes_of_another_process(home: Path, ledger: SyncLedger) -> None:
    add(ledger, "own", State.WITHDRAWN)
    before = ledger.summarize_jobs().outside_changes
    add(ledger, "own again", State.WITHDRAWN)
    assert ledger.summarize_jobs().outside_changes == before
    other = SyncLedger(home)
    add(other, "foreign", State.WITHDRAWN)
    other.close()
    assert ledger.summarize_jobs().outside_changes != before


def test_search_of_10000_jobs_takes_under_200_ms(home: Path) -> None:
    fill_ledger(home, ROWS)
    ledger = SyncLedger(home)
    for wanted in (
        JobFilter(text="many x777"),
        JobFilter(text="no such words"),
        JobFilter(group=Group.ATTENTION),
        JobFilter(model="Seedream-4.0", group=Group.DONE, since=5_000.0),
    ):
        began = time.thread_time()  # not the clock, which counts other programs too
        ledger.list_jobs(wanted)
        ledger.summarize_jobs()
        assert time.thread_time() - began < 0.2, wanted
    ledger.close()
