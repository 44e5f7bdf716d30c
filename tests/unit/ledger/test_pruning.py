"""Several ledgers that store images in one data folder: none removes files of another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from seedream_api.ledger.image_store import ImageStore
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.pruning import ORPHAN_S
from support.ledger_kit import wait_until_dead
from support.postgres_server import PostgresServer

FILE, SHARED, OTHER = "file", "postgres", "template1"


class Ledgers:
    """Open ledgers of one data folder, each in another database."""

    def __init__(self, home: Path, postgres: PostgresServer) -> None:
        self._home = home
        self._urls = {FILE: "", SHARED: postgres.new_ledger(), OTHER: postgres.url(OTHER)}
        self.opened: list[SyncLedger] = []

    def open(self, name: str) -> tuple[SyncLedger, ImageStore]:
        ledger = SyncLedger(self._home, SecretStr(self._urls[name]))
        self.opened.append(ledger)
        return ledger, ImageStore(self._home, ledger.owner, ledger.name)


@pytest.fixture
def ledgers(home: Path, postgres: PostgresServer) -> Iterator[Ledgers]:
    made = Ledgers(home, postgres)
    yield made
    for ledger in made.opened:
        ledger.close()
    postgres.execute("DROP SCHEMA IF EXISTS seedream CASCADE", OTHER)


def add_old_file(store: ImageStore) -> Path:
    """Store a file without a row, as old as an orphan."""
    path = store.add_bytes(b"\x89PNG\r\n\x1a\n").path
    at = path.stat().st_mtime - 2 * ORPHAN_S
    os.utime(path, (at, at))
    return path


@pytest.mark.parametrize(
    ("one", "other"), [(FILE, SHARED), (SHARED, FILE), (SHARED, OTHER), (OTHER, SHARED)]
)
def test_prune_keeps_files_of_the_other_ledger(ledgers: Ledgers, one: str, other: str) -> None:
    if FILE in (one, other):
        ledgers.open(FILE)  # it refuses to begin beside images
    _, theirs = ledgers.open(one)
    path = add_old_file(theirs)
    ledger, store = ledgers.open(other)
    ledger.prune(store, keep_bytes=0)
    assert path.exists()


@pytest.mark.parametrize("name", [FILE, SHARED])
def test_prune_removes_orphans_of_the_only_ledger(ledgers: Ledgers, name: str) -> None:
    ledger, store = ledgers.open(name)
    path = add_old_file(store)
    ledger.prune(store, keep_bytes=0)
    assert not path.exists()


@pytest.mark.parametrize(
    ("one", "other"), [(FILE, SHARED), (SHARED, FILE), (SHARED, OTHER), (OTHER, SHARED)]
)
def test_partial_of_live_owner_of_other_ledger_stays(
    ledgers: Ledgers, one: str, other: str
) -> None:
    _, theirs = ledgers.open(one)
    partial = theirs.new_partial()
    partial.write_bytes(b"half")
    ledger, store = ledgers.open(other)
    store.remove_stale_partials(ledger.is_owner_alive)
    assert partial.exists()


@pytest.mark.parametrize("name", [FILE, SHARED])
def test_partial_of_dead_owner_is_removed(ledgers: Ledgers, name: str) -> None:
    dead, theirs = ledgers.open(name)
    partial = theirs.new_partial()
    partial.write_bytes(b"half")
    dead.close()
    ledger, store = ledgers.open(name)
    wait_until_dead(ledger, dead.owner)
    store.remove_stale_partials(ledger.is_owner_alive)
    assert not partial.exists() and [*store.files()] == []


def test_prune_of_tables_without_a_name_keeps_other_files(
    ledgers: Ledgers, postgres: PostgresServer
) -> None:
    ledgers.open(SHARED)
    ledgers.opened.pop().close()
    postgres.execute("ALTER TABLE seedream.ledger_version DROP COLUMN name")
    _, theirs = ledgers.open(OTHER)
    path = add_old_file(theirs)
    ledger, store = ledgers.open(SHARED)
    own = add_old_file(store)
    ledger.prune(store, keep_bytes=0)
    assert ledger.name and path == own and path.exists()


def test_prune_keeps_files_of_a_data_folder_of_0_1(ledgers: Ledgers, home: Path) -> None:
    """Version 0.1 has one ledger, whose incomplete files are in ``images/partial``."""
    file_ledger, store = ledgers.open(FILE)
    path = add_old_file(store)
    (home / "ledger.sqlite").rename(home / "ledger.elsewhere")
    ledger, store = ledgers.open(SHARED)
    ledger.prune(store, keep_bytes=0)
    assert file_ledger.name == "" and (home / "images" / "partial").is_dir() and path.exists()
