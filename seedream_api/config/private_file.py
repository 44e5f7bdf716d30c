"""Write a file of the data folder that only its owner may read."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from ..errors import LedgerFailed
from ..messages import text_of
from .paths import make_private_folder


def write_private_text(path: Path, text: str) -> None:
    """Replace a file in one step. Blocks: call it in a thread.

    Raises:
        LedgerFailed: it cannot be written.
    """
    partial = path.with_name(f"{path.stem}.{uuid.uuid4().hex}.part")
    try:
        make_private_folder(path.parent)
        try:
            descriptor = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise LedgerFailed("settings_unwritable", path=path, reason=text_of(error)) from None
