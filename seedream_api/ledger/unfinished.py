"""Tell whether a ledger has unfinished jobs, without opening it as an owner of rows."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from ..config.paths import LEDGER_NAME
from ..errors import LedgerFailed
from . import statements
from .schema import check_log


def has_recoverable_jobs(home: Path) -> bool:
    """Tell whether the ledger in this data folder may have jobs to recover; blocks.

    It takes a millisecond and writes nothing. A ledger that cannot be read counts as one that has
    such jobs, so that opening it reports why.
    """
    path = home / LEDGER_NAME
    try:
        if path.stat().st_size == 0:
            return False
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        check_log(path)
        # Without a log no process has the file open, and SQLite would make one to read it.
        mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?{mode}", uri=True)) as database:
            return database.execute(statements.RECOVERABLE_JOBS).fetchone() is not None
    except (LedgerFailed, OSError, sqlite3.Error):
        return True
