"""Who is alive: an OS lock held for the life of a process, never a pid or a clock.

The system lets go of the lock when the process ends, however it ends; so a lock that can be taken
belongs to nobody who lives.
"""

from __future__ import annotations

import contextlib
import os
import uuid
import weakref
from pathlib import Path

if os.name == "nt":  # pragma: no cover - the other branch on the other system
    import msvcrt

    def _take(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _take(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class OwnerLock:
    """The lock of one open ledger; its name stands in the rows that the ledger works on.

    Raises:
        OSError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._descriptor: int | None = None
        _made.add(self)  # before it is locked: another thread may fork at any moment
        # A sweep may catch the file between its making and its locking: then take another name.
        while True:
            self.name = uuid.uuid4().hex
            self._path = folder / f"{self.name}.lock"
            self._descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
            if _take(self._descriptor) and self._path.exists():
                return
            self._close()

    def release(self) -> None:
        """Let go; the owner counts as dead from now on."""
        if self._close():
            # On Windows another process may just be looking at it; whoever finds it removes it.
            with contextlib.suppress(OSError):
                self._path.unlink()

    def close_in_child(self) -> None:
        """A forked child inherits the open lock and would keep its dead parent alive."""
        self._close()

    def _close(self) -> bool:
        """Whether it was open until now."""
        if self._descriptor is None:
            return False
        # Another thread may fork between the two: the child must not close a number again that
        # may belong to another file by then.
        descriptor, self._descriptor = self._descriptor, None
        os.close(descriptor)
        return True


_made: weakref.WeakSet[OwnerLock] = weakref.WeakSet()


def _close_all_in_child() -> None:
    for lock in list(_made):
        lock.close_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_all_in_child)


def is_alive(folder: Path, name: str) -> bool:
    """Whether the owner called ``name`` still holds its lock. A dead owner's file is removed."""
    path = folder / f"{name}.lock"
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        if not _take(descriptor):
            return True
        # Under the lock, lest its maker lock it just before it goes. Windows refuses that as long
        # as anybody has the file open, which is as safe.
        with contextlib.suppress(OSError):
            path.unlink()
    finally:
        os.close(descriptor)
    with contextlib.suppress(OSError):
        path.unlink()
    return False


def remove_stale_locks(folder: Path) -> None:
    """Remove the lock files of dead owners."""
    for path in folder.glob("*.lock"):
        is_alive(folder, path.stem)
