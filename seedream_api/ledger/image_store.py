"""The bytes of paid images on disk, named by their content.

A file gets its name only when it is whole and on the disk: temporary file, fsync, atomic rename,
fsync of the folder. Equal images are one file.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..config.settings import make_private_folder
from ..downloads.partial_file import open_private
from ..errors import LedgerFailed
from ..images.media_types import media_type_of, suffix_of

if TYPE_CHECKING:
    from .records import ImageRecord

_NO_FOLDER_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF})
"""How file systems of other makers (CIFS, FUSE) answer when a folder is to be synced."""
_HASHED_BYTES = 1024 * 1024


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
        self._damaged = self.folder / "damaged"

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

    def add(self, partial: Path, *, sha256: str, kind: str, size: int) -> StoredFile:
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
            _move(partial, target, size)
            _sync_folder(target.parent)
        except OSError as error:
            raise self._unstorable(error) from None
        return StoredFile(target, sha256, size, kind)

    def add_bytes(self, data: bytes) -> StoredFile:
        """Store an image that came inside an answer, whatever it is.

        Raises:
            LedgerFailed: the disk does not take it.
        """
        partial = self.new_partial()
        try:
            with open_private(partial) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise self._unstorable(error) from None
        digest = hashlib.sha256(data).hexdigest()
        kind = media_type_of(data) or ""
        return self.add(partial, sha256=digest, kind=kind, size=len(data))

    def is_intact(self, image: ImageRecord) -> bool:
        """Whether an image's file is here and holds the bytes that were stored; blocks.

        The hash is compared and no pixel is decoded: a file that was readable when it was stored
        is readable as long as it has the same bytes. One that was not is only good enough where
        there is no link to fetch it by.
        """
        if image.file is None or (image.url is not None and not image.width):
            return False
        try:
            if image.file.stat().st_size != image.bytes:
                return False
            return image.sha256 in (None, _digest(image.file))
        except OSError:
            return False

    def set_aside(self, path: Path) -> None:
        """Take a file that was changed out of its place without deleting it: a person may have
        edited it on purpose."""
        with contextlib.suppress(OSError):
            if path.is_file() and path.stat().st_size == 0:
                path.unlink()
                return
            make_private_folder(self._damaged)
            path.replace(self._damaged / f"{uuid.uuid4().hex[:8]}-{path.name}")

    def keep_unreadable(self, partial: Path, sha256: str, kind: str) -> Path:
        """Keep the bytes of a paid image that cannot be decoded, for a person to look at.

        Raises:
            LedgerFailed: they cannot be moved.
        """
        target = self._damaged / self.path_of(sha256, kind).name
        try:
            make_private_folder(self._damaged)
            _move(partial, target, partial.stat().st_size)
        except OSError as error:
            raise self._unstorable(error) from None
        return target

    def path_of(self, sha256: str, kind: str) -> Path:
        return self.folder / sha256[:2] / f"{sha256}{suffix_of(kind)}"

    def sweep(self, is_alive: Callable[[str], bool]) -> None:
        """Remove what dead owners left half-written.

        Args:
            is_alive: whether the owner of this name still lives.
        """
        for leftover in _entries(self._partials):
            if leftover.is_dir() and not is_alive(leftover.name):
                shutil.rmtree(leftover, ignore_errors=True)

    def files(self) -> Iterator[Path]:
        """Every whole file."""
        for folder in _entries(self.folder):
            if folder.is_dir() and folder not in (self._partials, self._damaged):
                yield from _entries(folder)

    def _unstorable(self, error: OSError) -> LedgerFailed:
        return LedgerFailed("image_unstorable", path=self.folder, reason=error.strerror or error)


def _digest(path: Path) -> str:
    digest, piece = hashlib.sha256(), bytearray(_HASHED_BYTES)
    with path.open("rb", buffering=0) as file:
        while size := file.readinto(piece):
            digest.update(memoryview(piece)[:size])
    return digest.hexdigest()


def _move(partial: Path, target: Path, size: int) -> None:
    try:
        partial.replace(target)
    except PermissionError:
        # Windows replaces no file that is being read; but this name means this content.
        if not target.is_file() or target.stat().st_size != size:
            raise
        with contextlib.suppress(OSError):
            partial.unlink()


def _entries(folder: Path) -> list[Path]:
    """What a folder holds; nothing where there is none, or none that can be read."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # Windows has no such call; the rename itself is journalled there.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)
