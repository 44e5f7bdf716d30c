"""The record of everything paid for: SQLite in the home folder, safe for several processes at once.

One row an intent; its states and moves are drawn in ``intents.py``. Every method is one transaction
and blocks; callers on an event loop go through :meth:`Ledger.run`, which uses the ledger's own
thread. If a row cannot be written, nothing may be sent.

Ownership: a row that somebody works on names its owner, an OS lock (``locks.py``). A row of a live
owner is waited for; of a dead one, whoever claims first takes over, in one transaction.
"""

from __future__ import annotations

import json
import sqlite3

from ..errors import OutcomeUnknown
from ..ledger.cells import dump_texts
from .owner_lock import is_alive
from .records import JobRecord, parse_readable, parse_row
from .request_identity import choose_row, find_rows, storable_references
from .states import JobSpec, State
from .transitions import LedgerTransitions


class Ledger(LedgerTransitions):
    """An open ledger.

    Args:
        home: the home folder; made if missing, readable by its owner only.
        now: wall-clock seconds; only ever shown to people, never decided upon.

    Raises:
        LedgerFailed: it cannot be opened, is newer than this code, or was found broken (then it is
            kept aside under another name).
    """

    def claim(self, spec: JobSpec, idempotency_key: str, *, reuse: bool = True) -> JobRecord:
        """The row of this intent: an earlier one that still answers for it, or a new one.

        The row is *mine* (``row.owner == ledger.owner``) unless a live process works on it. With
        ``reuse`` off a completed row no longer answers for its inputs.
        """
        with self.transaction(lasting=False) as db:
            rows = find_rows(db, spec.fingerprints)
            row = choose_row(rows, reuse=reuse)
            if row is not None:
                return self._hiding(self._take_over(db, parse_readable(row)), spec)
            for stored in rows:
                self._move(db, parse_readable(stored), State.FORGOTTEN)
            return self._hiding(self._insert(db, spec, idempotency_key), spec)

    def _hiding(self, row: JobRecord, spec: JobSpec) -> JobRecord:
        if row.owner == self.owner:
            self.hidden[row.id] = spec.hidden
        return row

    def claim_task(self, address: str, task_id: str, key_print: str) -> JobRecord:
        """The row of a task id, its own or a stranger's; made where there is none."""
        task_id = task_id.encode("utf-8", "replace").decode()
        with self.transaction(lasting=False) as db:
            found = db.execute(
                "SELECT * FROM requests WHERE task_id = ? AND state != 'forgotten' "
                "ORDER BY id DESC",
                (task_id,),
            )
            # A row of 0.1 spells the address as it was typed; reading it spells it as we do.
            rows = sorted(map(parse_row, found), key=lambda row: row.address != address)
            if rows:
                return self._take_over(db, parse_readable(rows[0]))
            now = self.now()
            cursor = db.execute(
                "INSERT INTO requests (state, owner, address, key_print, task_id, created_at, "
                "accepted_at, updated_at) VALUES ('accepted', ?, ?, ?, ?, ?, ?, ?)",
                (self.owner, address, key_print, task_id, now, now, now),
            )
            return self._row(db, cursor.lastrowid or 0)

    def claim_row(self, row_id: int) -> JobRecord:
        """This row, mine unless a live process works on it."""
        with self.transaction(lasting=False) as db:
            return self._take_over(db, self._row(db, row_id))

    def _insert(self, db: sqlite3.Connection, spec: JobSpec, idempotency_key: str) -> JobRecord:
        now = self.now()
        cursor = db.execute(
            "INSERT INTO requests (state, owner, fingerprint, family, model, address, key_print, "
            "prompt, fields, refs, seed, asked, notes, idempotency_key, created_at, updated_at) "
            "VALUES ('intended', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self.owner, spec.fingerprint, spec.family, spec.model, spec.address,
                spec.key_fingerprint, spec.prompt, json.dumps(dict(spec.fields)),
                json.dumps(storable_references(spec.references)), str(spec.seed), spec.asked,
                dump_texts(spec.notes), idempotency_key, now, now,
            ),
        )  # fmt: skip
        return self._row(db, cursor.lastrowid or 0)

    def _take_over(self, db: sqlite3.Connection, row: JobRecord) -> JobRecord:
        """Make a row mine unless a live process works on it; a dead one's *sending* is unknown."""
        if row.owner not in (None, self.owner) and is_alive(self._owners, str(row.owner)):
            return row
        if row.state is State.SENDING and row.owner != self.owner:
            error = OutcomeUnknown("outcome_unknown_crash", entry=row.id)
            self._move(db, row, State.UNKNOWN, error=error)
        db.execute("UPDATE requests SET owner = ? WHERE id = ?", (self.owner, row.id))
        return self._any_row(db, row.id)

    def release(self, row_id: int) -> None:
        """Nobody of this process works on the row any more."""
        with self.transaction(lasting=False) as db:
            db.execute(
                "UPDATE requests SET owner = NULL WHERE id = ? AND owner = ?", (row_id, self.owner)
            )
        self.hidden.pop(row_id, None)

    def forget(self, row_id: int) -> None:
        """Let the same inputs be paid for again; what is forgotten stays so.

        Raises:
            ValueError: a live process works on it.
        """
        with self.transaction() as db:
            row = self._take_over(db, self._any_row(db, row_id))
            if row.owner != self.owner:
                raise ValueError(f"row {row_id} is worked on")
            if row.state is not State.FORGOTTEN:
                self._move(db, row, State.FORGOTTEN)
            db.execute("UPDATE requests SET owner = NULL WHERE id = ?", (row_id,))
