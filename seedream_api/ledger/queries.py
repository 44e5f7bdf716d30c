"""Reads of the ledger that serve the engine, the command line and pruning; none changes it.

``browsing.py`` reads for people. The functions that take a connection run inside a transaction of
their caller.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence

from ..errors import LedgerFailed
from ..messages import Text
from . import statements
from .cells import file_in, to_storable
from .database import Database
from .image_store import StoredFile
from .job_filter import JobFilter
from .records import (
    ImageRecord,
    JobRecord,
    parse_image,
    parse_readable_images,
    parse_row,
    require_readable,
)
from .states import State

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")


def read_record(database: Database, row_id: int) -> JobRecord:
    """Read a row, however damaged its cells are.

    Raises:
        LedgerFailed: the row is gone.
    """
    found = database.execute(statements.JOB, {"id": row_id}).fetchone()
    if found is None:
        raise LedgerFailed("entry_unreadable", entry=row_id, reason=Text("deleted"))
    return parse_row(found)


def read_images(database: Database, row_ids: Sequence[int]) -> list[sqlite3.Row]:
    return database.execute(*statements.images_of_jobs(row_ids)).fetchall()


def get_record(database: Database, row_id: int) -> JobRecord:
    """Read a row that is to be acted upon.

    Raises:
        LedgerFailed: the row is gone, or cells that decide about money cannot be read.
    """
    with database.read():
        return require_readable(read_record(database, row_id))


def list_records(
    database: Database, states: tuple[State, ...] = (), limit: int = 1_000
) -> list[JobRecord]:
    """List rows of these states, or all but the forgotten, newest first."""
    where, values = JobFilter(states=states).to_condition(())
    with database.read():
        page = statements.page_of_jobs(where)
        return [*map(parse_row, database.execute(page, {**values, "limit": limit, "offset": 0}))]


def list_recoverable(database: Database) -> list[JobRecord]:
    """List the unfinished rows that no live process works on and that can be fetched."""
    with database.read():
        rows = [*map(parse_row, database.execute(statements.RECOVERABLE_JOBS))]
    alive = {owner: database.is_owner_alive(owner) for row in rows if (owner := row.owner)}
    return [row for row in rows if row.owner is None or not alive[row.owner]]


def find_record(database: Database, name: str) -> JobRecord | None:
    """Find the row that a person means by its number or its task ID."""
    number = int(name) if _NUMBER.fullmatch(name) else None
    return _find(database, statements.JOB_BY_NAME, {"id": number, "task_id": to_storable(name)})


def find_task(database: Database, task_id: str) -> JobRecord | None:
    """Find the newest row of a task that is not forgotten."""
    return _find(database, statements.JOBS_OF_TASK, {"task_id": to_storable(task_id)})


def _find(database: Database, statement: str, values: statements.Values) -> JobRecord | None:
    with database.read():
        found = database.execute(statement, values).fetchone()
        return parse_row(found) if found is not None else None


def list_images(database: Database, row_id: int) -> list[ImageRecord]:
    """List the images of a row by position.

    Raises:
        LedgerFailed: the position of an image cannot be read.
    """
    with database.read():
        return [parse_image(image, database.home) for image in read_images(database, [row_id])]


def list_readable_images(database: Database, row_id: int) -> list[ImageRecord]:
    """List the images of a row for display, without those that cannot be read."""
    with database.read():
        return parse_readable_images(read_images(database, [row_id]), database.home)


def find_stored_image(database: Database, url: str) -> ImageRecord | None:
    """Find the stored image that was downloaded from this result URL."""
    with database.read():
        found = database.execute(statements.IMAGE_BY_URL, {"url": to_storable(url)}).fetchone()
        return parse_image(found, database.home) if found is not None else None


def typical_seconds(database: Database, model: str) -> float | None:
    """Get the median time from acceptance to completion of this model's last twenty tasks."""
    with database.read():
        found = database.execute(statements.SECONDS_TO_RESULT, {"model": model}).fetchall()
    seconds = sorted(float(row["seconds"]) for row in found)
    return seconds[len(seconds) // 2] if seconds else None


def list_stored_files(database: Database) -> list[StoredFile]:
    """List every file that rows refer to, the longest delivered first.

    A file of a row that is still to be fetched counts as not delivered. So does a file whose name
    cannot be read, which is found by its content.
    """
    with database.read():
        found = database.execute(statements.STORED_FILES).fetchall()
    return [file for row in found for file in _files_of(database, row)]


def _files_of(database: Database, found: sqlite3.Row) -> list[StoredFile]:
    sha256, size = str(found["sha256"]), found["bytes"] or 0
    path = file_in(database.home, found["file"])
    if path is not None:
        return [StoredFile(path, sha256, size, delivered_at=found["delivered"])]
    if not _SHA256.fullmatch(sha256):
        return []
    paths = (database.home / "images" / sha256[:2]).glob(f"{sha256}.*")
    return [StoredFile(path, sha256, size) for path in paths]


def sum_stored_bytes(database: Database) -> int:
    """Add up the sizes of the rows' files; equal files count once."""
    with database.read():
        return int(database.execute(statements.STORED_BYTES).fetchone()["total"])
