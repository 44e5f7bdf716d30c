"""Keep the image store within its limit by removing delivered images, oldest first.

Rows stay: the images of a pruned row are fetched again by link or by task, never paid for again
without a decision of the user. With a bucket, only files that it holds are removed, and they are
read from it again; nothing is ever removed from the bucket.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..config.paths import has_ledger
from .database import Database
from .image_store import ImageStore
from .queries import list_stored_files
from .shared_files import list_shared
from .transitions import mark_pruned

IN_USE_S = 600.0
"""A running workflow may still read an image that was delivered so recently."""
ORPHAN_S = 3600.0
"""A newer file without a row may be about to get one."""


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
    shared = list_shared(database) if database.bucket else None
    total = sum(file.bytes for file in files)
    removed, freed = 0, 0
    for file in files:
        if file.delivered_at is None or (shared is not None and file.sha256 not in shared):
            continue
        # A time in the future comes from a clock that was wrong.
        age_s = abs(now - file.delivered_at)
        if age_s < IN_USE_S:
            continue
        is_old = older_than_s is not None and age_s > older_than_s
        if total - freed <= keep_bytes and not is_old:
            continue
        # The file first: a row without one is fetched again, a file without a row wastes space.
        if not _remove(file.path):
            continue
        mark_pruned(database, file.sha256)
        removed, freed = removed + 1, freed + file.bytes
    if not _has_other_ledger(database, store):
        remove_orphans(store, (file.path for file in files), now)
    return Pruned(removed, freed)


def _has_other_ledger(database: Database, store: ImageStore) -> bool:
    """Tell whether a file without a row in this ledger may have one in another."""
    has_file = database.is_shared and has_ledger(database.home)
    return has_file or store.has_files_of_others(database.name)


def remove_orphans(store: ImageStore, known: Iterable[Path], now: float) -> None:
    """Remove complete files that a crash left without a row in the only ledger of the folder."""
    expected = set(known)
    for path in store.files():
        if path not in expected and _age_s(path, now) > ORPHAN_S:
            _remove(path)


def _age_s(path: Path, now: float) -> float:
    """Get the seconds since a file was written, also if dated ahead; 0 where it is gone."""
    try:
        return abs(now - path.stat().st_mtime)
    except OSError:
        return 0.0


def _remove(path: Path) -> bool:
    """Remove a file; tell whether it is gone. Windows keeps a file that is being read."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True
