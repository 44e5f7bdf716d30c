"""Paid images on disk, named by their content.

A file gets its name only when it is complete and on disk: temporary file, fsync, atomic rename,
fsync of the folder. Equal images share one file.
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
from ..messages import text_of

if TYPE_CHECKING:
    from .records import ImageRecord

_NO_FOLDER_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF})
"""Errors of file systems (CIFS, FUSE) that cannot sync a folder."""
_HASHED_BYTES = 1024 * 1024
_PARTIALS = "partial"
"""How the names of the folders of incomplete files begin."""


@dataclass(frozen=True)
class StoredFile:
    """A complete image file of the store.

    Args:
        path: where it is in the data folder, or belongs if only another machine has it.
        media_type: empty where it is not known.
        delivered_at: when the last of its rows was delivered, in wall-clock seconds; ``None`` while
            any of them is not.
    """

    path: Path
    sha256: str
    bytes: int
    media_type: str = ""
    delivered_at: float | None = None


class ImageStore:
    """The folder ``images`` of the data folder.

    Args:
        owner: the ledger's owner, which names the folder of incomplete files.
        ledger: ``Database.name``; each ledger that stores files here has its incomplete files in a
            folder apart, because only it can tell which of its owners are alive.
    """

    def __init__(self, home: Path, owner: str = "", ledger: str = "") -> None:
        self.folder: Path = home / "images"
        self._partials = self.folder / _name_partials(ledger)
        self._partial = self._partials / (owner or "nobody")
        self._damaged = self.folder / "damaged"

    def new_partial(self) -> Path:
        """Get a path for bytes that are still arriving.

        Raises:
            LedgerFailed: the folder cannot be created.
        """
        try:
            make_private_folder(self.folder)
            make_private_folder(self._partials)
            make_private_folder(self._partial)
        except OSError as error:
            raise self._unstorable(error) from None
        return self._partial / f"{uuid.uuid4().hex}.part"

    def add(self, partial: Path, *, sha256: str, kind: str, size: int) -> StoredFile:
        """Move a complete, synced file into the store.

        Args:
            kind: its media type.
            size: in bytes.

        Raises:
            LedgerFailed: the file cannot be moved.
        """
        target = self.path_of(sha256, kind)
        try:
            make_private_folder(target.parent)
            _move(partial, target, size)
            _sync_folder(target.parent)
        except OSError as error:
            raise self._unstorable(error) from None
        return StoredFile(target, sha256, size, kind)

    def add_bytes(self, data: bytes, kind: str | None = None) -> StoredFile:
        """Store the bytes of an image, whatever they are.

        Args:
            kind: its media type; by default that of the bytes.

        Raises:
            LedgerFailed: the bytes cannot be written.
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
        kind = (media_type_of(data) or "") if kind is None else kind
        return self.add(partial, sha256=digest, kind=kind, size=len(data))

    def is_intact(self, image: ImageRecord) -> bool:
        """Tell whether an image's file holds the bytes that were stored; blocks.

        The hash is compared and no pixel is decoded: a file that was readable when it was stored
        stays readable with the same bytes. An unreadable one counts only where no link remains.
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
        """Move a changed file out of the store; a person may have edited it on purpose."""
        with contextlib.suppress(OSError):
            if path.is_file() and path.stat().st_size == 0:
                path.unlink()
                return
            make_private_folder(self._damaged)
            path.replace(self._damaged / f"{uuid.uuid4().hex[:8]}-{path.name}")

    def keep_unreadable(self, partial: Path, sha256: str, kind: str) -> Path:
        """Keep the bytes of a paid image that cannot be decoded, for a person to inspect.

        Raises:
            LedgerFailed: the file cannot be moved.
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

    def remove_stale_partials(self, is_alive: Callable[[str], bool]) -> None:
        """Remove the incomplete files of dead owners.

        Args:
            is_alive: tells whether the owner of this name is alive.
        """
        for leftover in _entries(self._partials):
            if leftover.is_dir() and not is_alive(leftover.name):
                shutil.rmtree(leftover, ignore_errors=True)

    def files(self) -> Iterator[Path]:
        """List every complete file."""
        for folder in _entries(self.folder):
            is_other = folder == self._damaged or folder.name.startswith(_PARTIALS)
            if folder.is_dir() and not is_other:
                yield from _entries(folder)

    def has_files_of_others(self, ledger: str) -> bool:
        """Tell whether a ledger other than the named one has ever stored files here."""
        mine = _name_partials(ledger)
        return any(
            folder.name != mine and folder.name.startswith(_PARTIALS)
            for folder in _entries(self.folder)
        )

    def _unstorable(self, error: OSError) -> LedgerFailed:
        return LedgerFailed("image_unstorable", path=self.folder, reason=text_of(error))


def _name_partials(ledger: str) -> str:
    return f"{_PARTIALS}-{ledger}" if ledger else _PARTIALS


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
        # Windows does not replace a file that is being read; the same name means the same bytes.
        if not target.is_file() or target.stat().st_size != size:
            raise
        with contextlib.suppress(OSError):
            partial.unlink()


def _entries(folder: Path) -> list[Path]:
    """List a folder; an empty list where it is missing or cannot be read."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # Windows has no such call; NTFS journals the rename.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)
