"""The data folder: where it is, and how it is kept private."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from ..errors import ConfigurationError
from ..messages import Text

LEDGER_NAME = "ledger.sqlite"


def expand_user(path: Path | str) -> Path:
    """Expand ``~``; an unknown user name is not changed."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path.expanduser raises there


def has_ledger(folder: Path) -> bool:
    """Tell whether the folder contains a ledger."""
    return os.path.exists(folder / LEDGER_NAME)  # noqa: PTH110 - false for an unreadable folder


def is_shared(folder: Path) -> bool:
    """Tell whether several users keep files in an existing folder, such as ``/tmp``.

    Others may write there, and it is sticky or belongs to another user.
    """
    if os.name != "posix":
        return False
    try:
        found = folder.stat()
    except OSError:
        return False
    is_others = found.st_uid != os.geteuid()
    return bool(found.st_mode & 0o022) and (is_others or bool(found.st_mode & stat.S_ISVTX))


def make_private_folder(folder: Path) -> None:
    """Make the folder, readable by its owner only; an existing one is not changed.

    Raises:
        OSError: it cannot be made, or another user made it in a shared folder.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not folder.is_dir():
            raise
        if is_shared(folder.parent) and folder.stat().st_uid not in (os.geteuid(), 0):
            raise PermissionError(Text("folder_of_other_user", folder=folder)) from None


def restrict_to_owner(file: Path) -> None:
    """Remove other users' rights to a file, if the file system and its owner allow it."""
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
    """Resolve the data folder to one absolute path, independent of the working directory.

    ``SEEDREAM_HOME`` wins over ``home``, and that over the platform's folder. A relative
    ``SEEDREAM_HOME`` is relative to the user's home folder: two working directories must not have
    two ledgers. In a folder that several users share, the pack uses the subfolder ``seedream``.

    Raises:
        ConfigurationError: the user has no home folder, or a ledger exists where an earlier version
            resolved the relative path.
    """
    named = environ.get("SEEDREAM_HOME", "").strip()
    if not named:
        return Path(os.path.abspath(expand_user(home or find_default_home(environ))))  # noqa: PTH100
    if named[0] in "\"'":
        raise ConfigurationError("quoted_setting", name="SEEDREAM_HOME")
    folder = expand_user(named)
    if not folder.is_absolute():
        anchored = _find_user_home() / folder
        earlier = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() follows links
        if has_ledger(earlier) and not earlier.resolve() == anchored.resolve():
            raise ConfigurationError("relative_home", given=named, path=earlier)
        folder = anchored
    folder = Path(os.path.abspath(folder))  # noqa: PTH100
    own = folder / "seedream"
    if has_ledger(own) or (is_shared(folder) and not has_ledger(folder)):
        return own
    return folder


def find_default_home(environ: Mapping[str, str]) -> Path:
    """Find the platform's folder for user data, outside ComfyUI.

    Raises:
        ConfigurationError: the user has no home folder.
    """
    if sys.platform == "win32":
        return _find_platform_folder(environ, "LOCALAPPDATA", "AppData/Local") / "seedream"
    if sys.platform == "darwin":
        return _find_user_home() / "Library/Application Support/seedream"
    return _find_platform_folder(environ, "XDG_DATA_HOME", ".local/share") / "seedream"


def _find_platform_folder(environ: Mapping[str, str], name: str, usual: str) -> Path:
    """Read the platform's variable; ignore a relative path (XDG Base Directory Specification)."""
    given = Path(environ.get(name, ""))
    return given if given.is_absolute() else _find_user_home() / usual


def _find_user_home() -> Path:
    try:
        folder = Path.home()
    except RuntimeError:
        folder = Path()
    if not folder.is_absolute():
        raise ConfigurationError("no_home")
    return folder
