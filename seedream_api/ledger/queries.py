"""Reads of the ledger that serve the engine, the command line and pruning; none changes it.

``browsing.py`` reads for people. The functions that take a connection run inside a transaction of
their caller.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ..errors import LedgerFailed
from ..messages import Text
from . import statements
from .cells import SHA256, Row, file_in, to_storable
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
from .states import RECOVERABLE_STATES, TRANSITIONS, State

_LATE_OUTCOMES = (*RECOVERABLE_STATES, State.EMPTY)
"""What a service may report of a request whose outcome counts as unknown meanwhile."""
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")


def read_record(database: Database, row_id: int) -> JobRecord:
    """Read a row, however damaged its cells are.

    Raises:
        LedgerFailed: the row is gone.
    """
    return _parse_found(row_id, database.execute(statements.JOB, {"id": row_id}).fetchone())


def lock_record(database: Database, row_id: int) -> JobRecord:
    """Read a row, which no other process changes until the transaction ends.

    Raises:
        LedgerFailed: the row is gone.
    """
    statement = f"{statements.JOB}{database.for_update}"
    return _parse_found(row_id, database.execute(statement, {"id": row_id}).fetchone())


def read_owned(database: Database, row_id: int, *, outcome: State | None = None) -> JobRecord:
    """Lock a row that this ledger owns, to change it.

    Args:
        outcome: what the service reported of a request that this process sent. Another process may
            have taken the row over and given up while this one had no connection; such a row is
            claimed again.

    Raises:
        LedgerFailed: the row belongs to another process, which took it over when this one lost its
            connection; or its cells that decide about money cannot be read.
    """
    row = require_readable(lock_record(database, row_id))
    if row.owner == database.owner:
        return row
    is_free = row.owner is None or not database.is_owner_alive(row.owner)
    is_late = outcome in _LATE_OUTCOMES and outcome in TRANSITIONS[row.state]
    if not is_late or not is_free:
        raise LedgerFailed("row_taken_over", entry=row_id)
    database.execute(statements.SET_OWNER, {"id": row_id, "owner": database.owner})
    return replace(row, owner=database.owner)


def _parse_found(row_id: int, found: Row | None) -> JobRecord:
    if found is None:
        raise LedgerFailed("entry_unreadable", entry=row_id, reason=Text("deleted"))
    return parse_row(found)


def read_images(database: Database, row_ids: Sequence[int]) -> list[Row]:
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
        return [parse_image(image, database.find_file) for image in read_images(database, [row_id])]


def list_readable_images(database: Database, row_id: int) -> list[ImageRecord]:
    """List the images of a row for display, without those that cannot be read."""
    with database.read():
        return parse_readable_images(read_images(database, [row_id]), database.find_file)


def find_stored_image(database: Database, url: str) -> ImageRecord | None:
    """Find the stored image that was downloaded from this result URL."""
    with database.read():
        found = database.execute(statements.IMAGE_BY_URL, {"url": to_storable(url)}).fetchone()
        return parse_image(found, database.find_file) if found is not None else None


def typical_seconds(database: Database, model: str) -> float | None:
    """Get the median time from acceptance to completion of this model's last twenty tasks."""
    with database.read():
        found = database.execute(statements.SECONDS_TO_RESULT, {"model": model}).fetchall()
    times = ((row["answered_at"], row["accepted_at"]) for row in found)
    seconds = sorted(
        answered - accepted
        for answered, accepted in times
        if isinstance(answered, float) and isinstance(accepted, float)
    )
    return seconds[len(seconds) // 2] if seconds else None


def list_stored_files(database: Database) -> list[StoredFile]:
    """List every file that rows refer to, the longest delivered first.

    A file of a row that is still to be fetched counts as not delivered. So does a file whose name
    cannot be read, which is found by its content.
    """
    with database.read():
        found = database.execute(statements.STORED_FILES).fetchall()
    return [file for row in found for file in _files_of(database, row)]


def _files_of(database: Database, found: Row) -> list[StoredFile]:
    sha256, size = str(found["sha256"]), found["bytes"] or 0
    path = database.find_file(found["file"])
    if path is not None:
        return [StoredFile(path, sha256, size, delivered_at=found["delivered"])]
    is_elsewhere = file_in(database.home, found["file"]) is not None
    if is_elsewhere or not SHA256.fullmatch(sha256):
        return []
    paths = (database.home / "images" / sha256[:2]).glob(f"{sha256}.*")
    return [StoredFile(path, sha256, size) for path in paths]


def sum_stored_bytes(database: Database) -> int:
    """Add up the sizes of the rows' files that this data folder has; equal files count once."""
    if database.has_remote_files:
        sizes = {file.sha256: file.bytes for file in list_stored_files(database)}
        return sum(sizes.values())
    with database.read():
        return int(database.execute(statements.STORED_BYTES).fetchone()["total"])
