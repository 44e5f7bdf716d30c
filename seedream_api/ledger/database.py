"""The open file of the ledger: transactions, its one thread, and the owner's lock."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from ..config.settings import make_private_folder
from ..errors import LedgerFailed
from ..messages import Text, text_of
from . import schema
from .owner_lock import OwnerLock, is_alive, remove_stale_locks

P = ParamSpec("P")
T = TypeVar("T")


class Database:
    """The open file of the ledger.

    Args:
        home: the data folder; created if missing, readable by its owner only.
        now: wall-clock seconds, which are recorded for people and decide nothing.

    Raises:
        LedgerFailed: the file cannot be opened, is newer than this code, or is broken (then it is
            quarantined).
    """

    def __init__(self, home: Path, *, now: Callable[[], float] = time.time) -> None:
        self.home = home
        self.path: Path = home / "ledger.sqlite"
        self.now = now
        self._owners = home / "owners"
        self._pid = os.getpid()
        self.hidden: dict[int, tuple[str, ...]] = {}
        """For each claimed row, the texts of its request that must not be stored."""
        self._lock: OwnerLock | None = None
        self._failure: LedgerFailed | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="seedream-ledger")
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

    def close(self) -> None:
        """Close the file and release every row; a second call does nothing.

        Nor does a call in a forked child: the file, its thread and the lock are the parent's.
        """
        if self._is_in_child:
            return
        self._thread.shutdown(wait=True)
        if self._lock is not None:
            self._connection.close()
        self._release_lock()

    @property
    def _is_in_child(self) -> bool:
        return os.getpid() != self._pid

    def _check_process(self) -> None:
        """Refuse a forked child: SQLite does not support forks, and the thread is the parent's."""
        if self._is_in_child:
            raise LedgerFailed("ledger_forked", path=self.path)

    def _release_lock(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    async def run(
        self, call: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call a function of this database on the ledger's own thread."""
        self._check_process()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, partial(call, self, *args, **kwargs))

    @contextmanager
    def read(self) -> Generator[None]:
        """Read one consistent state in the block; other processes may write at the same time.

        Raises:
            LedgerFailed: the file cannot be read, or is broken (then it is quarantined).
        """
        with self._checked(), self._transaction("BEGIN"):
            yield

    @contextmanager
    def write(self, *, durable: bool) -> Generator[None]:
        """Make all changes of the block, or none.

        Args:
            durable: whether the changes must survive a power failure, which costs a wait for the
                disk. Other changes reach the disk with the next durable ones, in order. A killed
                process loses neither.

        Raises:
            LedgerFailed: the changes were not made, or the file is broken (then it is quarantined).
        """
        with self._checked():
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            with self._transaction("BEGIN IMMEDIATE"):
                yield

    def execute(
        self, statement: str, values: Mapping[str, object] | Sequence[object] = ()
    ) -> sqlite3.Cursor:
        """Run a statement in the open transaction, on the ledger's own thread."""
        assert self._connection.in_transaction, "no transaction"  # noqa: S101 - a programming error
        return self._connection.execute(statement, values)

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
