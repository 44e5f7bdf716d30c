"""Opening and closing the ledger's file: who lives, what a broken one leaves, what is let go."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from seedream_api.errors import LedgerFailed
from seedream_api.ledger import schema
from seedream_api.ledger.ledger import SyncLedger


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[sqlite3.Connection]:
    """Every connection that is opened."""
    made: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def noted(*args: Any, **options: Any) -> sqlite3.Connection:
        made.append(connect(*args, **options))
        return made[-1]

    monkeypatch.setattr(schema.sqlite3, "connect", noted)
    return made


def is_closed(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return True
    return False


def test_open_ledger_is_alive_to_itself_and_to_others(ledger: SyncLedger, home: Path) -> None:
    other = SyncLedger(home)
    assert ledger.is_owner_alive(ledger.owner) and ledger.is_owner_alive(other.owner)
    name = other.owner
    other.close()
    assert not ledger.is_owner_alive(name) and not ledger.is_owner_alive("nobody")


def test_opening_sweeps_the_locks_of_the_dead(home: Path) -> None:
    (home / "owners").mkdir(parents=True)
    (home / "owners" / "dead.lock").touch()
    ledger = SyncLedger(home)
    assert [path.stem for path in (home / "owners").iterdir()] == [ledger.owner]
    ledger.close()


def test_open_ledger_is_not_lost(ledger: SyncLedger) -> None:
    assert ledger.is_unusable is False


def test_closing_waits_for_what_is_being_written(home: Path) -> None:
    ledger, ended = SyncLedger(home), []

    def write() -> None:
        time.sleep(0.1)
        ledger.list_records()
        ended.append(True)

    ledger.database._thread.submit(write)
    ledger.close()
    assert ended == [True]
    assert not [one for one in threading.enumerate() if one.name.startswith("seedream-ledger")]


def test_place_that_cannot_be_used_leaves_no_owner(home: Path) -> None:
    home.mkdir()
    (home / "ledger.sqlite").mkdir()
    with pytest.raises(LedgerFailed, match=r"Is a directory|unable to open"):
        SyncLedger(home)
    assert list((home / "owners").iterdir()) == []


def test_file_of_a_newer_version_is_closed_again(
    home: Path, connections: list[sqlite3.Connection]
) -> None:
    SyncLedger(home).close()
    with sqlite3.connect(home / "ledger.sqlite") as db:
        db.execute("PRAGMA user_version = 1000")
    db.close()
    connections.clear()
    with pytest.raises(LedgerFailed):
        SyncLedger(home)
    assert [is_closed(one) for one in connections] == [True]


def test_broken_file_is_closed_before_it_is_moved(
    home: Path, connections: list[sqlite3.Connection]
) -> None:
    home.mkdir()
    (home / "ledger.sqlite").write_bytes(b"no database at all " * 100)
    with pytest.raises(LedgerFailed):
        SyncLedger(home)
    assert [is_closed(one) for one in connections] == [True]


def test_foreign_log_fails_closed_and_stays(home: Path) -> None:
    """Moved aside with the record, all that was paid for would be paid for again."""
    SyncLedger(home).close()
    before = (home / "ledger.sqlite").read_bytes()
    (home / "ledger.sqlite-wal").write_bytes(b"no log of SQLite's")
    for _ in range(2):
        with pytest.raises(LedgerFailed) as caught:
            SyncLedger(home)
        assert caught.value.key == "ledger_log_damaged"
    assert (home / "ledger.sqlite").read_bytes() == before
    assert (home / "ledger.sqlite-wal").read_bytes() == b"no log of SQLite's"
    assert not list(home.glob("ledger.broken-*"))


@pytest.mark.parametrize("log", [b"", bytes(64)])
def test_log_that_is_not_in_use_yet_is_ignored(home: Path, log: bytes) -> None:
    SyncLedger(home).close()
    (home / "ledger.sqlite-wal").write_bytes(log)
    SyncLedger(home).close()
    assert not list(home.glob("ledger.broken-*"))


@pytest.mark.parametrize("part", ["requests", "images", "sqlite_autoindex_images_1"])
def test_file_is_found_broken_before_anything_is_paid_for(home: Path, part: str) -> None:
    """A response is written into these; their damage would show only then."""
    SyncLedger(home).close()
    path = home / "ledger.sqlite"
    with sqlite3.connect(path) as db:
        [root] = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (part,)).fetchone()
        [size] = db.execute("PRAGMA page_size").fetchone()
    db.close()
    data = bytearray(path.read_bytes())
    data[(root - 1) * size : root * size] = b"\x55" * size
    path.write_bytes(data)
    with pytest.raises(LedgerFailed, match="is damaged"):
        SyncLedger(home)
    (aside,) = home.glob("ledger.broken-*.sqlite")
    assert aside.read_bytes() == data


def test_unreadable_log_does_not_count_as_damage(home: Path) -> None:
    SyncLedger(home).close()
    (home / "ledger.sqlite-wal").mkdir()
    with pytest.raises(
        LedgerFailed, match=r"cannot be written: (Is a directory|Permission denied)"
    ):
        SyncLedger(home)
    assert (home / "ledger.sqlite").is_file() and not list(home.glob("ledger.broken-*"))


def test_owners_folder_that_cannot_be_swept_leaves_no_owner(home: Path) -> None:
    (home / "owners" / "odd.lock").mkdir(parents=True)
    with pytest.raises(LedgerFailed, match="cannot be written"):
        SyncLedger(home)
    assert [path.name for path in (home / "owners").iterdir()] == ["odd.lock"]


def test_closing_lets_go_of_the_file(home: Path, connections: list[sqlite3.Connection]) -> None:
    SyncLedger(home).close()
    assert [is_closed(one) for one in connections] == [True]


def test_broken_ledger_is_closed_before_it_is_moved(
    home: Path, connections: list[sqlite3.Connection]
) -> None:
    ledger = SyncLedger(home)
    for number in range(40):
        ledger.claim_task("https://example.com", f"task-{number}" + "x" * 2_000, "print")
    other = sqlite3.connect(ledger.path, isolation_level=None)
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = ledger.path.read_bytes()
    ledger.path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    other.execute("PRAGMA user_version = 1")  # a change by another makes the ledger read again
    other.close()
    with pytest.raises(LedgerFailed, match="is damaged"):
        ledger.get_record(1)
    assert is_closed(connections[0]) and ledger.is_unusable
    ledger.close()


def test_locked_ledger_is_reported_and_not_called_damaged(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "BUSY_S", 0.01)
    ledger = SyncLedger(home)
    other = sqlite3.connect(ledger.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerFailed, match="cannot be written: database is locked"):
        ledger.claim_task("https://api.example.com", "task-a", "print")
    assert ledger.list_records() == []
    other.close()
    assert ledger.list_records() == [] and not ledger.is_unusable
    assert not list(home.glob("ledger.broken-*"))
    ledger.close()


def test_place_is_that_of_the_file_whatever_it_is_called(home: Path, ledger: SyncLedger) -> None:
    place = schema.file_id(ledger.path)
    ledger.path.rename(home / "moved")
    assert place is not None and schema.file_id(home / "moved") == place
    assert schema.file_id(ledger.path) is None
    (home / "moved").rename(ledger.path)


def test_new_ledger_opens_in_two_processes_at_once(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's own waiting does not cover the switch to a log: some in a hundred such pairs met."""
    met: list[str] = []

    class Met(sqlite3.Connection):
        def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
            if sql.startswith("PRAGMA journal_mode") and not met:
                met.append(sql)
                raise sqlite3.OperationalError("database is locked")
            return super().execute(sql, parameters)

    connect = sqlite3.connect
    monkeypatch.setattr(
        schema.sqlite3, "connect", lambda *args, **more: connect(*args, factory=Met, **more)
    )
    SyncLedger(home).close()
    assert met


class Waiting:
    """Time that passes only in a sleep."""

    def __init__(self) -> None:
        self.at = 1_000.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds
        self.pauses.append(seconds)


@pytest.mark.parametrize(
    ("reason", "waited_s"),
    [("database is locked", schema.BUSY_S), ("disk I/O error", 0.0)],
)
def test_enabling_wal_is_retried_only_while_locked(
    home: Path, monkeypatch: pytest.MonkeyPatch, reason: str, waited_s: float
) -> None:
    class Never(sqlite3.Connection):
        def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
            if sql.startswith("PRAGMA journal_mode"):
                raise sqlite3.OperationalError(reason)
            return super().execute(sql, parameters)

    time, connect = Waiting(), sqlite3.connect
    monkeypatch.setattr(schema, "time", time)
    monkeypatch.setattr(
        schema.sqlite3,
        "connect",
        lambda *args, **more: connect(*args, factory=Never, **more),
    )
    with pytest.raises(LedgerFailed, match=reason):
        SyncLedger(home)
    assert sum(time.pauses) == pytest.approx(waited_s, abs=0.1) and set(time.pauses) <= {0.01}
