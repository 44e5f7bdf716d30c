"""Changes of the rows that this ledger owns: their states, images and delivery.

Each function that takes a :class:`Database` is one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from ..errors import LedgerFailed, SeedreamError
from ..kept_response import KeptResponse
from ..redaction import clean, redact
from ..service.link_expiry import link_expiry
from ..service.result_items import ResultItem
from . import statements
from .cells import to_storable
from .database import Database
from .image_matching import match_items
from .image_store import StoredFile
from .kept_responses import insert_response, pack_for
from .migrations import STATE_TIMESTAMPS
from .queries import lock_record, read_images, read_owned, read_record
from .records import JobRecord, parse_image, require_readable
from .states import STORED_STATES, TRANSITIONS, State
from .withheld import hide_texts, hide_texts_in


def move(
    database: Database,
    row_id: int,
    state: State,
    *,
    task_id: str | None = None,
    request_id: str | None = None,
    error: SeedreamError | None = None,
    response: KeptResponse | None = None,
) -> JobRecord:
    """Change the state of a row that this ledger owns.

    A row becomes complete without a wait for the disk: its images are recorded durably before.
    A change that failed may be tried again: the server may have made it and its response was lost.

    Args:
        response: what the service sent and could not be read; kept in the same transaction, and
            also if the row belongs to another process by now.

    Raises:
        ValueError: ``TRANSITIONS`` does not allow the change.
    """
    packed = pack_for(database, row_id, response) if response is not None else None
    change = (row_id, state, task_id)
    try:
        with database.write(durable=state not in STORED_STATES):
            row = read_owned(database, row_id, outcome=state)
            if row.state is not state or change not in database.unconfirmed:
                set_state(database, row, state, task_id=task_id, request_id=request_id, error=error)
                if packed is not None:
                    insert_response(database, row_id, packed)
            moved = require_readable(read_record(database, row_id))
    except LedgerFailed as failed:
        if failed.key != "row_taken_over":
            database.unconfirmed.add(change)
        elif packed is not None:
            with database.write(durable=True):
                lock_record(database, row_id)
                insert_response(database, row_id, packed)
        raise
    database.unconfirmed.discard(change)
    return moved


def set_state(
    database: Database,
    row: JobRecord,
    state: State,
    *,
    task_id: str | None = None,
    request_id: str | None = None,
    error: SeedreamError | None = None,
) -> None:
    """Change the state of a row within the caller's transaction; see :func:`move`."""
    if state not in TRANSITIONS[row.state]:
        raise ValueError(f"row {row.id} may not go from {row.state.value} to {state.value}")
    now = database.now()
    if state is State.FORGOTTEN:
        error = row.error if row.is_readable else None  # whether it was charged stays known
    values = {
        "id": row.id,
        "state": state.value,
        "error": _to_cell(error, database.hidden.get(row.id, ())) if error else None,
        "task_id": to_storable(task_id),
        "request_id": to_storable(clean(request_id)) if request_id else None,
        "now": now,
    }
    database.execute(statements.SET_STATE, values)
    if state is State.INTENDED:  # the service definitely did not accept it
        database.execute(statements.CLEAR_SENT_AT, {"id": row.id})
    if column := STATE_TIMESTAMPS.get(state):
        # A response that is fetched once more keeps the time of its first arrival.
        stamp = statements.set_timestamp(column, keeps_first=state is State.ANSWERED)
        database.execute(stamp, {"id": row.id, "now": now})


def _to_cell(error: SeedreamError, hidden: tuple[str, ...]) -> str:
    record = error.to_record()
    return json.dumps({**record, "values": hide_texts_in(record["values"], hidden)})


def record_response(
    database: Database,
    row_id: int,
    items: tuple[ResultItem, ...],
    files: Mapping[int, StoredFile],
    request_id: str | None = None,
    task_id: str | None = None,
    link_life_s: float | None = None,
) -> JobRecord:
    """Record where the result images are; files that are already stored stay.

    An item that repeats an image of the row updates it, in whatever order the response lists the
    items; see ``image_matching.py``.

    Args:
        files: the images that the response contained, already on disk, by position.
        task_id: the task that can be polled for fresh links, if the response contains its ID.
        link_life_s: for how long links of this service last, if a probe learned it.
    """
    with database.write(durable=True):
        row = read_owned(database, row_id, outcome=State.ANSWERED)
        set_state(database, row, State.ANSWERED, task_id=task_id, request_id=request_id)
        contents = {position: file.sha256 for position, file in files.items()}
        images = (
            parse_image(found, database.find_file) for found in read_images(database, [row_id])
        )
        known = {image.position: image for image in images}
        for position, item in match_items(known.values(), items, contents).items():
            _record_item(database, row, position, item, link_life_s)
            image, file = known.get(position), files.get(item.position)
            if file is not None and (image is None or image.file is None):
                _record_file(database, row_id, position, file, (0, 0))
        database.execute(statements.COUNT_CHARGED_IMAGES, {"id": row_id})
        return require_readable(read_record(database, row_id))


def _record_item(
    database: Database,
    row: JobRecord,
    position: int,
    item: ResultItem,
    link_life_s: float | None,
) -> None:
    error = None
    if item.error and not item.was_made:
        error = redact(hide_texts(str(item.error), database.hidden.get(row.id, ())))
    now = database.now()
    expires_at = link_expiry(item.url, row.family, now, link_life_s) if item.url else None
    values = {
        "request": row.id,
        "position": position,
        "url": to_storable(item.url),
        "url_seen_at": now if item.url else None,
        "url_expires_at": expires_at,
        "error": to_storable(error),
    }
    database.execute(statements.RECORD_ITEM, values)


def record_image(
    database: Database, row_id: int, position: int, file: StoredFile, size: tuple[int, int]
) -> None:
    """Record that an image is complete and on disk.

    Args:
        size: width and height in pixels, 0 where the bytes are not a readable image.
    """
    with database.write(durable=True):
        read_owned(database, row_id)
        _record_file(database, row_id, position, file, size)


def _record_file(
    database: Database,
    row_id: int,
    position: int,
    file: StoredFile,
    size: tuple[int, int],
) -> None:
    width, height = size
    name = file.path.relative_to(database.home).as_posix()
    image = {"request": row_id, "position": position, "width": width, "height": height}
    database.execute(statements.RECORD_FILE, {**vars(file), **image, "file": name})


def mark_missing(database: Database, row_id: int, positions: list[int]) -> JobRecord:
    """Record that the files of these images left the store and have to be fetched again.

    The rows keep the names of files that another machine or the bucket may have.
    """
    with database.write(durable=False):
        read = read_owned if database.is_shared else lock_record
        row = require_readable(read(database, row_id))
        for position in () if database.has_remote_files else positions:
            database.execute(
                statements.CLEAR_MISSING_FILE, {"request": row_id, "position": position}
            )
        set_state(database, row, State.ANSWERED)
        return require_readable(read_record(database, row_id))


def mark_delivered(database: Database, row_id: int) -> None:
    """Record that a caller received the images, which the store may therefore remove later."""
    with database.write(durable=False):
        database.execute(statements.SET_DELIVERED_AT, {"id": row_id, "now": database.now()})


def mark_pruned(database: Database, sha256: str) -> None:
    """Record that pruning removed a file, unless another machine or the bucket may have it."""
    if database.has_remote_files:
        return
    with database.write(durable=False):
        database.execute(statements.CLEAR_PRUNED_FILE, {"sha256": sha256})
        database.execute(statements.DELETE_REFERENCE_FILE, {"sha256": sha256})
