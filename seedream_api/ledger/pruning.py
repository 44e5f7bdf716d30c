"""Keeps the image store within its bound: delivered images go, oldest first; nothing else does.

A row whose images are gone stays: the same inputs are then fetched again by link or by task, never
paid for again by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .database import Database
from .image_store import ImageStore
from .queries import list_stored_files
from .transitions import mark_pruned

IN_USE_S = 600.0
"""An image that was delivered so recently may still be read by a running graph."""
ORPHAN_S = 3600.0
"""A whole file without a row may just be about to get one."""


@dataclass(frozen=True)
class Pruned:
    """What was removed."""

    images: int
    bytes: int


def prune(
    database: Database,
    store: ImageStore,
    *,
    keep_bytes: int,
    older_than_s: float | None = None,
) -> Pruned:
    """Remove delivered images until at most ``keep_bytes`` are left.

    Args:
        older_than_s: also remove all that were delivered longer ago than this.
    """
    now = database.now()
    files = list_stored_files(database)
    total = sum(file.bytes for file in files)
    removed, freed = 0, 0
    for file in files:
        if file.delivered_at is None:
            continue
        # A moment that lies ahead was noted by a clock that was wrong: it is no less long ago.
        age_s = abs(now - file.delivered_at)
        if age_s < IN_USE_S:
            continue
        is_old = older_than_s is not None and age_s > older_than_s
        if total - freed <= keep_bytes and not is_old:
            continue
        # The file first: a row without its file is fetched again, a file without a row is lost.
        if not _remove(file.path):
            continue
        mark_pruned(database, file.sha256)
        removed, freed = removed + 1, freed + file.bytes
    remove_orphans(store, (file.path for file in files), now)
    return Pruned(removed, freed)


def remove_orphans(store: ImageStore, known: Iterable[Path], now: float) -> None:
    """Remove whole files that a crash left without a row."""
    expected = set(known)
    for path in store.files():
        if path not in expected and _age_s(path, now) > ORPHAN_S:
            _remove(path)


def _age_s(path: Path, now: float) -> float:
    """Seconds between its writing and now, also where a wrong clock dated it ahead; 0 for what
    another process has removed by now."""
    try:
        return abs(now - path.stat().st_mtime)
    except OSError:
        return 0.0


def _remove(path: Path) -> bool:
    """Whether the file is gone. Windows keeps one that somebody is reading: the next time, then."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True
