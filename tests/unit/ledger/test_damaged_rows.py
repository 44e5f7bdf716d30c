"""A malformed cell is the trouble of its row alone; an emptied file is not a new record."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from seedream_api.errors import Charge, LedgerFailed
from seedream_api.ledger import schema
from seedream_api.ledger.image_store import ImageStore
from seedream_api.ledger.job_filter import JobFilter
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.states import JobSpec, State
from seedream_api.service.result_items import ResultItem

ADDRESS = "https://api.deepspaceai.net"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100
NOT_UTF8 = "CAST(X'FFFE' AS TEXT)"
VALUES = (
    "'x{'", "X'00FF'", "-1", "1e308", "9e999", "''", "'[1]'", "'{}'", "'null'", NOT_UTF8,
)  # fmt: skip
FREE = ("id", "request")
"""Integers for SQLite itself, or no value at all is possible there."""


def wish(name: str) -> JobSpec:
    return JobSpec(name, "evolink", "Seedream-4.5", ADDRESS, "print", name, {}, ("url:x",), 7, 1)


def completed(ledger: SyncLedger, name: str) -> int:
    row = ledger.claim(wish(name), "key")
    ledger.move(row.id, State.SENDING)
    ledger.move(row.id, State.ACCEPTED, task_id=f"task-{name}", request_id="id")
    file = ImageStore(ledger.database.home).add_bytes(PNG + name.encode())
    ledger.record_response(row.id, (ResultItem(0, url=f"https://x.example/{name}.png"),), {0: file})
    ledger.move(row.id, State.COMPLETED)
    ledger.release(row.id)
    return row.id


def set_cell(ledger: SyncLedger, table: str, row_id: int, column: str, value: str) -> None:
    key = "id" if table == "requests" else "request"
    with ledger.database.write(durable=False):
        ledger.database.execute("PRAGMA ignore_check_constraints = ON")
        ledger.database.execute(f"UPDATE {table} SET {column} = {value} WHERE {key} = ?", (row_id,))  # noqa: S608


def columns(table: str) -> list[str]:
    script = "".join(schema.MIGRATIONS)
    db = sqlite3.connect(":memory:")
    db.create_function("url_print", 1, str)
    db.create_function("stored_refs", 1, str)
    db.executescript(script)
    found = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    db.close()
    return [name for name in found if name not in FREE]


def looks(ledger: SyncLedger, row_id: int) -> list[Any]:
    return [
        ledger.list_records(), ledger.list_records(tuple(State)), ledger.find_record(str(row_id)),
        ledger.find_task("task-b"), ledger.list_jobs(), ledger.list_jobs(JobFilter(text="task")),
        ledger.get_job(row_id), ledger.list_stored_files(), ledger.sum_stored_bytes(),
        ledger.typical_seconds("Seedream-4.5"), ledger.list_readable_images(row_id),
    ]  # fmt: skip


@pytest.mark.parametrize("column", columns("requests"))
def test_malformed_cell_of_row_harms_no_other(ledger: SyncLedger, home: Path, column: str) -> None:
    ids = [completed(ledger, name) for name in "abc"]
    for value in VALUES:
        set_cell(ledger, "requests", ids[1], column, value)
        looks(ledger, ids[1])
        assert len(ledger.list_records(tuple(State))) == 3
        for name, row_id in (("a", ids[0]), ("c", ids[2])):
            row = ledger.claim(wish(name), "key")
            assert (row.id, row.state) == (row_id, State.COMPLETED)
            assert ledger.list_images(row_id)[0].file is not None
        assert len(ledger.list_stored_files()) == 3
    assert not ledger.is_unusable and not list(home.glob("ledger.broken-*"))


@pytest.mark.parametrize("column", ["address", "refs", "seed", "fingerprint"])
def test_malformed_cell_does_not_stop_identification(ledger: SyncLedger, column: str) -> None:
    row_id = completed(ledger, "b")
    for value in VALUES:
        set_cell(ledger, "requests", row_id, column, value)
        references, also = ledger.identify_request(ADDRESS, {}, ("sha256:x",), 7)
        assert references == ("sha256:x",) and also == ()
        assert ledger.find_reusable(("none",), reuse=True) is None


@pytest.mark.parametrize("column", columns("images"))
def test_malformed_cell_of_image_harms_no_other(
    ledger: SyncLedger, home: Path, column: str
) -> None:
    ids = [completed(ledger, name) for name in "abc"]
    for value in VALUES:
        set_cell(ledger, "images", ids[1], column, value)
        looks(ledger, ids[1])
        assert ledger.list_images(ids[0])[0].file and ledger.list_images(ids[2])[0].file
        assert ledger.claim(wish("b"), "key").id == ids[1]
    assert not ledger.is_unusable and not list(home.glob("ledger.broken-*"))


@pytest.mark.parametrize("column", ["state", "error", "sent_at", "address", "task_id"])
@pytest.mark.parametrize("value", ["'x{'", NOT_UTF8, "X'00FF'"])
def test_row_unsure_of_money_is_never_sent_again(
    ledger: SyncLedger, column: str, value: str
) -> None:
    row_id = completed(ledger, "b")
    set_cell(ledger, "requests", row_id, column, value)
    if ledger.list_records()[0].is_readable:
        assert ledger.claim(wish("b"), "key").id == row_id  # a text like any other
        return
    for _ in range(2):
        with pytest.raises(LedgerFailed) as caught:
            ledger.claim(wish("b"), "key")
        assert caught.value.key == "entry_unreadable" and caught.value.charge is Charge.POSSIBLE
        assert column in str(caught.value) and not ledger.is_unusable
    [row] = ledger.list_records()
    assert not row.is_readable and row.may_have_been_charged
    ledger.forget(row_id)
    assert ledger.claim(wish("b"), "key").id != row_id


@pytest.mark.parametrize("column", ["prompt", "fields", "refs", "notes", "seed", "finished_at"])
def test_row_without_its_description_is_still_reused(ledger: SyncLedger, column: str) -> None:
    row_id = completed(ledger, "b")
    set_cell(ledger, "requests", row_id, column, NOT_UTF8)
    row = ledger.claim(wish("b"), "key")
    assert row.id == row_id and row.state is State.COMPLETED and row.is_readable
    assert column in row.notes[-1]


def test_state_of_newer_version_is_listed_and_kept(ledger: SyncLedger) -> None:
    row_id = completed(ledger, "b")
    set_cell(ledger, "requests", row_id, "state", "'paused'")
    assert [row.id for row in ledger.list_records()] == [row_id]
    assert [row.id for row in ledger.list_records(tuple(State))] == [row_id]
    assert ledger.list_jobs().total == 1
    assert ledger.list_stored_files()[0].delivered_at is None
    with pytest.raises(LedgerFailed, match="state"):
        ledger.claim_row(row_id)


def test_file_outside_the_store_is_never_named(ledger: SyncLedger) -> None:
    row_id = completed(ledger, "b")
    for name in ("'/etc/passwd'", "'../other.png'", "'images/../../x'", "'images'", "'C:\\x'"):
        set_cell(ledger, "images", row_id, "file", name)
        assert ledger.list_images(row_id)[0].is_missing
        [stored] = ledger.list_stored_files()  # found by its content, and so never swept away
        assert stored.path.is_file() and stored.delivered_at is None


def test_words_about_damage_do_not_quarantine(ledger: SyncLedger, home: Path) -> None:
    with pytest.raises(LedgerFailed), ledger.database.write(durable=False):
        raise sqlite3.DatabaseError("the entry is malformed, and not a database")
    assert not ledger.is_unusable and not list(home.glob("ledger.broken-*"))


# ---- emptied ----


@pytest.fixture
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "CREATION_S", 0.0)


@pytest.mark.usefixtures("_no_patience")
def test_empty_file_beside_full_store_fails_closed(home: Path) -> None:
    ledger = SyncLedger(home)
    completed(ledger, "a")
    ledger.close()
    (home / "ledger.sqlite").write_bytes(b"")
    for _ in range(2):
        with pytest.raises(LedgerFailed) as caught:
            SyncLedger(home)
        assert caught.value.key == "ledger_emptied"
        assert caught.value.charge is Charge.NONE  # nothing is sent
    assert (home / "ledger.sqlite").read_bytes() == b""
    (home / "ledger.sqlite").unlink()
    SyncLedger(home).close()


@pytest.mark.usefixtures("_no_patience")
def test_empty_file_beside_its_log_keeps_the_log(home: Path) -> None:
    ledger = SyncLedger(home)
    ledger.claim(wish("a"), "key")
    log = (home / "ledger.sqlite-wal").read_bytes()
    ledger.close()
    (home / "ledger.sqlite").write_bytes(b"")
    (home / "ledger.sqlite-wal").write_bytes(log)
    with pytest.raises(LedgerFailed, match="is empty"):
        SyncLedger(home)
    assert log and (home / "ledger.sqlite-wal").read_bytes() == log


def test_empty_file_without_images_is_a_new_record(home: Path) -> None:
    home.mkdir()
    (home / "images" / "partial").mkdir(parents=True)
    (home / "ledger.sqlite").touch()
    SyncLedger(home).close()


def test_errors_that_are_written_down_can_be_read_again(ledger: SyncLedger) -> None:
    row_id = completed(ledger, "b")
    set_cell(ledger, "requests", row_id, "error", f"'{json.dumps({'key': 'from the future'})}'")
    [row] = ledger.list_records()
    assert row.is_readable and row.error is not None
