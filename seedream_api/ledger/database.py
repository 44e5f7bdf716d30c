"""The open file of the ledger: its transactions, its thread, and the lock of its owner."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from ..config.settings import make_private_folder
from ..errors import LedgerFailed
from ..messages import Text
from . import schema
from .owner_lock import OwnerLock, is_alive, remove_stale_locks

T = TypeVar("T")


class LedgerDatabase:
    """What every use of the ledger's file shares; :class:`~.ledger.Ledger` is the whole."""

    def __init__(self, home: Path, *, now: Callable[[], float] = time.time) -> None:
        self.home = home
        self.path = home / "ledger.sqlite"
        self.now = now
        self._owners = home / "owners"
        self._pid = os.getpid()
        self.hidden: dict[int, tuple[str, ...]] = {}
        """By row of ours, the texts of its request that must not be written down."""
        self._lock: OwnerLock | None = None
        self._lost: LedgerFailed | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="seedream-ledger")
        try:
            make_private_folder(home)
            self._lock = OwnerLock(self._owners)
            remove_stale_locks(self._owners)
            self._connection, self._place = schema.open_database(self.path)
        except OSError as error:
            self._let_go()
            raise self._unwritable(error.strerror or error) from None
        except LedgerFailed:
            self._let_go()
            raise

    @property
    def owner(self) -> str:
        """The name under which this ledger owns rows."""
        assert self._lock is not None, "the ledger is closed"  # noqa: S101 - a programming error
        return self._lock.name

    def is_owner_alive(self, name: str) -> bool:
        """Whether an open ledger of this home goes by ``name``."""
        return name == self.owner or is_alive(self._owners, name)

    @property
    def is_unusable(self) -> bool:
        """Whether the file was found broken, or gone: only a ledger opened anew goes on."""
        return self._lost is not None

    def close(self) -> None:
        """Let go of every row and close the file; safe to call twice.

        In a forked child it does nothing: the file, its thread and the lock are its parent's.
        """
        if self._is_in_child:
            return
        self._thread.shutdown(wait=True)
        if self._lock is not None:
            self._connection.close()
        self._let_go()

    @property
    def _is_in_child(self) -> bool:
        return os.getpid() != self._pid

    def _check_process(self) -> None:
        """SQLite's files do not work across a fork, and the thread runs in the parent only."""
        if self._is_in_child:
            raise LedgerFailed("ledger_forked", path=self.path)

    def _let_go(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    async def run(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run one of the methods, or a function of them, on the ledger's own thread."""
        self._check_process()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: call(*args, **kwargs))

    @contextmanager
    def transaction(self, *, lasting: bool = True) -> Generator[sqlite3.Connection]:
        """All or nothing of what is done inside; on the ledger's own thread only.

        Args:
            lasting: whether it must outlast a power failure from now on, which costs a wait for the
                disk. What need not comes to the disk with the next that must, in order. A killed
                process loses neither.

        Raises:
            LedgerFailed: it could not be done, or the file is broken (then it is kept aside).
        """
        self._check_process()
        db = self._connection
        if self._lost is not None:
            raise LedgerFailed(self._lost.key, **self._lost.values)
        try:
            db.execute(f"PRAGMA synchronous = {'FULL' if lasting else 'NORMAL'}")
            db.execute("BEGIN IMMEDIATE")
            try:
                self._check_place()
                yield db
                db.execute("COMMIT")
            except BaseException:
                schema.roll_back(db)
                raise
        except (OSError, sqlite3.Error) as error:
            if schema.is_broken(error):
                db.close()
                self._lost = schema.failed(self.path, self._place, error)
                raise self._lost from None
            raise schema.failed(self.path, self._place, error) from None

    def _check_place(self) -> None:
        """What is written into a deleted file is lost as soon as this process ends."""
        if schema.file_id(self.path) != self._place:
            self._lost = self._unwritable(Text("moved_in_use"))
            raise self._lost

    def _unwritable(self, reason: object) -> LedgerFailed:
        return LedgerFailed("ledger_unwritable", path=self.path, reason=reason)
