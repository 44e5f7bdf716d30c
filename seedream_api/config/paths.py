"""Folders of the data: whose they are, and how they are kept private."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from ..errors import ConfigurationError

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


def resolve_home(home: Path | str | None, environ: Mapping[str, str]) -> Path:
    """Resolve the data folder to one absolute path, whatever the working directory.

    ``SEEDREAM_HOME`` wins over ``home``, and that over the platform's folder. A relative
    ``SEEDREAM_HOME`` lies in the user's home folder: two working directories must not have two
    ledgers. Where several users share the folder that it names, the pack uses ``seedream`` in it.

    Raises:
        ConfigurationError: there is no such folder, or a ledger stands where an earlier version
            looked for a relative one.
    """
    named = environ.get("SEEDREAM_HOME", "").strip()
    if not named:
        return Path(os.path.abspath(expand_user(home or default_home(environ))))  # noqa: PTH100
    if named[0] in "\"'":
        raise ConfigurationError("quoted_setting", name="SEEDREAM_HOME")
    folder = expand_user(named)
    if not folder.is_absolute():
        anchored = _users_home() / folder
        earlier = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() follows links
        if holds_ledger(earlier) and not earlier.resolve() == anchored.resolve():
            raise ConfigurationError("relative_home", given=named, path=earlier)
        folder = anchored
    folder = Path(os.path.abspath(folder))  # noqa: PTH100
    own = folder / "seedream"
    if holds_ledger(own) or (is_shared(folder) and not holds_ledger(folder)):
        return own
    return folder


def default_home(environ: Mapping[str, str]) -> Path:
    """Find the platform's folder for a user's data, outside ComfyUI.

    Raises:
        ConfigurationError: the user has no home folder.
    """
    if sys.platform == "win32":
        return _named(environ, "LOCALAPPDATA", "AppData/Local") / "seedream"
    if sys.platform == "darwin":
        return _users_home() / "Library/Application Support/seedream"
    return _named(environ, "XDG_DATA_HOME", ".local/share") / "seedream"


def _named(environ: Mapping[str, str], name: str, usual: str) -> Path:
    """A relative path there is not valid (XDG Base Directory Specification) and is ignored."""
    given = Path(environ.get(name, ""))
    return given if given.is_absolute() else _users_home() / usual


def _users_home() -> Path:
    try:
        folder = Path.home()
    except RuntimeError:
        folder = Path()
    if not folder.is_absolute():
        raise ConfigurationError("no_home")
    return folder
