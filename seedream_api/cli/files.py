"""The folder of ``--out``: checked before anything is paid for, and filled from the store."""

from __future__ import annotations

import contextlib
import uuid
from pathlib import Path

from ..errors import LedgerFailed
from ..images.file_names import NAME_FIELDS, format_file_name
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


def check_name(template: str) -> None:
    """Check a template for file names before anything is paid for.

    Raises:
        InvalidRequest: it has an unknown field, or a format code that does not fit.
    """
    format_file_name(template, dict.fromkeys(NAME_FIELDS, 0) | {"prompt": "", "model": ""})
