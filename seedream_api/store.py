"""The bytes of paid images on disk, named by their content.

A file gets its name only when it is whole and on the disk: temporary file, fsync, atomic rename,
fsync of the folder. Equal images are one file.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .config import make_private_folder
from .errors import LedgerFailed
from .media_types import media_type_of

_ENDINGS = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/bmp": ".bmp",
    "image/tiff": ".tiff",
}


@dataclass(frozen=True)
class StoredFile:
    """A whole image file in the store."""

    path: Path
    sha256: str
    bytes: int
    media_type: str


class ImageStore:
    """The folder ``images`` of the home.

    Args:
        owner: the ledger's owner, under whose name files arrive.
    """

    def __init__(self, home: Path, owner: str = "") -> None:
        self.folder = home / "images"
        self._partials = self.folder / "partial"
        self._partial = self._partials / (owner or "nobody")

    def new_partial(self) -> Path:
        """A path for bytes that are still arriving.

        Raises:
            LedgerFailed: the folder cannot be made.
        """
        try:
            make_private_folder(self.folder)
            make_private_folder(self._partials)
            make_private_folder(self._partial)
        except OSError as error:
            raise self._unstorable(error) from None
        return self._partial / f"{uuid.uuid4().hex}.part"

    def keep(self, partial: Path, *, sha256: str, kind: str, size: int) -> StoredFile:
        """Give a whole, fsynced file its name.

        Args:
            kind: its media type.
            size: in bytes.

        Raises:
            LedgerFailed: it cannot be moved.
        """
        target = self.path_of(sha256, kind)
        try:
            make_private_folder(target.parent)
            if os.name == "posix":
                partial.chmod(0o600)
            _move(partial, target, size)
            _sync_folder(target.parent)
        except OSError as error:
            raise self._unstorable(error) from None
        return StoredFile(target, sha256, size, kind)

    def keep_answer(self, data: bytes) -> StoredFile:
        """Store an image that came inside an answer, whatever it is.

        Raises:
            LedgerFailed: the disk does not take it.
        """
        partial = self.new_partial()
        try:
            with partial.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise self._unstorable(error) from None
        digest = hashlib.sha256(data).hexdigest()
        kind = media_type_of(data) or ""
        return self.keep(partial, sha256=digest, kind=kind, size=len(data))

    def path_of(self, sha256: str, kind: str) -> Path:
        return self.folder / sha256[:2] / f"{sha256}{_ENDINGS.get(kind, '.bin')}"

    def sweep(self, is_alive: Callable[[str], bool]) -> None:
        """Remove what dead owners left half-written.

        Args:
            is_alive: whether the owner of this name still lives.
        """
        if self._partials.is_dir():
            for leftover in self._partials.iterdir():
                if leftover.is_dir() and not is_alive(leftover.name):
                    shutil.rmtree(leftover, ignore_errors=True)

    def files(self) -> Iterator[Path]:
        """Every whole file."""
        if self.folder.is_dir():
            for folder in self.folder.iterdir():
                if folder.is_dir() and folder != self._partials:
                    yield from folder.iterdir()

    def _unstorable(self, error: OSError) -> LedgerFailed:
        return LedgerFailed("image_unstorable", path=self.folder, reason=error.strerror or error)


def _move(partial: Path, target: Path, size: int) -> None:
    try:
        partial.replace(target)
    except PermissionError:
        # Windows replaces no file that is being read; but this name means this content.
        if not target.is_file() or target.stat().st_size != size:
            raise
        with contextlib.suppress(OSError):
            partial.unlink()


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # Windows has no such call; the rename itself is journalled there.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
