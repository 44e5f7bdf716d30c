"""The folder of ``--out``: checked before anything is paid for, and filled from the store."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from pathlib import Path

from ..errors import LedgerFailed
from ..jobs.load_urls import file_suffix
from ..messages import text_of


def try_folder(out: Path) -> None:
    """Check that the folder is writable, before anything is paid for.

    Raises:
        LedgerFailed: the folder cannot be written.
    """
    trial = out / f".{uuid.uuid4().hex}.part"
    try:
        missing = [folder for folder in (out, *out.parents) if not folder.exists()]
        out.mkdir(parents=True, exist_ok=True)
        trial.write_bytes(b"tried")
        trial.unlink()
        for folder in missing:  # a refused request leaves no folder; one in use stays
            with contextlib.suppress(OSError):
                folder.rmdir()
    except OSError as error:
        raise LedgerFailed("out_unwritable", path=out, reason=text_of(error)) from None


def copy_image(source: Path, out: Path, name: str) -> str:
    """Copy a file atomically, to a free name or one with the same bytes.

    Raises:
        LedgerFailed: the folder cannot be written; the image stays in the store.
    """
    ending = file_suffix(source)
    try:
        out.mkdir(parents=True, exist_ok=True)
        target, number = out / f"{name}{ending}", 1
        data = source.read_bytes()
        while target.exists():
            if target.read_bytes() == data:
                return str(target)
            number += 1
            target = out / f"{name}-{number}{ending}"
        partial = out / f".{uuid.uuid4().hex}.part"
        shutil.copyfile(source, partial)
        os.replace(partial, target)  # noqa: PTH105
    except OSError as error:
        raise LedgerFailed("store_full", path=out, reason=text_of(error)) from None
    return str(target)
