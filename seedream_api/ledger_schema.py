"""The ledger's file: its tables, numbered migrations, and opening it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Generator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from types import MappingProxyType

from . import given_urls
from .errors import LedgerFailed
from .intents import ENDED_UNPAID, State
from .spelling import spell_recorded_address

BUSY_S = 30.0
"""How long a transaction waits for another process's; each takes milliseconds."""

STAMPS: Mapping[State, str] = MappingProxyType({
    State.SENDING: "sent_at",
    State.ACCEPTED: "accepted_at",
    State.ANSWERED: "answered_at",
    State.COMPLETED: "finished_at",
    State.PARTIAL: "finished_at",
    State.EMPTY: "finished_at",
    State.REFUSED: "finished_at",
    State.FAILED: "finished_at",
    State.UNKNOWN: "finished_at",
    State.WITHDRAWN: "finished_at",
})  # fmt: skip
"""The column that records when a row came to a state."""

_ENDED = ", ".join(f"'{state.value}'" for state in ENDED_UNPAID)

MIGRATIONS: tuple[str, ...] = (
    f"""
    CREATE TABLE requests (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        state TEXT NOT NULL,
        owner TEXT,
        fingerprint TEXT,
        family TEXT,
        model TEXT,
        address TEXT NOT NULL,
        key_print TEXT,
        prompt TEXT,
        fields TEXT,
        refs TEXT,
        seed TEXT,
        asked INTEGER,
        notes TEXT,
        idempotency_key TEXT,
        task_id TEXT,
        request_id TEXT,
        error TEXT,
        created_at REAL NOT NULL,
        updated_at REAL NOT NULL,
        sent_at REAL,
        accepted_at REAL,
        answered_at REAL,
        finished_at REAL,
        delivered_at REAL
    );
    CREATE UNIQUE INDEX one_live_row_an_intent ON requests (fingerprint)
        WHERE fingerprint IS NOT NULL AND state NOT IN ({_ENDED});
    CREATE INDEX requests_by_task ON requests (task_id) WHERE task_id IS NOT NULL;
    CREATE INDEX requests_by_state ON requests (state, id);
    CREATE INDEX requests_by_model ON requests (model, id);
    CREATE TABLE images (
        request INTEGER NOT NULL REFERENCES requests (id),
        position INTEGER NOT NULL,
        url TEXT,
        url_seen_at REAL,
        sha256 TEXT,
        file TEXT,
        bytes INTEGER,
        media_type TEXT,
        width INTEGER,
        height INTEGER,
        error TEXT,
        PRIMARY KEY (request, position)
    );
    CREATE INDEX images_by_url ON images (url) WHERE url IS NOT NULL;
    CREATE INDEX images_by_content ON images (sha256) WHERE sha256 IS NOT NULL;
    """,
    """
    CREATE TABLE uploads (
        content TEXT NOT NULL,
        way TEXT NOT NULL,
        place TEXT NOT NULL,
        url TEXT NOT NULL,
        expires_at REAL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        media_type TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        lossless INTEGER NOT NULL,
        notes TEXT NOT NULL,
        created_at REAL NOT NULL,
        PRIMARY KEY (content, way, place)
    );
    """,
    """
    ALTER TABLE images ADD COLUMN url_expires_at REAL;
    """,
    """
    CREATE TABLE responses (
        request INTEGER NOT NULL REFERENCES requests (id),
        number INTEGER NOT NULL,
        status INTEGER,
        body BLOB NOT NULL,
        note TEXT NOT NULL,
        truncated INTEGER NOT NULL,
        received_at REAL NOT NULL,
        PRIMARY KEY (request, number)
    );
    """,
    given_urls.SCHEMA,
)
"""Applied in order; ``PRAGMA user_version`` counts those a file has. Never edited, only added."""


_LOG_HEADS = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")

_FIRST_LOOKS = (
    "SELECT id FROM requests ORDER BY id DESC LIMIT 1",
    "SELECT bytes FROM images NOT INDEXED LIMIT 1",
    "SELECT position FROM images ORDER BY request DESC LIMIT 1",
)
"""They read the roots of what an answer is written into: a broken file shows itself when it is
opened, and not when something was paid for."""

Place = tuple[int, int]
"""Device and inode: which file it is, whatever it is called by now."""


