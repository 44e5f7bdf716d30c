"""Claims of rows: which process works on a job.

A row that a process works on names its owner, a lock: of the system (``owner_lock.py``), or of the
database that machines share. The row of a live owner is left to it; the row of a dead one belongs
to the first process that claims it. A row is locked before its owner's lock is tested, so that an
owner whose connection returns meanwhile finds the row either untouched or taken over. Each function
is one transaction.
"""

from __future__ import annotations

import json

from ..errors import LedgerFailed, OutcomeUnknown
from . import statements
from .cells import dump_texts
from .database import Database
from .queries import lock_record, read_owned, read_record
from .records import JobRecord, parse_row, require_readable
from .request_identity import choose_row, find_rows, storable_references
from .states import JobSpec, State
from .transitions import set_state


def claim(
    database: Database, spec: JobSpec, idempotency_key: str, *, reuse: bool = True
) -> JobRecord:
    """Claim the row of this request: an earlier one that still counts for it, or a new one.

    Args:
        reuse: whether a completed row counts.

    Returns:
        The row; ``row.owner == database.owner`` unless a live process works on it.
    """
    with database.write(durable=database.is_shared):
        database.lock(*spec.fingerprints)
        rows = find_rows(database, spec.fingerprints, for_update=True)
        row = choose_row(rows, reuse=reuse)
        if row is not None:
            row = _take_over(database, require_readable(row))
        else:
            for stored in rows:
                set_state(database, require_readable(stored), State.FORGOTTEN)
            row = _insert(database, spec, idempotency_key)
    if row.owner == database.owner:
        database.hidden[row.id] = spec.hidden
    return row


def claim_task(
    database: Database,
    address: str,
    task_id: str,
    key_fingerprint: str,
    profile: str | None = None,
) -> JobRecord:
    """Claim the row of a task, by any process; insert it where there is none."""
    task_id = task_id.encode("utf-8", "replace").decode()
    with database.write(durable=database.is_shared):
        database.lock(f"task:{task_id}")
        statement = f"{statements.JOBS_OF_TASK}{database.for_update}"
        found = database.execute(statement, {"task_id": task_id})
        # A row of 0.1 holds the address as it was typed; parsing it gives our spelling.
        rows = sorted(map(parse_row, found), key=lambda row: row.address != address)
        if rows:
            return _take_over(database, require_readable(rows[0]))
        values = {
            "owner": database.owner,
            "address": address,
            "key_fingerprint": key_fingerprint,
            "profile": profile,
            "task_id": task_id,
            "now": database.now(),
        }
        row_id = database.insert(statements.INSERT_TASK, values)
        database.claimed.add(row_id)
        return require_readable(read_record(database, row_id))


def claim_row(database: Database, row_id: int) -> JobRecord:
    """Claim this row unless a live process works on it."""
    with database.write(durable=False):
        return _take_over(database, require_readable(lock_record(database, row_id)))


def set_profile(
    database: Database, row_id: int, key_fingerprint: str, profile: str | None
) -> JobRecord:
    """Record which key, and which profile, will send a row that this ledger owns."""
    with database.write(durable=False):
        read_owned(database, row_id)
        values = {"id": row_id, "key_fingerprint": key_fingerprint, "profile": profile}
        database.execute(statements.SET_PROFILE, values)
        return require_readable(read_record(database, row_id))


def release(database: Database, row_id: int) -> None:
    """Give up a row that this ledger owns."""
    try:
        with database.write(durable=False):
            database.execute(statements.RELEASE, {"id": row_id, "owner": database.owner})
    except LedgerFailed:
        database.unreleased.add(row_id)
        raise
    database.hidden.pop(row_id, None)


def forget(database: Database, row_id: int) -> None:
    """Let the same inputs be sent, and paid for, again; a forgotten row stays forgotten.

    Raises:
        ValueError: another live process works on the row.
    """
    with database.write(durable=True):
        _forget(database, lock_record(database, row_id))


def forget_idle(database: Database, row_id: int) -> None:
    """Forget a row that no process works on, not even this one; see :func:`forget`.

    Raises:
        ValueError: a process works on the row.
    """
    with database.write(durable=True):
        row = lock_record(database, row_id)
        if row.owner == database.owner:
            raise ValueError(f"row {row_id} is worked on")
        _forget(database, row)


def _forget(database: Database, row: JobRecord) -> None:
    row = _take_over(database, row)
    if row.owner != database.owner:
        raise ValueError(f"row {row.id} is worked on")
    if row.state is not State.FORGOTTEN:
        set_state(database, row, State.FORGOTTEN)
    database.execute(statements.SET_OWNER, {"id": row.id, "owner": None})


def _insert(database: Database, spec: JobSpec, idempotency_key: str) -> JobRecord:
    values = {
        **vars(spec),
        "owner": database.owner,
        "fields": json.dumps(dict(spec.fields)),
        "refs": json.dumps(storable_references(spec.references)),
        "seed": str(spec.seed),
        "notes": dump_texts(spec.notes),
        "idempotency_key": idempotency_key,
        "now": database.now(),
    }
    row_id = database.insert(statements.INSERT_JOB, values)
    database.claimed.add(row_id)
    return require_readable(read_record(database, row_id))


def _take_over(database: Database, row: JobRecord) -> JobRecord:
    """Own a row unless a live process does; whether a dead owner's request was sent is unknown."""
    if row.owner not in (None, database.owner) and database.is_owner_alive(str(row.owner)):
        return row
    if row.state is State.SENDING and row.owner != database.owner:
        error = OutcomeUnknown("outcome_unknown_crash", entry=row.id)
        set_state(database, row, State.UNKNOWN, error=error)
    if row.owner != database.owner:
        database.claimed.add(row.id)
    database.execute(statements.SET_OWNER, {"id": row.id, "owner": database.owner})
    return read_record(database, row.id)
