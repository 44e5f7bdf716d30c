"""Tell which processes are alive by OS locks, never by a process ID or a clock.

The system releases a lock when its process ends, however it ends, so a lock that can be taken has
no live owner.
"""

from __future__ import annotations

import contextlib
import os
import uuid
import weakref
from pathlib import Path

if os.name == "nt":  # pragma: no cover - the other branch on the other system
    import msvcrt

    def try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class OwnerLock:
    """The lock of one open ledger, whose name is the owner of its rows.

    Raises:
        OSError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._descriptor: int | None = None
        _made.add(self)  # before it is locked: another thread may fork at any moment
        # Another process may remove the file before it is locked: then take another name.
        while True:
            self.name: str = uuid.uuid4().hex
            self._path = folder / f"{self.name}.lock"
            self._descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
            if try_lock(self._descriptor) and self._path.exists():
                return
            self._close()

    def release(self) -> None:
        """Release the lock; the owner counts as dead from now on."""
        if self._close():
            # Windows keeps a file that another process has open; that process removes it.
            with contextlib.suppress(OSError):
                self._path.unlink()

    def close_in_child(self) -> None:
        """Close the inherited lock, with which a forked child would keep its dead parent alive."""
        self._close()

    def _close(self) -> bool:
        """Close the file; tell whether it was open."""
        if self._descriptor is None:
            return False
        # Another thread may fork in between; the child must not close the same number twice.
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
    """Tell whether the owner still holds its lock; remove the file of a dead one."""
    path = folder / f"{name}.lock"
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        if not try_lock(descriptor):
            return True
        # Removed under the lock, so that its creator cannot lock a removed file. Windows refuses to
        # remove an open file, which is as safe.
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
