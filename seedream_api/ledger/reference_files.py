"""Copies of reference images by content, with which the inputs of a job can be restored.

A copy is used again whenever its image is. Pruning removes copies before any result.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from . import statements
from .cells import Row
from .database import Database
from .image_store import StoredFile


@dataclass(frozen=True)
class ReferenceFile:
    """The copy of a reference image in the store.

    Args:
        content: ``PictureReference.identity``.
        width, height: in pixels.
    """

    content: str
    path: Path
    sha256: str
    media_type: str
    width: int
    height: int

    @property
    def has_same_pixels(self) -> bool:
        """Whether the content is identified by its pixels, which decoding the copy returns."""
        return self.content != f"sha256:{self.sha256}"


def note_reference_use(database: Database, contents: Iterable[str]) -> frozenset[str]:
    """Note that references are used now; return those whose copies the store has."""
    with database.write(durable=False):
        database.lock("references")
        found = [file for one in contents if (file := _find(database, one)) is not None]
        kept = frozenset(file.content for file in found if file.path.is_file())
        for content in kept:
            values = {"content": content, "now": database.now()}
            database.execute(statements.NOTE_REFERENCE_USE, values)
    return kept


def record_reference_file(
    database: Database, content: str, file: StoredFile, size: tuple[int, int]
) -> None:
    """Record that the copy of a reference image is complete and on disk.

    Args:
        size: width and height in pixels.
    """
    name = file.path.relative_to(database.home).as_posix()
    width, height = size
    values = {"content": content, "width": width, "height": height, "now": database.now()}
    with database.write(durable=False):
        database.execute(statements.SAVE_REFERENCE_FILE, {**vars(file), **values, "file": name})


def find_reference_file(database: Database, content: str) -> ReferenceFile | None:
    """Find the copy of a reference image in an open transaction; ``None`` if it is lost."""
    found = _find(database, content)
    return found if found is not None and found.path.is_file() else None


def _find(database: Database, content: str) -> ReferenceFile | None:
    found = database.execute(statements.REFERENCE_FILE, {"content": content}).fetchone()
    if found is None:
        return None
    path = database.find_file(found["file"])
    return None if path is None else _parse(found, path)


def _parse(found: Row, path: Path) -> ReferenceFile:
    return ReferenceFile(
        found["content"],
        path,
        found["sha256"],
        found["media_type"],
        found["width"],
        found["height"],
    )
