"""Copy an image out of the store to a name that is free; no file is ever overwritten."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from ..errors import LedgerFailed, ResultUnavailable
from ..messages import text_of
from .media_types import media_type_of, suffix_of

_SPELLINGS = {".jpeg": ".jpg", ".jpe": ".jpg", ".tif": ".tiff"}


def save_into_folder(source: Path, folder: Path, name: str) -> Path:
    """Copy an image file into a folder atomically, and return the copy.

    The suffix states the real type of the image. If another file has the name, the copy gets a
    number; if a file with the same bytes has it, that is the copy.

    Args:
        folder: made if it is missing.
        name: the file name without a suffix.

    Raises:
        ResultUnavailable: the source cannot be read.
        LedgerFailed: the folder cannot be written.
    """
    data, suffix = _read_image(source)
    return _write_new(data, folder, name, suffix)


def save_to_path(source: Path, target: Path) -> Path:
    """Copy an image file to a path, as :func:`save_into_folder` does.

    Another suffix than that of the real type is replaced.
    """
    data, suffix = _read_image(source)
    given = target.suffix.lower()
    is_right = _SPELLINGS.get(given, given) == suffix
    return _write_new(data, target.parent, target.stem, target.suffix if is_right else suffix)


def read_image_file(source: Path) -> bytes:
    """Read a stored file.

    Raises:
        ResultUnavailable: it was moved, or cannot be read.
    """
    try:
        return source.read_bytes()
    except OSError as error:
        raise ResultUnavailable("picture_unreadable", given=source, reason=text_of(error)) from None


def _read_image(source: Path) -> tuple[bytes, str]:
    data = read_image_file(source)
    return data, suffix_of(media_type_of(data[:64]))


def _write_new(data: bytes, folder: Path, name: str, suffix: str) -> Path:
    partial = folder / f".{uuid.uuid4().hex}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(data)
        number = 1
        while True:
            target = folder / (f"{name}-{number}{suffix}" if number > 1 else f"{name}{suffix}")
            if _move_to_free_name(partial, target) or _has_bytes(target, data):
                return target
            number += 1
    except OSError as error:
        raise LedgerFailed("store_full", path=folder, reason=text_of(error)) from None
    finally:
        if partial.exists():
            partial.unlink()


def _move_to_free_name(partial: Path, target: Path) -> bool:
    """Move a file to a name; return whether the name was free.

    An empty file reserves the name first: ``os.replace`` alone would overwrite the file that
    another process has just saved.
    """
    try:
        target.open("xb").close()
    except FileExistsError:
        return False
    except PermissionError:
        if target.is_dir():  # Windows
            return False
        raise
    try:
        os.replace(partial, target)  # noqa: PTH105
    except OSError:
        target.unlink()
        raise
    return True


def _has_bytes(target: Path, data: bytes) -> bool:
    return target.is_file() and target.stat().st_size == len(data) and target.read_bytes() == data
