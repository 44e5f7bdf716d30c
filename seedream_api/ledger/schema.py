"""Open the ledger's file, migrate it, and quarantine a broken one."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from ..errors import LedgerFailed
from ..messages import Text, text_of
from .cells import text_or_bytes
from .migrations import MIGRATIONS

BUSY_S = 30.0
"""How long a transaction waits for one of another process; each takes milliseconds."""
CREATION_S = 2.0
"""How long a file that another process creates may stay empty."""

_LOG_HEADS = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")

INTEGRITY_PROBES = (
    "SELECT id FROM requests ORDER BY id DESC LIMIT 1",
    "SELECT bytes FROM images NOT INDEXED LIMIT 1",
    "SELECT position FROM images ORDER BY request DESC LIMIT 1",
    "SELECT asked FROM requests WHERE sent_at IS NOT NULL ORDER BY sent_at DESC LIMIT 1",
)
"""Reads of the roots of every table and index that a response is written to: a broken file is found
when it is opened, and not after something was paid for."""

FileId = tuple[int, int]
"""Device and inode: they identify a file whatever its name."""


def open_database(path: Path) -> tuple[sqlite3.Connection, FileId | None]:
    """Open the file, migrate it, and get its ID.

    Raises:
        LedgerFailed: it cannot be opened, is newer than this code, or is broken; a broken file is
            quarantined, never deleted.
    """
    connection: sqlite3.Connection | None = None
    opened: FileId | None = None
    try:
        is_new = _create_file(path)
        opened = file_id(path)
        check_log(path)
        if not is_new:
            _check_size(path)
        connection = sqlite3.connect(
            path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        connection.text_factory = text_or_bytes
        _enable_wal(connection)
        _migrate(connection, path)
    except (OSError, sqlite3.Error) as error:
        if connection is not None:
            connection.close()
        raise to_ledger_error(path, opened, error) from None
    except LedgerFailed:
        if connection is not None:
            connection.close()
        raise
    return connection, opened


def _create_file(path: Path) -> bool:
    """Create the file unless it exists, so that SQLite's files beside it get the same mode.

    An existing file is not opened: when a process closes a file, POSIX drops all locks that the
    process holds on it. Without the locks of another ledger of this process, the next process that
    closes the ledger takes itself for the last one and removes the log in use.

    Returns:
        Whether the file was missing.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        return True
    return False


def _check_size(path: Path) -> None:
    """Refuse an empty file that held a ledger before.

    SQLite takes an empty file for a new database and deletes the log beside it. A full disk, an
    interrupted copy or a synchronised folder may leave one.

    Raises:
        LedgerFailed: the file is empty, but its log or stored images exist.
    """
    log = path.with_name(f"{path.name}-wal")
    ends = time.monotonic() + CREATION_S
    while path.stat().st_size == 0:
        if not (_size_of(log) or any((path.parent / "images").glob("[0-9a-f][0-9a-f]/*"))):
            return
        if time.monotonic() > ends:
            raise LedgerFailed("ledger_emptied", path=path)
        time.sleep(0.01)


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _enable_wal(connection: sqlite3.Connection) -> None:
    """Switch a new file to a write-ahead log; SQLite does not wait for other processes here."""
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


def check_log(path: Path) -> None:
    """Refuse a damaged log, which SQLite takes for an empty one, losing the last writes.

    Raises:
        LedgerFailed: the log does not start as SQLite's do; it is left as it is.
    """
    log = path.with_name(f"{path.name}-wal")
    if log.exists():
        with log.open("rb") as file:
            head = file.read(len(_LOG_HEADS[0]))
        # A power failure may leave an empty or zeroed log, which holds no durable write.
        if head.strip(b"\0") and head not in _LOG_HEADS:
            raise LedgerFailed("ledger_log_damaged", path=log)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection, path)
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            for statement in _statements(script):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
        for probe in INTEGRITY_PROBES:
            connection.execute(probe).fetchone()
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise


def _statements(script: str) -> Iterator[str]:
    """Split a script into statements; triggers contain semicolons."""
    statement = ""
    for part in script.split(";"):
        statement += f"{part};"
        if sqlite3.complete_statement(statement):
            if statement.strip("; \n"):
                yield statement
            statement = ""


def roll_back(connection: sqlite3.Connection) -> None:
    """Roll back, unless SQLite has done so, as on a full disk."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def file_id(path: Path) -> FileId | None:
    """Identify the file at ``path``; ``None`` where there is none."""
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


_BROKEN = (11, 26)
"""``SQLITE_CORRUPT`` and ``SQLITE_NOTADB``."""
_BROKEN_WORDS = ("database disk image is malformed", "file is not a database")


def is_broken(error: BaseException) -> bool:
    """Tell whether SQLite reports damage, rather than a file that is busy or out of reach."""
    if not isinstance(error, sqlite3.DatabaseError):
        return False
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _BROKEN
    if sys.version_info >= (3, 11):
        return False
    # Python 3.10 gives no error code.
    text = str(error)
    return text in _BROKEN_WORDS or text.startswith("malformed database schema (")


def quarantine(path: Path, broken: FileId | None) -> Path:
    """Rename a broken ledger, with SQLite's files beside it, to names with the time.

    Args:
        broken: the ID of the broken file; a new file of another process stays.
    """
    stamp = datetime.now(tz=timezone.utc).strftime("%Y%m%d-%H%M%S-%f")
    aside = path.with_name(f"{path.stem}.broken-{stamp}{path.suffix}")
    if file_id(path) != broken:
        return aside.with_name(f"{path.stem}.broken-*{path.suffix}")
    for ending in ("", "-wal", "-shm"):
        source = path.with_name(path.name + ending)
        if source.exists():
            source.replace(aside.with_name(aside.name + ending))
    return aside


def to_ledger_error(
    path: Path, opened: FileId | None, error: OSError | sqlite3.Error
) -> LedgerFailed:
    """Convert an error; quarantine a broken file, which this process must have closed."""
    reason = text_of(error)
    if is_broken(error):
        try:
            aside = quarantine(path, opened)
            return LedgerFailed("ledger_broken", path=path, aside=aside, reason=reason)
        except OSError as failed:
            reason = Text("not_renamed", reason=reason, other=text_of(failed))
    return LedgerFailed("ledger_unwritable", path=path, reason=reason)
