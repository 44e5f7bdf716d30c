"""The record's rows as people and the polling ask for them, and forgetting."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from seedream_api.ledger.database import Database
from seedream_api.ledger.image_store import ImageStore
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.states import JobSpec, State
from seedream_api.ledger.transitions import move
from seedream_api.service.result_items import ResultItem
from support.wall_clock import Clock

pytestmark = pytest.mark.databases("sqlite", "postgresql")

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


def wish(name: str, model: str = "Seedream-4.5") -> JobSpec:
    return JobSpec(name, "evolink", model, "sandbox", "print", name, {}, (), 0, 1)


def accepted(ledger: SyncLedger, name: str, task_id: str, model: str = "Seedream-4.5") -> int:
    row = ledger.claim(wish(name, model), "key")
    ledger.move(row.id, State.SENDING)
    ledger.move(row.id, State.ACCEPTED, task_id=task_id)
    return row.id


def test_rows_come_newest_first_and_without_the_forgotten(ledger: SyncLedger) -> None:
    ids = [accepted(ledger, name, f"task-{name}") for name in "abc"]
    assert [row.id for row in ledger.list_records()] == ids[::-1]
    assert [row.id for row in ledger.list_records(limit=2)] == ids[:0:-1]
    ledger.forget(ids[1])
    assert [row.id for row in ledger.list_records()] == [ids[2], ids[0]]
    assert [row.id for row in ledger.list_records((State.FORGOTTEN,))] == [ids[1]]
    assert ledger.list_records((State.EMPTY, State.FAILED)) == []


def test_row_is_found_by_its_number_or_its_task(ledger: SyncLedger) -> None:
    first, second = accepted(ledger, "a", "task-a"), accepted(ledger, "b", "task-b")
    for name, row_id in ((str(first), first), ("task-b", second)):
        found = ledger.find_record(name)
        assert found is not None and found.id == row_id
    for name in ("", "task", "0", "99", "task-%", "' OR 1=1 --"):
        assert ledger.find_record(name) is None


def test_find_task_prefers_the_row_that_is_not_forgotten(
    ledger: SyncLedger,
) -> None:
    old, new = accepted(ledger, "a", "task-a"), accepted(ledger, "b", "task-a")
    ledger.forget(new)
    found = ledger.find_record("task-a")
    assert found is not None and found.id == old


def test_numeric_task_id_is_not_an_entry_number(ledger: SyncLedger) -> None:
    accepted(ledger, "a", "2")
    accepted(ledger, "b", "task-b")
    found = ledger.find_task("2")
    assert found is not None and found.id == 1
    assert ledger.find_task("1") is None and ledger.find_task("task") is None


def test_of_a_task_the_newest_row_is_meant_that_is_not_forgotten(ledger: SyncLedger) -> None:
    for name in "abc":
        accepted(ledger, name, "task-a")
    ledger.forget(3)
    found = ledger.find_task("task-a")
    assert found is not None and found.id == 2
    ledger.forget(2)
    ledger.forget(1)
    assert ledger.find_task("task-a") is None


def test_of_several_rows_the_newest_is_meant(ledger: SyncLedger) -> None:
    accepted(ledger, "a", "task-a")
    newer = accepted(ledger, "b", "task-a")
    found = ledger.find_record("task-a")
    assert found is not None and found.id == newer


# ---- stored images ----


def stored(
    ledger: SyncLedger, name: str, *, url: str = "https://e.com/a", data: bytes = PNG
) -> int:
    """A row whose one image is stored; equal bytes are one file."""
    row_id = accepted(ledger, name, f"task-{name}")
    ledger.record_response(row_id, (ResultItem(0, url=url),), {})
    ledger.record_image(row_id, 0, ImageStore(ledger.database.home).add_bytes(data), (1, 1))
    ledger.move(row_id, State.COMPLETED)
    return row_id


def test_of_two_stored_images_of_one_address_the_newer_is_given(ledger: SyncLedger) -> None:
    stored(ledger, "a")
    newer = stored(ledger, "b", data=PNG + b"1")
    found = ledger.find_stored_image("https://e.com/a")
    assert found is not None and found.request == newer


def test_shared_file_counts_once_by_its_latest_delivery(ledger: SyncLedger, clock: Clock) -> None:
    assert ledger.sum_stored_bytes() == 0 and ledger.list_stored_files() == []
    for name in "ab":
        ledger.mark_delivered(stored(ledger, name))
        clock.now += 100.0
    (file,) = ledger.list_stored_files()
    assert file.delivered_at == clock.now - 100.0 and ledger.sum_stored_bytes() == len(PNG)


def test_shared_file_is_kept_while_one_of_its_rows_needs_it(ledger: SyncLedger) -> None:
    whole, part = stored(ledger, "a"), stored(ledger, "b")
    ledger.mark_delivered(whole)
    assert [file.delivered_at for file in ledger.list_stored_files()] == [
        None
    ]  # never to the other
    ledger.mark_delivered(part)
    assert [file.delivered_at for file in ledger.list_stored_files()] != [None]
    ledger.mark_missing(part, [])  # the state is *answered* again: an image is to be fetched
    assert [file.delivered_at for file in ledger.list_stored_files()] == [None]


def test_files_of_another_machine_are_not_searched_for(
    ledger: SyncLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.database.bucket = "s3://pics"
    stored(ledger, "a")
    [file] = ledger.list_stored_files()
    file.path.unlink()
    monkeypatch.setattr(Path, "glob", lambda *_: pytest.fail("a search for each row takes long"))
    assert ledger.list_stored_files() == [] and ledger.sum_stored_bytes() == 0


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(
    ("question", "index"),
    [
        ("SELECT * FROM requests WHERE task_id = 'x'", "requests_by_task"),
        ("SELECT * FROM requests WHERE id = 1 OR task_id = 'x'", "requests_by_task"),
        ("SELECT * FROM requests WHERE model = 'x' ORDER BY id DESC LIMIT 20", "requests_by_model"),
        ("SELECT * FROM images WHERE url = 'x' AND file IS NOT NULL", "images_by_url"),
        ("UPDATE images SET file = NULL WHERE sha256 = 'x'", "images_by_content"),
    ],
)
def test_long_record_is_not_read_through(ledger: SyncLedger, question: str, index: str) -> None:
    with ledger.database.write(durable=False):
        plan = [row["detail"] for row in ledger.database.execute(f"EXPLAIN QUERY PLAN {question}")]
    assert any(f"INDEX {index}" in step for step in plan)
    assert not any(step.startswith("SCAN") for step in plan)


def test_typical_time_is_the_median_of_the_models_last_twenty(
    ledger: SyncLedger, clock: Clock
) -> None:
    assert ledger.typical_seconds("Seedream-4.5") is None

    def took(seconds: float, name: str, model: str) -> None:
        row_id = accepted(ledger, name, f"task-{name}", model)
        clock.now += seconds
        ledger.record_response(row_id, (), {})

    took(1_000.0, "odd", "Seedream-4.0")
    for number in range(15):
        took(900.0, f"old-{number}", "Seedream-4.5")
    for number in range(20):
        took(10.0 + number, f"new-{number}", "Seedream-4.5")
    assert ledger.typical_seconds("Seedream-4.5") == pytest.approx(20.0)
    assert ledger.typical_seconds("Seedream-4.0") == pytest.approx(1_000.0)
    assert ledger.typical_seconds("Seedream-5.0-Lite") is None


def test_clock_that_went_backwards_does_not_count(ledger: SyncLedger, clock: Clock) -> None:
    row_id = accepted(ledger, "a", "task-a")
    clock.now -= 500.0
    ledger.record_response(row_id, (), {})
    assert ledger.typical_seconds("Seedream-4.5") is None


# ---- forgetting ----


def test_forgotten_row_lets_the_same_request_be_new(ledger: SyncLedger) -> None:
    row_id = accepted(ledger, "a", "task-a")
    ledger.release(row_id)
    ledger.forget(row_id)
    row = ledger.get_record(row_id)
    assert row.state is State.FORGOTTEN and row.owner is None
    assert ledger.claim(wish("a"), "key").id != row_id


@pytest.mark.databases("sqlite")
def test_what_a_live_process_works_on_cannot_be_forgotten(ledger: SyncLedger, home: Path) -> None:
    row_id = accepted(ledger, "a", "task-a")
    other = SyncLedger(home)
    try:
        with pytest.raises(ValueError, match="worked on"):
            other.forget(row_id)
    finally:
        other.close()
    assert (
        ledger.get_record(row_id).state is State.ACCEPTED
        and ledger.get_record(row_id).owner == ledger.owner
    )


def test_row_being_sent_cannot_be_forgotten_by_its_process(
    ledger: SyncLedger,
) -> None:
    row = ledger.claim(wish("a"), "key")
    ledger.move(row.id, State.SENDING)
    with pytest.raises(ValueError, match="sending to forgotten"):
        ledger.forget(row.id)
    assert ledger.get_record(row.id).state is State.SENDING


@pytest.mark.databases("sqlite")
def test_forgetting_what_a_dead_process_was_sending_works(ledger: SyncLedger, home: Path) -> None:
    other = SyncLedger(home)
    row = other.claim(wish("a"), "key")
    other.move(row.id, State.SENDING)
    other.close()
    ledger.forget(row.id)
    assert ledger.get_record(row.id).state is State.FORGOTTEN


# ---- its own thread ----


def test_ledger_calls_run_in_order_on_one_thread(ledger: SyncLedger) -> None:
    order: list[int] = []

    def call(_database: Database, number: int) -> str:
        order.append(number)
        return threading.current_thread().name

    async def run() -> list[str]:
        return await asyncio.gather(*(ledger.database.run(call, number) for number in range(20)))

    names = set(asyncio.run(run()))
    assert len(names) == 1 and "seedream-ledger" in names.pop() and order == [*range(20)]


def test_what_a_call_raises_reaches_its_caller(ledger: SyncLedger) -> None:
    row = ledger.claim(wish("a"), "key")
    with pytest.raises(ValueError, match="intended to completed"):
        asyncio.run(ledger.database.run(move, row.id, State.COMPLETED))


def test_rows_without_a_prompt_are_kept_so(ledger: SyncLedger) -> None:
    bare = JobSpec("a", "evolink", "Seedream-4.5", "sandbox", "print", None, {}, (), 0, 1)
    assert ledger.claim(bare, "key").prompt is None
    with ledger.database.read():
        [found] = ledger.database.execute("SELECT prompt FROM requests").fetchall()
    assert found["prompt"] is None
