"""What the ledger is asked: rows as people, nodes, polling and pruning look for them."""

from __future__ import annotations

import re
import sqlite3

from ..errors import LedgerFailed
from ..messages import Text
from .cells import file_in, storable
from .database import LedgerDatabase
from .records import (
    ImageRecord,
    JobRecord,
    StoredFileUse,
    parse_image,
    parse_readable,
    parse_row,
    shown_images,
)
from .states import UNFINISHED_STATES, State

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_FINISHED = ", ".join(f"'{state.value}'" for state in State if state not in UNFINISHED_STATES)
_WEIGHT = "MAX(CASE WHEN typeof(bytes) = 'integer' AND bytes BETWEEN 0 AND 1e12 THEN bytes END)"
_STORED_FILES = f"""
    SELECT sha256, file, {_WEIGHT} AS bytes, CASE
        WHEN COUNT(*) = SUM(typeof(delivered_at) = 'real') AND MIN(state IN ({_FINISHED}))
        THEN MAX(delivered_at) END AS delivered
    FROM images JOIN requests ON requests.id = images.request WHERE file IS NOT NULL
    GROUP BY sha256, file ORDER BY delivered IS NULL, delivered
"""  # noqa: S608 - made of constants


def in_states(states: tuple[State, ...]) -> tuple[str, list[object]]:
    """The condition for rows of these states, with its values; of all but the forgotten for none.

    A row whose state is not known here, as a newer version may write it, is not hidden.
    """
    if set(states) == set(State):
        return "TRUE", []
    if not states:
        return "state != 'forgotten'", []
    return f"state IN ({', '.join('?' for _ in states)})", [state.value for state in states]


class LedgerQueries(LedgerDatabase):
    """The ledger's methods that change nothing."""

    def row(self, row_id: int) -> JobRecord:
        with self.transaction(lasting=False) as db:
            return self._row(db, row_id)

    def images(self, row_id: int) -> list[ImageRecord]:
        with self.transaction(lasting=False) as db:
            return self._images(db, row_id)

    def shown_images(self, row_id: int) -> list[ImageRecord]:
        """The images of a row for people who look at them, without those that are malformed."""
        with self.transaction(lasting=False) as db:
            return shown_images(self._found_images(db, row_id), self.home)

    def rows(self, states: tuple[State, ...] = (), limit: int = 1_000) -> list[JobRecord]:
        """The newest rows first, of these states or of all but the forgotten."""
        where, values = in_states(states)
        with self.transaction(lasting=False) as db:
            found = db.execute(
                f"SELECT * FROM requests WHERE {where} ORDER BY id DESC LIMIT ?",  # noqa: S608
                (*values, limit),
            )
            return [parse_row(row) for row in found]

    def find(self, name: str) -> JobRecord | None:
        """The row that a person means: by its number, or by its task id."""
        with self.transaction(lasting=False) as db:
            found = db.execute(
                "SELECT * FROM requests WHERE id = ? OR task_id = ? "
                "ORDER BY state = 'forgotten', id DESC",
                (int(name) if _NUMBER.fullmatch(name) else None, storable(name)),
            ).fetchone()
            return parse_row(found) if found is not None else None

    def find_task(self, task_id: str) -> JobRecord | None:
        """The newest row of a task that is not forgotten."""
        with self.transaction(lasting=False) as db:
            found = db.execute(
                "SELECT * FROM requests WHERE task_id = ? AND state != 'forgotten' "
                "ORDER BY id DESC",
                (storable(task_id),),
            ).fetchone()
            return parse_row(found) if found is not None else None

    def find_stored_image(self, url: str) -> ImageRecord | None:
        """The stored image that came from this result URL."""
        with self.transaction(lasting=False) as db:
            found = db.execute(
                "SELECT * FROM images WHERE url = ? AND file IS NOT NULL ORDER BY request DESC",
                (storable(url),),
            ).fetchone()
            return parse_image(found, self.home) if found is not None else None

    def typical_seconds(self, model: str) -> float | None:
        """The median time from acceptance to completion of this model's last twenty tasks."""
        with self.transaction(lasting=False) as db:
            found = db.execute(
                "SELECT answered_at - accepted_at FROM requests WHERE model = ? AND "
                "answered_at > accepted_at AND typeof(answered_at) = 'real' "
                "AND typeof(accepted_at) = 'real' ORDER BY id DESC LIMIT 20",
                (model,),
            ).fetchall()
        seconds = sorted(float(row[0]) for row in found)
        return seconds[len(seconds) // 2] if seconds else None

    def stored_files(self) -> list[StoredFileUse]:
        """Every file that rows refer to, the longest delivered first.

        What came of a row that is still to be fetched counts as not delivered; so does a file
        whose name cannot be read, and is found by its content.
        """
        with self.transaction(lasting=False) as db:
            found = db.execute(_STORED_FILES).fetchall()
        return [file for row in found for file in self._files_of(row)]

    def _files_of(self, found: sqlite3.Row) -> list[StoredFileUse]:
        sha256, weight = str(found["sha256"]), found["bytes"] or 0
        path = file_in(self.home, found["file"])
        if path is not None:
            return [StoredFileUse(path, sha256, weight, found["delivered"])]
        if not _SHA256.fullmatch(sha256):
            return []
        paths = (self.home / "images" / sha256[:2]).glob(f"{sha256}.*")
        return [StoredFileUse(path, sha256, weight, None) for path in paths]

    def stored_bytes(self) -> int:
        """What the rows' files weigh, equal ones counted once."""
        with self.transaction(lasting=False) as db:
            found = db.execute(
                f"SELECT TOTAL(weight) FROM (SELECT {_WEIGHT} AS weight FROM images "  # noqa: S608
                "WHERE file IS NOT NULL GROUP BY sha256)"
            ).fetchone()
        return int(found[0])

    def _row(self, db: sqlite3.Connection, row_id: int) -> JobRecord:
        """The row, to act upon.

        Raises:
            LedgerFailed: it is gone, or cannot be read.
        """
        return parse_readable(self._any_row(db, row_id))

    def _any_row(self, db: sqlite3.Connection, row_id: int) -> JobRecord:
        found = db.execute("SELECT * FROM requests WHERE id = ?", (row_id,)).fetchone()
        if found is None:
            raise LedgerFailed("entry_unreadable", entry=row_id, reason=Text("deleted"))
        return parse_row(found)

    def _images(self, db: sqlite3.Connection, row_id: int) -> list[ImageRecord]:
        return [parse_image(image, self.home) for image in self._found_images(db, row_id)]

    def _found_images(self, db: sqlite3.Connection, row_id: int) -> list[sqlite3.Row]:
        found = db.execute("SELECT * FROM images WHERE request = ? ORDER BY position", (row_id,))
        return found.fetchall()
