"""Folders of the data: whose they are, and how they are kept private."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

LEDGER_NAME = "ledger.sqlite"


def expand_user(path: Path | str) -> Path:
    """Expand ``~``; a name that the system does not know stays as it is."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path.expanduser raises there


def holds_ledger(folder: Path) -> bool:
    """Tell whether a ledger stands in the folder."""
    return os.path.exists(folder / LEDGER_NAME)  # noqa: PTH110 - a folder that is closed has none


def is_shared(folder: Path) -> bool:
    """Tell whether an existing folder is one where several users keep their files, such as
    ``/tmp``: others may write there, and it is sticky or another user's."""
    if os.name != "posix":
        return False
    try:
        found = folder.stat()
    except OSError:
        return False
    is_others = found.st_uid != os.geteuid()
    return bool(found.st_mode & 0o022) and (is_others or bool(found.st_mode & stat.S_ISVTX))


def make_private_folder(folder: Path) -> None:
    """Make the folder, readable by its owner only; one that exists stays as it is.

    Raises:
        OSError: it cannot be made, or in a shared folder another user made it.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not folder.is_dir():
            raise
        if is_shared(folder.parent) and folder.stat().st_uid not in (os.geteuid(), 0):
            raise PermissionError(f"{folder} belongs to another user") from None


def close_to_others(file: Path) -> None:
    """Take the rights of others to a file away, where the file system and its owner allow it."""
    if os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        with contextlib.suppress(OSError):
            file.chmod(0o600)


def is_open_to_others(path: Path) -> bool:
    """Tell whether other users of this machine may read a file or folder."""
    try:
        return os.name == "posix" and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
    except OSError:
        return False
