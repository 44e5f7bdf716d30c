"""The ledger as a SQLite file in the data folder, which processes of one machine share."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..config.paths import LEDGER_NAME, make_private_folder
from ..errors import LedgerFailed
from ..messages import Text, text_of
from . import schema
from .database import Database
from .owner_lock import OwnerLock, is_alive, remove_stale_locks


class SqliteDatabase(Database):
    """The open file of the ledger.

    Args:
        home: the data folder; created if missing, readable by its owner only.
        now: wall-clock seconds, which are recorded for people and decide nothing.

    Raises:
        LedgerFailed: the file cannot be opened, is newer than this code, or is broken (then it is
            quarantined).
    """

    outside_changes = "PRAGMA data_version"

    def __init__(self, home: Path, *, now: Callable[[], float] = time.time) -> None:
        super().__init__(home, home / LEDGER_NAME, now=now)
        self._owners = home / "owners"
        self._lock: OwnerLock | None = None
        self._failure: LedgerFailed | None = None
        try:
            make_private_folder(home)
            self._lock = OwnerLock(self._owners)
            remove_stale_locks(self._owners)
            self._connection, self._file_id = schema.open_database(self.path)
        except OSError as error:
            self._release_lock()
            raise self._unwritable(text_of(error)) from None
        except LedgerFailed:
            self._release_lock()
            raise

    @property
    def owner(self) -> str:
        """The name under which this process owns rows."""
        assert self._lock is not None, "the ledger is closed"  # noqa: S101 - a programming error
        return self._lock.name

    def is_owner_alive(self, name: str) -> bool:
        """Tell whether an open ledger of this data folder has the name."""
        return name == self.owner or is_alive(self._owners, name)

    @property
    def is_unusable(self) -> bool:
        """Whether the file is broken or gone; then only reopening the ledger helps."""
        return self._failure is not None

    def lock(self, *subjects: str) -> None:
        """Do nothing: one process at a time writes a file."""

    def lock_tables(self, tables: Sequence[str]) -> None:
        """Do nothing: one process at a time writes a file."""

    def continue_numbers(self, tables: Sequence[str]) -> None:
        """Do nothing: SQLite numbers a new row after the highest one."""

    def _disconnect(self) -> None:
        if self._lock is not None:
            self._connection.close()
        self._release_lock()

    def _release_lock(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @contextmanager
    def _read(self) -> Generator[None]:
        """Read one consistent state; a broken file is quarantined."""
        with self._checked(), self._transaction("BEGIN"):
            yield

    @contextmanager
    def _write(self, *, durable: bool) -> Generator[None]:
        """Make all changes of the block, or none; a broken file is quarantined."""
        with self._checked():
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            with self._transaction("BEGIN IMMEDIATE"):
                yield

    def execute(
        self, statement: str, values: Mapping[str, object] | Sequence[object] = ()
    ) -> sqlite3.Cursor:
        assert self._connection.in_transaction, "no transaction"  # noqa: S101 - a programming error
        return self._connection.execute(statement, values)

    def insert(self, statement: str, values: Mapping[str, object]) -> int:
        return self.execute(statement, values).lastrowid or 0

    @contextmanager
    def _checked(self) -> Generator[None]:
        """Refuse to use a file that is unusable, and turn SQLite's errors into ours."""
        self._check_process()
        if self._failure is not None:
            raise LedgerFailed(self._failure.key, **self._failure.values)
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            if not schema.is_broken(error):
                raise schema.to_ledger_error(self.path, self._file_id, error) from None
            self._connection.close()
            self._failure = schema.to_ledger_error(self.path, self._file_id, error)
            raise self._failure from None

    @contextmanager
    def _transaction(self, begin: str) -> Generator[None]:
        self._connection.execute(begin)
        try:
            self._check_file()
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            schema.roll_back(self._connection)
            raise

    def _check_file(self) -> None:
        """Refuse a deleted file: what is written into it is lost when this process ends."""
        if schema.file_id(self.path) != self._file_id:
            self._failure = self._unwritable(Text("moved_in_use"))
            raise self._failure

    def _unwritable(self, reason: object) -> LedgerFailed:
        return LedgerFailed("ledger_unwritable", path=self.path, reason=reason)