def open_database(path: Path) -> tuple[sqlite3.Connection, Place | None]:
    """Open the file and bring it up to date; gives its place too.

    Raises:
        LedgerFailed: it cannot be opened, is newer than this code, or is broken; a broken one is
            moved aside first, never deleted.
    """
    connection: sqlite3.Connection | None = None
    place: Place | None = None
    try:
        _make(path)
        place = place_of(path)
        _check_log(path)
        connection = sqlite3.connect(
            path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        connection.create_function("spelled", 1, spell_recorded_address, deterministic=True)
        _write_ahead(connection)
        _migrate(connection, path)
    except (OSError, sqlite3.Error) as error:
        if connection is not None:
            connection.close()
        raise failed(path, place, error) from None
    except LedgerFailed:
        if connection is not None:
            connection.close()
        raise
    return connection, place


def _make(path: Path) -> None:
    """Make the file by ourselves, so that SQLite's own files beside it get the same rights.

    One that exists is not opened: POSIX takes a process's locks on a file away when the process
    closes it anywhere. With those of another ledger of this process gone, any other process that
    closes the record takes itself for the last, and removes the log that this one writes into.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch a fresh file to a log. SQLite waits for nobody here: of two processes that open one
    at once, it tells the second that the file is locked."""
    ends = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > ends:
                raise
            time.sleep(0.01)
        else:
            return


def _check_log(path: Path) -> None:
    """SQLite takes a log with a wrong head for an empty one, and what was written last for lost.

    Raises:
        sqlite3.DatabaseError: the log is none of SQLite's.
    """
    log = path.with_name(f"{path.name}-wal")
    if log.exists():
        with log.open("rb") as file:
            head = file.read(len(_LOG_HEADS[0]))
        # Empty, or zeros, is what a power failure leaves of a log that nobody relied on yet.
        if head.strip(b"\0") and head not in _LOG_HEADS:
            raise sqlite3.DatabaseError("its write-ahead log is malformed")


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection, path)
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            for statement in _statements(script):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
        for look in _FIRST_LOOKS:
            connection.execute(look).fetchone()
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise


def _statements(script: str) -> Generator[str]:
    """Split a script; a trigger holds semicolons inside."""
    statement = ""
    for part in script.split(";"):
        statement += f"{part};"
        if sqlite3.complete_statement(statement):
            if statement.strip("; \n"):
                yield statement
            statement = ""


def roll_back(connection: sqlite3.Connection) -> None:
    """End a transaction that failed; on a full disk SQLite has ended it already."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def place_of(path: Path) -> Place | None:
    """The place of the file that is called ``path`` now, ``None`` where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise LedgerFailed("ledger_newer", path=path)
    return version


def is_broken(error: BaseException) -> bool:
    """Whether SQLite says that the file itself is damaged, not that it is busy or out of reach."""
    if not isinstance(error, sqlite3.DatabaseError):
        return False
    text = str(error).lower()
    return "malformed" in text or "not a database" in text


def keep_aside(path: Path, place: Place | None) -> Path:
    """Move a broken ledger and SQLite's files beside it to names that say when.

    Args:
        place: of the broken file; what another process has begun in its stead meanwhile stays.
    """
    stamp = datetime.now(tz=timezone.utc).strftime("%Y%m%d-%H%M%S-%f")
    aside = path.with_name(f"{path.stem}.broken-{stamp}{path.suffix}")
    if place_of(path) != place:
        return aside.with_name(f"{path.stem}.broken-*{path.suffix}")
    for ending in ("", "-wal", "-shm"):
        source = path.with_name(path.name + ending)
        if source.exists():
            source.replace(aside.with_name(aside.name + ending))
    return aside


def failed(path: Path, place: Place | None, error: OSError | sqlite3.Error) -> LedgerFailed:
    """What went wrong, in words; a broken file, which nobody may have open here, is kept aside."""
    reason: object = error
    if is_broken(error):
        try:
            aside = keep_aside(path, place)
            return LedgerFailed("ledger_broken", path=path, aside=aside, reason=error)
        except OSError as kept:
            reason = f"{error}; it cannot be renamed: {kept.strerror or kept}"
    elif isinstance(error, OSError):
        reason = error.strerror or error
    return LedgerFailed("ledger_unwritable", path=path, reason=reason)
