"""A ledger is copied whole and exactly, from a file into PostgreSQL and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from seedream_api.cli.main import main
from seedream_api.errors import LedgerFailed
from seedream_api.ledger.copying import TABLES, copy_ledger
from seedream_api.ledger.image_store import ImageStore
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.states import State
from seedream_api.ledger.upload_cache import UploadedReference
from seedream_api.service.result_items import ResultItem
from support.ledger_kit import execute
from support.postgres_server import PASSWORD, PostgresServer
from support.transition_kit import NOW, wish

Rows = dict[str, list[dict[str, Any]]]


def rows_of(ledger: SyncLedger) -> Rows:
    with ledger.database.read():
        return {
            table: [
                dict(row)
                for row in ledger.database.execute(
                    f"SELECT * FROM {table} ORDER BY {', '.join(keys)}"  # noqa: S608
                )
            ]
            for table, keys in TABLES.items()
        }


def fill(ledger: SyncLedger) -> None:
    """Put rows into every table, more requests than are read at once."""
    for number in range(3):
        row = ledger.claim(wish(f"job {number}"), "key")
        ledger.move(row.id, State.SENDING)
        items = (ResultItem(0, url=f"https://a.example/{number}?X-Amz-Date=1"),)
        ledger.record_response(row.id, items, {}, task_id=f"task-{number}")
        file = ImageStore(ledger.database.home).add_bytes(b"\x89PNG\r\n\x1a\n" + bytes([number]))
        ledger.record_image(row.id, 0, file, (1, 1))
        ledger.keep_response(row.id, 200, b"\0\xff body", "a note")
        ledger.release(row.id)
    ledger.record_reference_file("sha256:aa", file, (1, 1))
    sent = UploadedReference("s3", "https://b.example/1", None, 1, 1, "image/png", 4, True)
    ledger.record_upload("sha256:aa", "bucket", sent)
    ledger.record_shared(file.sha256)
    with ledger.database.write(durable=False):
        for number in range(600):
            ledger.database.execute(
                "INSERT INTO requests (state, address, created_at, updated_at) "
                "VALUES ('failed', 'sandbox', :at, :at)",
                {"at": NOW + number / 7},
            )


@pytest.fixture
def source(home: Path) -> Iterator[SyncLedger]:
    ledger = SyncLedger(home, now=lambda: NOW)
    fill(ledger)
    yield ledger
    ledger.close()


@pytest.fixture
def shared(postgres: PostgresServer, tmp_path: Path) -> Iterator[SyncLedger]:
    ledger = SyncLedger(tmp_path / "other", SecretStr(postgres.new_ledger()))
    yield ledger
    ledger.close()


def test_copy_there_and_back_keeps_every_row(
    source: SyncLedger, shared: SyncLedger, tmp_path: Path
) -> None:
    before = rows_of(source)
    assert all(before.values()), "every table has rows"
    counts = copy_ledger(source.database, shared.database)
    assert counts == {table: len(rows) for table, rows in before.items()}
    assert rows_of(shared) == before
    new = shared.claim(wish("new"), "key")
    assert new.id == counts["requests"] + 1 and shared.claim(wish("job 1"), "key").id == 2
    for row_id in (new.id, 2):
        shared.release(row_id)
    copied = rows_of(shared)
    back = SyncLedger(tmp_path / "back")
    copy_ledger(shared.database, back.database)
    assert rows_of(back) == copied
    assert back.claim(wish("newer"), "key").id == new.id + 1
    back.close()


def test_copy_into_ledger_with_entries_is_refused(source: SyncLedger, shared: SyncLedger) -> None:
    shared.claim(wish("other"), "key")
    before = rows_of(shared)
    with pytest.raises(LedgerFailed) as caught:
        copy_ledger(source.database, shared.database)
    assert caught.value.key == "ledger_not_empty" and rows_of(shared) == before


def test_copy_of_ledger_in_use_is_refused(source: SyncLedger, shared: SyncLedger) -> None:
    source.claim(wish("running"), "key")
    with pytest.raises(LedgerFailed) as caught:
        copy_ledger(source.database, shared.database)
    assert caught.value.key == "ledger_in_use" and not shared.list_records()


def test_row_that_does_not_fit_stops_the_whole_copy(source: SyncLedger, shared: SyncLedger) -> None:
    execute(source, "UPDATE requests SET asked = 'many' WHERE id = 3")
    with pytest.raises(LedgerFailed):
        copy_ledger(source.database, shared.database)
    assert not any(rows_of(shared).values())


def test_copy_compares_what_was_written(
    source: SyncLedger, shared: SyncLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shared.database.execute

    def lose(statement: str, values: Any = ()) -> Any:
        is_image = statement.startswith("INSERT INTO images")
        return real(statement, {**values, "width": 7} if is_image else values)

    monkeypatch.setattr(shared.database, "execute", lose)
    with pytest.raises(LedgerFailed) as caught:
        copy_ledger(source.database, shared.database)
    monkeypatch.undo()
    assert caught.value.key == "row_not_copied" and not any(rows_of(shared).values())


def test_command_copies_the_file_into_the_shared_ledger(
    source: SyncLedger,
    shared: SyncLedger,
    postgres: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SEEDREAM_HOME", str(source.database.home))
    monkeypatch.setenv("SEEDREAM_LEDGER", postgres.url())
    assert main(["ledger", "copy", "file", "shared", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["copied"]["requests"] == 603 and PASSWORD not in out + err
    assert rows_of(shared) == rows_of(source)
    assert main(["ledger", "copy", str(source.database.home / "none"), "shared"]) == 1
    assert main(["ledger", "copy", "file", f"mysql://u:{PASSWORD}@h/d"]) == 2
    assert main(["ledger", "copy", "file", f"postgresql://u:{PASSWORD}@127.0.0.1:1/d"]) == 2
    out, err = capsys.readouterr()
    assert "PGPASSWORD" in err and PASSWORD not in out + err
