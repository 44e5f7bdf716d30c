"""The record's file: private, never deleted, never half-made, in whatever state it is opened."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from seedream_api.errors import LedgerFailed
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.migrations import MIGRATIONS
from seedream_api.ledger.states import JobSpec
from support.paths import PACK_ROOT

POSIX = pytest.mark.skipif(os.name != "posix", reason="rights are the profile's on Windows")
WISH = JobSpec("wish", "evolink", "Seedream-4.5", "sandbox", "print", "a cat", {}, (), 0, 1)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def version_of(path: Path) -> int:
    db = sqlite3.connect(path)
    try:
        return int(db.execute("PRAGMA user_version").fetchone()[0])
    finally:
        db.close()


def failure(home: Path) -> LedgerFailed:
    with pytest.raises(LedgerFailed) as caught:
        SyncLedger(home).close()
    return caught.value


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - the folder is virtual


@POSIX
def test_folder_and_files_belong_to_their_owner_alone(home: Path) -> None:
    mask = os.umask(0)
    try:
        ledger = SyncLedger(home)
        ledger.claim(WISH, "key")
        files = [path for path in home.rglob("*") if path.is_file()]
        assert {path.name for path in files} >= {"ledger.sqlite", "ledger.sqlite-wal"}
        assert {path.name: oct(mode(path)) for path in files if mode(path) != 0o600} == {}
        folders = [home, *(path for path in home.rglob("*") if path.is_dir())]
        assert {path.name: oct(mode(path)) for path in folders if mode(path) != 0o700} == {}
        ledger.close()
    finally:
        os.umask(mask)


@POSIX
def test_ledger_in_an_existing_open_folder_is_private(home: Path) -> None:
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    SyncLedger(home).close()
    assert mode(home) == 0o755
    assert {mode(path) for path in home.iterdir()} == {0o600, 0o700}


def test_rows_survive_closing_and_closing_twice_is_fine(home: Path) -> None:
    ledger = SyncLedger(home)
    row = ledger.claim(WISH, "key")
    ledger.close()
    ledger.close()
    again = SyncLedger(home)
    assert (
        again.get_record(row.id).prompt == "a cat" and again.get_record(row.id).owner != again.owner
    )
    again.close()


def test_closed_ledgers_owner_leaves_no_lock_file(home: Path) -> None:
    ledger = SyncLedger(home)
    assert [path.stem for path in (home / "owners").iterdir()] == [ledger.owner]
    ledger.close()
    assert [*(home / "owners").iterdir()] == []


# ---- schema ----


def test_new_file_has_every_migration(home: Path) -> None:
    SyncLedger(home).close()
    assert version_of(home / "ledger.sqlite") == len(MIGRATIONS) >= 1


def test_file_of_a_newer_version_is_refused_and_left_as_it_is(home: Path) -> None:
    ledger = SyncLedger(home)
    ledger.claim(WISH, "key")
    ledger.close()
    db = sqlite3.connect(home / "ledger.sqlite")
    db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    error = failure(home)
    assert error.key == "ledger_newer" and "newer version" in str(error)
    assert version_of(home / "ledger.sqlite") == len(MIGRATIONS) + 1
    assert {path.name for path in home.iterdir() if path.is_file()} <= {
        "ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm",
    }  # fmt: skip


def test_migration_that_fails_leaves_nothing_of_itself(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SyncLedger(home).close()
    bad = (*MIGRATIONS, "CREATE TABLE half (id INTEGER); CREATE TABLE requests (id INTEGER)")
    monkeypatch.setattr("seedream_api.ledger.schema.MIGRATIONS", bad)
    assert failure(home).key == "ledger_unwritable"
    monkeypatch.undo()
    assert version_of(home / "ledger.sqlite") == len(MIGRATIONS)
    db = sqlite3.connect(home / "ledger.sqlite")
    tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
    db.close()
    assert "half" not in tables and "requests" in tables


# ---- broken ----


def broken_copies(home: Path) -> list[Path]:
    return sorted(home.glob("ledger.broken-*.sqlite"))


@pytest.mark.parametrize(
    "content", [b"this is no database, " * 300, os.urandom(10_000), b"SQLite format 3\0" * 400]
)
def test_broken_file_is_kept_aside_byte_for_byte(home: Path, content: bytes) -> None:
    home.mkdir(parents=True)
    (home / "ledger.sqlite").write_bytes(content)
    error = failure(home)
    assert error.key == "ledger_broken"
    (aside,) = broken_copies(home)
    assert aside.read_bytes() == content and str(aside) in str(error)
    ledger = SyncLedger(home)  # the next run starts again
    assert ledger.list_records() == []
    ledger.close()
    assert broken_copies(home) == [aside]


def test_second_broken_file_keeps_the_first(home: Path) -> None:
    home.mkdir(parents=True)
    for content in (b"first " * 500, b"second " * 500):
        (home / "ledger.sqlite").write_bytes(content)
        assert failure(home).key == "ledger_broken"
    assert {path.read_bytes()[:5] for path in broken_copies(home)} == {b"first", b"secon"}


def test_file_whose_tables_are_damaged_is_kept_aside_too(home: Path) -> None:
    ledger = SyncLedger(home)
    ledger.claim(WISH, "key")
    ledger.close()
    path = home / "ledger.sqlite"
    data = bytearray(path.read_bytes())
    data[100:4096] = b"\xff" * (4096 - 100)
    path.write_bytes(data)
    assert failure(home).key == "ledger_broken"
    assert broken_copies(home)[0].read_bytes() == bytes(data)


# ---- a home that cannot be used ----


def test_file_in_place_of_the_folder_is_reported(tmp_path: Path) -> None:
    place = tmp_path / "home"
    place.write_text("mine")
    for home in (place, place / "deeper"):
        error = failure(home)
        assert error.key == "ledger_unwritable" and str(home) in str(error)
        assert "nothing is sent" in str(error)
    assert place.read_text() == "mine"


@pytest.mark.parametrize("name", ["ledger.sqlite", "owners"])
def test_other_object_in_place_of_a_part_is_reported(home: Path, name: str) -> None:
    home.mkdir()
    if name == "owners":
        (home / name).write_text("mine")
    else:
        (home / name).mkdir()
    assert failure(home).key == "ledger_unwritable"
    assert (home / name).exists()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counted by /proc")
def test_failing_to_open_leaves_no_file_open(home: Path) -> None:
    home.mkdir()
    (home / "ledger.sqlite").mkdir()
    failure(home)
    before = open_descriptors()
    for _ in range(5):
        failure(home)
    assert open_descriptors() <= before
    assert [*(home / "owners").iterdir()] == []


# ---- many at once ----


def test_many_may_open_a_new_home_at_the_same_moment(home: Path) -> None:
    begin = threading.Barrier(8)
    opened: list[SyncLedger] = []

    def open_one() -> None:
        begin.wait()
        opened.append(SyncLedger(home))

    threads = [threading.Thread(target=open_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        assert len(opened) == 8 and len({ledger.owner for ledger in opened}) == 8
        assert len({ledger.claim(WISH, "key").id for ledger in opened}) == 1
    finally:
        for ledger in opened:
            ledger.close()


def test_several_processes_share_one_record(home: Path) -> None:
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "from seedream_api.ledger.states import JobSpec\n"
        "from seedream_api.ledger.ledger import SyncLedger\n"
        "ledger = SyncLedger(Path(sys.argv[2]))\n"
        "for number in range(25):\n"
        "    wish = JobSpec(f'w{number}', 'evolink', 'm', 'a', 'k', 'p', {}, (), 0, 1)\n"
        "    row = ledger.claim(wish, 'key')\n"
        "    ledger.release(row.id)\n"
        "ledger.close()\n"
    )
    command = [sys.executable, "-I", "-c", script, str(PACK_ROOT), str(home)]
    running = [
        subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        for _ in range(4)
    ]
    assert [process.communicate()[1] for process in running] == [""] * 4
    ledger = SyncLedger(home)
    rows = ledger.list_records()
    ledger.close()
    assert sorted(row.fingerprint or "" for row in rows) == sorted(f"w{n}" for n in range(25))


def test_two_ledgers_of_one_process_keep_their_rows(home: Path) -> None:
    """Its last one out would remove the log that is still written here, and all that was in it."""
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "from seedream_api.ledger.ledger import SyncLedger\n"
        "ledger = SyncLedger(Path(sys.argv[2]))\n"
        "print(len(ledger.list_records()))\n"
        "ledger.close()\n"
    )
    command = [sys.executable, "-I", "-c", script, str(PACK_ROOT), str(home)]

    def seen_elsewhere() -> int:
        return int(subprocess.run(command, capture_output=True, check=True).stdout)

    first = SyncLedger(home)
    second = SyncLedger(home)
    assert seen_elsewhere() == 0
    first.claim(WISH, "key")
    assert seen_elsewhere() == 1
    second.close()
    first.close()
