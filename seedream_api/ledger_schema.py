"""The ledger's file: its tables, numbered migrations, and opening it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from types import MappingProxyType

from .errors import LedgerFailed
from .intents import ENDED_UNPAID, State

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
)
"""Applied in order; ``PRAGMA user_version`` counts those a file has. Never edited, only added."""


def open_database(path: Path) -> sqlite3.Connection:
    """Open the file and bring it up to date.

    Raises:
        LedgerFailed: it cannot be opened, is newer than this code, or is broken; a broken one is
            moved aside first, never deleted.
    """
    connection: sqlite3.Connection | None = None
    try:
        # Made by us first, so that SQLite's own files beside it get the same rights.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(
            path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        _migrate(connection, path)
    except (OSError, sqlite3.Error) as error:
        if connection is not None:
            connection.close()
        raise _failed(path, error) from None
    except LedgerFailed:
        if connection is not None:
            connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection, path)
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            for statement in script.split(";"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
        # Reads every table's root: a broken file shows itself here and not in the middle of a run.
        connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        connection.execute("SELECT id FROM requests ORDER BY id DESC LIMIT 1").fetchone()
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


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


def keep_aside(path: Path) -> Path:
    """Move a broken ledger and SQLite's files beside it to names that say when."""
    stamp = datetime.now(tz=timezone.utc).strftime("%Y%m%d-%H%M%S-%f")
    aside = path.with_name(f"{path.stem}.broken-{stamp}{path.suffix}")
    for ending in ("", "-wal", "-shm"):
        source = path.with_name(path.name + ending)
        if source.exists():
            source.replace(aside.with_name(aside.name + ending))
    return aside


def _failed(path: Path, error: OSError | sqlite3.Error) -> LedgerFailed:
    if is_broken(error):
        return LedgerFailed("ledger_broken", path=path, aside=keep_aside(path), reason=error)
    return LedgerFailed("ledger_unwritable", path=path, reason=error)
