"""What every operation of the ledger uses: transactions on one thread, and the owner of rows.

A ledger is a SQLite file in the data folder (``sqlite_database.py``) or a PostgreSQL database that
several machines share (``postgres_database.py``). Both run the statements of ``statements.py``.
"""

from __future__ import annotations

import asyncio
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from ..config.paths import LEDGER_NAME
from ..errors import LedgerFailed
from . import statements
from .cells import file_in
from .states import State

P = ParamSpec("P")
T = TypeVar("T")


class Cursor(Protocol):
    """The rows that a statement found."""

    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Database(ABC):
    """An open ledger.

    Args:
        home: the data folder.
        place: the file, or the address without a password, for messages.
        now: wall-clock seconds, which are recorded for people and decide nothing.
    """

    is_shared = False
    """Whether processes with other data folders use the ledger too: a file that a row names may be
    on another machine."""
    name = ""
    """Distinguishes a shared ledger from others that store files in the same data folder; empty for
    the file in it."""
    bucket = ""
    """Where the bucket of ``SEEDREAM_STORE`` is, which holds stored files too; empty: nowhere."""
    for_update = ""
    """What makes SELECT lock its rows until the transaction ends."""
    outside_changes: str
    """A statement that gives a number, ``data_version``, which changes when another process
    changes the ledger."""

    def __init__(self, home: Path, place: object, *, now: Callable[[], float] = time.time) -> None:
        self.home = home
        self.path: Path = home / LEDGER_NAME
        self.place = place
        self.now = now
        self.hidden: dict[int, tuple[str, ...]] = {}
        """For each claimed row, the texts of its request that must not be stored."""
        self.unreleased: set[int] = set()
        """Rows of this owner whose release failed, and which nothing works on."""
        self.claimed: set[int] = set()
        """Rows that the open transaction gives to this owner. If it fails, the server may have made
        the changes all the same, and nothing would work on rows that have a live owner."""
        self.unconfirmed: set[tuple[int, State, str | None]] = set()
        """Changes of rows (state and task ID) that failed, and that may have been made."""
        self._pid = os.getpid()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="seedream-ledger")

    @property
    @abstractmethod
    def owner(self) -> str:
        """The name under which this process owns rows."""

    @property
    def is_unusable(self) -> bool:
        """Whether only reopening the ledger helps."""
        return False

    @abstractmethod
    def is_owner_alive(self, name: str) -> bool:
        """Tell whether an open ledger has the name."""

    @contextmanager
    def read(self) -> Generator[None]:
        """Read one consistent state in the block; other processes may write at the same time.

        Raises:
            LedgerFailed: the ledger cannot be read.
        """
        with suppress(LedgerFailed):  # a full disk can be read
            self._release_unreleased()
        with self._read():
            yield

    @contextmanager
    def write(self, *, durable: bool) -> Generator[None]:
        """Make all changes of the block, or none.

        Args:
            durable: whether the changes must survive a power failure, which costs a wait for the
                disk. Other changes reach the disk with the next durable ones, in order. A killed
                process loses neither.

        Raises:
            LedgerFailed: the changes were not made.
        """
        # Before the block, which may claim the same row again.
        self._release_unreleased()
        self.claimed.clear()
        try:
            with self._write(durable=durable):
                yield
        except LedgerFailed:
            self.unreleased |= self.claimed
            raise

    def _release_unreleased(self) -> None:
        rows = tuple(self.unreleased)
        if not rows:
            return
        with self._write(durable=False):
            for row_id in rows:
                self.execute(statements.RELEASE, {"id": row_id, "owner": self.owner})
        self.unreleased.difference_update(rows)

    @abstractmethod
    def _read(self) -> AbstractContextManager[None]:
        """Begin a transaction that reads, and end it."""

    @abstractmethod
    def _write(self, *, durable: bool) -> AbstractContextManager[None]:
        """Begin a transaction that writes, and commit it or roll it back."""

    @abstractmethod
    def execute(
        self, statement: str, values: Mapping[str, object] | Sequence[object] = ()
    ) -> Cursor:
        """Run a statement in the open transaction, on the ledger's own thread."""

    @abstractmethod
    def insert(self, statement: str, values: Mapping[str, object]) -> int:
        """Insert a row in the open transaction and get its ``id``."""

    @abstractmethod
    def lock(self, *subjects: str) -> None:
        """Let no other process that locks one of these subjects run until the transaction ends.

        It is for what no lock of a row protects, such as a row that does not exist yet.
        """

    @abstractmethod
    def lock_tables(self, tables: Sequence[str]) -> None:
        """Let no other process write until the transaction ends."""

    def to_cells(self, values: Mapping[str, object]) -> dict[str, object]:
        """Convert the cells of another ledger's row to what this one stores."""
        return dict(values)

    @abstractmethod
    def continue_numbers(self, tables: Sequence[str]) -> None:
        """Give new rows higher numbers than the copied ones have."""

    @property
    def has_remote_files(self) -> bool:
        """Whether a file that a row names may be on another machine, or in the bucket alone.

        Then rows keep the names of files that leave this data folder.
        """
        return self.is_shared or bool(self.bucket)

    def find_file(self, name: object) -> Path | None:
        """Get the path of a stored file; ``None`` for an invalid name.

        Where files may be elsewhere, also for a file that this machine does not have.
        """
        path = file_in(self.home, name)
        return None if path is not None and self.has_remote_files and not path.is_file() else path

    def close(self) -> None:
        """Close the ledger and release every row; a second call does nothing.

        Nor does a call in a forked child: connection, thread and lock are the parent's.
        """
        if self._is_in_child:
            return
        self._thread.shutdown(wait=True)
        self._disconnect()

    @abstractmethod
    def _disconnect(self) -> None:
        """Close the connection, then release the owner's lock."""

    async def run(
        self, call: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call a function of this database on the ledger's own thread."""
        self._check_process()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, partial(call, self, *args, **kwargs))

    @property
    def _is_in_child(self) -> bool:
        return os.getpid() != self._pid

    def _check_process(self) -> None:
        """Refuse a forked child: connection and thread are the parent's."""
        if self._is_in_child:
            raise LedgerFailed("ledger_forked", path=self.place)
