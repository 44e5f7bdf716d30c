"""The ledger's file: opening it, bringing it up to date, and what is done about a broken one."""

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
from ..messages import Text
from .cells import text_or_bytes
from .migrations import MIGRATIONS

BUSY_S = 30.0
"""How long a transaction waits for another process's; each takes milliseconds."""
MAKING_S = 2.0
"""How long a file may stay empty that another process is just making."""

_LOG_HEADS = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")

INTEGRITY_PROBES = (
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
        is_new = _make(path)
        place = file_id(path)
        _check_log(path)
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
        raise failed(path, place, error) from None
    except LedgerFailed:
        if connection is not None:
            connection.close()
        raise
    return connection, place


def _make(path: Path) -> bool:
    """Make the file by ourselves, so that SQLite's own files beside it get the same rights.

    Tells whether it was missing.

    One that exists is not opened: POSIX takes a process's locks on a file away when the process
    closes it anywhere. With those of another ledger of this process gone, any other process that
    closes the record takes itself for the last, and removes the log that this one writes into.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        return True
    return False


def _check_size(path: Path) -> None:
    """SQLite takes an empty file for a new database, and deletes the log beside it.

    A full disk, a torn copy or a synchronised folder may leave one where there was a record.

    Raises:
        LedgerFailed: the file is empty, and what lies beside it says that it was not.
    """
    log = path.with_name(f"{path.name}-wal")
    ends = time.monotonic() + MAKING_S
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
        LedgerFailed: the log is not one of SQLite's; it is left as it is.
    """
    log = path.with_name(f"{path.name}-wal")
    if log.exists():
        with log.open("rb") as file:
            head = file.read(len(_LOG_HEADS[0]))
        # Empty, or zeros, is what a power failure leaves of a log that nobody relied on yet.
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
        for look in INTEGRITY_PROBES:
            connection.execute(look).fetchone()
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise


def _statements(script: str) -> Iterator[str]:
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


def file_id(path: Path) -> Place | None:
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


_BROKEN = (11, 26)
"""``SQLITE_CORRUPT`` and ``SQLITE_NOTADB``."""
_BROKEN_WORDS = ("database disk image is malformed", "file is not a database")


def is_broken(error: BaseException) -> bool:
    """Whether SQLite itself says that the file is damaged, not that it is busy or out of reach."""
    if not isinstance(error, sqlite3.DatabaseError):
        return False
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _BROKEN
    if sys.version_info >= (3, 11):
        return False
    # Python 3.10 does not tell the code.
    text = str(error)
    return text in _BROKEN_WORDS or text.startswith("malformed database schema (")


def quarantine(path: Path, place: Place | None) -> Path:
    """Move a broken ledger and SQLite's files beside it to names that say when.

    Args:
        place: of the broken file; what another process has begun in its stead meanwhile stays.
    """
    stamp = datetime.now(tz=timezone.utc).strftime("%Y%m%d-%H%M%S-%f")
    aside = path.with_name(f"{path.stem}.broken-{stamp}{path.suffix}")
    if file_id(path) != place:
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
            aside = quarantine(path, place)
            return LedgerFailed("ledger_broken", path=path, aside=aside, reason=error)
        except OSError as kept:
            reason = Text("not_renamed", reason=error, other=kept.strerror or kept)
    elif isinstance(error, OSError):
        reason = error.strerror or error
    return LedgerFailed("ledger_unwritable", path=path, reason=reason)
