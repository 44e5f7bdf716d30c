"""Write a file of the data folder that only its owner may read. Blocks: call it in a thread."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from ..errors import LedgerFailed
from ..messages import text_of
from .paths import make_private_folder


def write_private_text(path: Path, text: str) -> None:
    """Replace a file in one step.

    Raises:
        LedgerFailed: it cannot be written.
    """
    _replace_file(path, lambda stream: stream.write(text))


def write_private_json(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a file in one step; its text, which may contain a key, is in no local variable.

    Raises:
        LedgerFailed: it cannot be written.
    """
    _replace_file(
        path, lambda stream: json.dump(dict(content), stream, ensure_ascii=False, indent=1)
    )


def _replace_file(path: Path, write: Callable[[TextIO], object]) -> None:
    partial = path.with_name(f"{path.stem}.{uuid.uuid4().hex}.part")
    try:
        make_private_folder(path.parent)
        try:
            descriptor = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                write(stream)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise LedgerFailed("settings_unwritable", path=path, reason=text_of(error)) from None
