"""What the ledger is asked: rows as people, nodes, polling and pruning look for them."""

from __future__ import annotations

import re
import sqlite3

from .intents import UNFINISHED, State
from .ledger_file import LedgerFile
from .ledger_rows import Image, Row, StoredImageFile, file_in, image_from, row_from

_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_UNFINISHED = ", ".join(f"'{state.value}'" for state in UNFINISHED)
_STORED_FILES = f"""
    SELECT sha256, file, MAX(bytes) AS bytes, CASE
        WHEN COUNT(*) = COUNT(delivered_at) AND NOT MAX(state IN ({_UNFINISHED}))
        THEN MAX(delivered_at) END AS delivered
    FROM images JOIN requests ON requests.id = images.request WHERE file IS NOT NULL
    GROUP BY sha256, file ORDER BY delivered IS NULL, delivered
"""  # noqa: S608 - made of constants


class LedgerLooks(LedgerFile):
    """The ledger's methods that change nothing."""

    def row(self, row_id: int) -> Row:
        with self.transaction(lasting=False) as db:
            return self._row(db, row_id)

    def images(self, row_id: int) -> list[Image]:
        with self.transaction(lasting=False) as db:
            return self._images(db, row_id)

    def rows(self, states: tuple[State, ...] = (), limit: int = 1_000) -> list[Row]:
        """The newest rows first, of these states or of all but the forgotten."""
        wanted = states or tuple(state for state in State if state is not State.FORGOTTEN)
        marks = ", ".join("?" for _ in wanted)
        with self.transaction(lasting=False) as db:
            found = db.execute(
                f"SELECT * FROM requests WHERE state IN ({marks}) ORDER BY id DESC LIMIT ?",  # noqa: S608
                (*(state.value for state in wanted), limit),
            )
            return [row_from(row) for row in found]

    def find(self, name: str) -> Row | None:
        """The row that a person means: by its number, or by its task id."""
        with self.transaction(lasting=False) as db:
            found = db.execute(
                "SELECT * FROM requests WHERE id = ? OR task_id = ? "
                "ORDER BY state = 'forgotten', id DESC",
                (int(name) if _NUMBER.fullmatch(name) else None, name),
            ).fetchone()
            return row_from(found) if found is not None else None

    def of_task(self, task_id: str) -> Row | None:
        """The newest row of a task that is not forgotten."""
        with self.transaction(lasting=False) as db:
            found = db.execute(
                "SELECT * FROM requests WHERE task_id = ? AND state != 'forgotten' "
                "ORDER BY id DESC",
                (task_id,),
            ).fetchone()
            return row_from(found) if found is not None else None

    def stored_image(self, url: str) -> Image | None:
        """The stored image that came from this result URL."""
        with self.transaction(lasting=False) as db:
            found = db.execute(
                "SELECT * FROM images WHERE url = ? AND file IS NOT NULL ORDER BY request DESC",
                (url,),
            ).fetchone()
            return image_from(found, self.home) if found is not None else None

    def typical_seconds(self, model: str) -> float | None:
        """The median time from acceptance to completion of this model's last twenty tasks."""
        with self.transaction(lasting=False) as db:
            found = db.execute(
                "SELECT answered_at - accepted_at FROM requests WHERE model = ? AND "
                "answered_at > accepted_at ORDER BY id DESC LIMIT 20",
                (model,),
            ).fetchall()
        seconds = sorted(float(row[0]) for row in found)
        return seconds[len(seconds) // 2] if seconds else None

    def stored_files(self) -> list[StoredImageFile]:
        """Every file that rows refer to, the longest delivered first.

        What came of a row that is still to be fetched counts as not delivered.
        """
        with self.transaction(lasting=False) as db:
            found = db.execute(_STORED_FILES)
            return [
                StoredImageFile(path, row["sha256"], row["bytes"], row["delivered"])
                for row in found
                if (path := file_in(self.home, row["file"])) is not None
            ]

    def stored_bytes(self) -> int:
        """What the rows' files weigh, equal ones counted once."""
        with self.transaction(lasting=False) as db:
            found = db.execute(
                "SELECT SUM(weight) FROM (SELECT MAX(bytes) AS weight FROM images "
                "WHERE file IS NOT NULL GROUP BY sha256)"
            ).fetchone()
        return int(found[0] or 0)

    def _row(self, db: sqlite3.Connection, row_id: int) -> Row:
        return row_from(db.execute("SELECT * FROM requests WHERE id = ?", (row_id,)).fetchone())

    def _images(self, db: sqlite3.Connection, row_id: int) -> list[Image]:
        found = db.execute("SELECT * FROM images WHERE request = ? ORDER BY position", (row_id,))
        return [image_from(image, self.home) for image in found]
