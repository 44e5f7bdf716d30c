"""The record of everything paid for: SQLite in the home folder, safe for several processes at once.

One row an intent; its states and moves are drawn in ``intents.py``. Every method here is one
transaction and blocks; callers on an event loop go through :meth:`Ledger.run`, which uses the
ledger's own thread. If a row cannot be written, nothing may be sent.

Ownership: a row that somebody works on names its owner, an OS lock (``locks.py``). A row of a live
owner is waited for; of a dead one, whoever claims first takes over, in one transaction.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from . import ledger_schema
from .config import make_private_folder
from .errors import LedgerFailed, OutcomeUnknown, SeedreamError
from .intents import ENDED_UNPAID, MOVES, STORED, Intent, State
from .ledger_rows import Image, Row, StoredImageFile, image_from, row_from
from .locks import OwnerLock, is_alive, sweep
from .models import ResultItem
from .store import StoredFile

T = TypeVar("T")
_ENDED = ", ".join(f"'{state.value}'" for state in ENDED_UNPAID)


class Ledger:
    """An open ledger.

    Args:
        home: the home folder; made if missing, readable by its owner only.
        now: wall-clock seconds; only ever shown to people, never decided upon.

    Raises:
        LedgerFailed: it cannot be opened, is newer than this code, or was found broken (then it is
            kept aside under another name).
    """

    def __init__(self, home: Path, *, now: Callable[[], float] = time.time) -> None:
        self.home = home
        self.path = home / "ledger.sqlite"
        self.now = now
        self._owners = home / "owners"
        self._lock: OwnerLock | None = None
        self._lost: LedgerFailed | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="seedream-ledger")
        try:
            make_private_folder(home)
            self._lock = OwnerLock(self._owners)
            sweep(self._owners)
            self._connection, self._place = ledger_schema.open_database(self.path)
        except OSError as error:
            self._let_go()
            raise self._unwritable(error.strerror or error) from None
        except LedgerFailed:
            self._let_go()
            raise

    @property
    def owner(self) -> str:
        """The name under which this ledger owns rows."""
        assert self._lock is not None, "the ledger is closed"  # noqa: S101 - a programming error
        return self._lock.name

    def is_owner_alive(self, name: str) -> bool:
        """Whether an open ledger of this home goes by ``name``."""
        return name == self.owner or is_alive(self._owners, name)

    @property
    def is_lost(self) -> bool:
        """Whether the file was found broken, or gone: only a ledger opened anew goes on."""
        return self._lost is not None

    def close(self) -> None:
        """Let go of every row and close the file; safe to call twice."""
        self._thread.shutdown(wait=True)
        if self._lock is not None:
            self._connection.close()
        self._let_go()

    def _let_go(self) -> None:
        self._thread.shutdown()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    async def run(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run one of the methods below on the ledger's own thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: call(*args, **kwargs))

    # --- claiming -------------------------------------------------------------------------------

    def claim(self, intent: Intent, idempotency_key: str, *, reuse: bool = True) -> Row:
        """The row of this intent: an earlier one that still answers for it, or a new one.

        The row is *mine* (``row.owner == ledger.owner``) unless a live process works on it. With
        ``reuse`` off a completed row no longer answers for its inputs.
        """
        with self._transaction() as db:
            found = db.execute(
                f"SELECT * FROM requests WHERE fingerprint = ? AND state NOT IN ({_ENDED})",  # noqa: S608
                (intent.fingerprint,),
            ).fetchone()
            if found is not None:
                row = row_from(found)
                if reuse or row.state not in STORED:
                    return self._taken_over(db, row)
                self._move(db, row, State.FORGOTTEN)
            return self._inserted(db, intent, idempotency_key)

    def adopt(self, address: str, task_id: str, key_print: str) -> Row:
        """The row of a task id, its own or a stranger's; made where there is none."""
        with self._transaction() as db:
            found = db.execute(
                "SELECT * FROM requests WHERE task_id = ? AND state != 'forgotten' "
                "ORDER BY address = ? DESC, id DESC",
                (task_id, address),
            ).fetchone()
            if found is not None:
                return self._taken_over(db, row_from(found))
            now = self.now()
            cursor = db.execute(
                "INSERT INTO requests (state, owner, address, key_print, task_id, created_at, "
                "accepted_at, updated_at) VALUES ('accepted', ?, ?, ?, ?, ?, ?, ?)",
                (self.owner, address, key_print, task_id, now, now, now),
            )
            return self._row(db, cursor.lastrowid or 0)

    def take_up(self, row_id: int) -> Row:
        """This row, mine unless a live process works on it."""
        with self._transaction() as db:
            return self._taken_over(db, self._row(db, row_id))

    def _inserted(self, db: sqlite3.Connection, intent: Intent, idempotency_key: str) -> Row:
        now = self.now()
        cursor = db.execute(
            "INSERT INTO requests (state, owner, fingerprint, family, model, address, key_print, "
            "prompt, fields, refs, seed, asked, notes, idempotency_key, created_at, updated_at) "
            "VALUES ('intended', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self.owner, intent.fingerprint, intent.family, intent.model, intent.address,
                intent.key_print, intent.prompt, json.dumps(dict(intent.fields)),
                json.dumps(intent.references), str(intent.seed), intent.asked,
                json.dumps(intent.notes), idempotency_key, now, now,
            ),
        )  # fmt: skip
        return self._row(db, cursor.lastrowid or 0)

    def _taken_over(self, db: sqlite3.Connection, row: Row) -> Row:
        """Make a row mine unless a live process works on it; a dead one's *sending* is unknown."""
        if row.owner not in (None, self.owner) and is_alive(self._owners, str(row.owner)):
            return row
        if row.state is State.SENDING and row.owner != self.owner:
            error = OutcomeUnknown("outcome_unknown_crash", entry=row.id)
            self._move(db, row, State.UNKNOWN, error=error)
        db.execute("UPDATE requests SET owner = ? WHERE id = ?", (self.owner, row.id))
        return self._row(db, row.id)

    def release(self, row_id: int) -> None:
        """Nobody of this process works on the row any more."""
        with self._transaction() as db:
            db.execute(
                "UPDATE requests SET owner = NULL WHERE id = ? AND owner = ?", (row_id, self.owner)
            )

    # --- moves ----------------------------------------------------------------------------------

    def move(
        self,
        row_id: int,
        state: State,
        *,
        task_id: str | None = None,
        request_id: str | None = None,
        error: SeedreamError | None = None,
    ) -> Row:
        """Move a row that is mine; any other move than those of ``intents.MOVES`` is a defect."""
        with self._transaction() as db:
            row = self._row(db, row_id)
            self._move(db, row, state, task_id=task_id, request_id=request_id, error=error)
            return self._row(db, row_id)

    def _move(
        self,
        db: sqlite3.Connection,
        row: Row,
        state: State,
        *,
        task_id: str | None = None,
        request_id: str | None = None,
        error: SeedreamError | None = None,
    ) -> None:
        if state not in MOVES[row.state]:
            raise ValueError(f"row {row.id} may not go from {row.state.value} to {state.value}")
        now = self.now()
        stamp = ledger_schema.STAMPS.get(state)
        db.execute(
            "UPDATE requests SET state = ?, error = ?, task_id = COALESCE(?, task_id), "
            "request_id = COALESCE(?, request_id), updated_at = ? WHERE id = ?",
            (
                state.value,
                json.dumps(error.to_record()) if error else None,
                task_id,
                request_id,
                now,
                row.id,
            ),
        )
        if stamp:
            db.execute(f"UPDATE requests SET {stamp} = ? WHERE id = ?", (now, row.id))  # noqa: S608

    def answered(
        self,
        row_id: int,
        items: tuple[ResultItem, ...],
        files: Mapping[int, StoredFile],
        request_id: str | None = None,
    ) -> Row:
        """Write down where the results are; what is already stored of them stays.

        Args:
            files: by position, the images that came inside the answer and are on the disk already.
        """
        with self._transaction() as db:
            self._move(db, self._row(db, row_id), State.ANSWERED, request_id=request_id)
            now = self.now()
            for item in items:
                error = str(item.error) if item.error and not item.was_made else None
                db.execute(
                    "INSERT INTO images (request, position, url, url_seen_at, error) "
                    "VALUES (?, ?, ?, ?, ?) ON CONFLICT (request, position) DO UPDATE SET "
                    "url = excluded.url, url_seen_at = excluded.url_seen_at, "
                    "error = excluded.error",
                    (row_id, item.position, item.url, now if item.url else None, error),
                )
            for position, file in files.items():
                self._stored(db, row_id, position, file, (0, 0))
            return self._row(db, row_id)

    def stored(self, row_id: int, position: int, file: StoredFile, size: tuple[int, int]) -> None:
        """An image's bytes are whole and on the disk.

        Args:
            size: width and height in pixels, 0 where the bytes are no readable image.
        """
        with self._transaction() as db:
            self._stored(db, row_id, position, file, size)

    def _stored(
        self,
        db: sqlite3.Connection,
        row_id: int,
        position: int,
        file: StoredFile,
        size: tuple[int, int],
    ) -> None:
        place = file.path.relative_to(self.home).as_posix()
        db.execute(
            "UPDATE images SET sha256 = ?, file = ?, bytes = ?, media_type = ?, width = ?, "
            "height = ? WHERE request = ? AND position = ?",
            (file.sha256, place, file.bytes, file.media_type, *size, row_id, position),
        )

    def lost(self, row_id: int, positions: list[int]) -> Row:
        """The files of these images are no longer in the store: they are to be fetched again."""
        with self._transaction() as db:
            for position in positions:
                db.execute(
                    "UPDATE images SET sha256 = NULL, file = NULL WHERE request = ? "
                    "AND position = ?",
                    (row_id, position),
                )
            self._move(db, self._row(db, row_id), State.ANSWERED)
            return self._row(db, row_id)

    def delivered(self, row_id: int) -> None:
        """Somebody has received the images: the store may let them go one day."""
        with self._transaction() as db:
            db.execute("UPDATE requests SET delivered_at = ? WHERE id = ?", (self.now(), row_id))

    # --- looking --------------------------------------------------------------------------------

    def row(self, row_id: int) -> Row:
        with self._transaction() as db:
            return self._row(db, row_id)

    def images(self, row_id: int) -> list[Image]:
        with self._transaction() as db:
            return self._images(db, row_id)

    def rows(self, states: tuple[State, ...] = (), limit: int = 1_000) -> list[Row]:
        """The newest rows first, of these states or of all but the forgotten."""
        wanted = states or tuple(state for state in State if state is not State.FORGOTTEN)
        marks = ", ".join("?" for _ in wanted)
        with self._transaction() as db:
            found = db.execute(
                f"SELECT * FROM requests WHERE state IN ({marks}) ORDER BY id DESC LIMIT ?",  # noqa: S608
                (*(state.value for state in wanted), limit),
            )
            return [row_from(row) for row in found]

    def find(self, name: str) -> Row | None:
        """The row that a person means: by its number, or by its task id."""
        with self._transaction() as db:
            found = db.execute(
                "SELECT * FROM requests WHERE CAST(id AS TEXT) = ? OR task_id = ? "
                "ORDER BY state = 'forgotten', id DESC",
                (name, name),
            ).fetchone()
            return row_from(found) if found is not None else None

    def stored_image(self, url: str) -> Image | None:
        """The stored image that came from this result URL."""
        with self._transaction() as db:
            found = db.execute(
                "SELECT * FROM images WHERE url = ? AND file IS NOT NULL ORDER BY request DESC",
                (url,),
            ).fetchone()
            return image_from(found, self.home) if found is not None else None

    def typical_seconds(self, model: str) -> float | None:
        """The median time from acceptance to completion of this model's last twenty tasks."""
        with self._transaction() as db:
            found = db.execute(
                "SELECT answered_at - accepted_at FROM requests WHERE model = ? AND "
                "answered_at > accepted_at ORDER BY id DESC LIMIT 20",
                (model,),
            ).fetchall()
        seconds = sorted(float(row[0]) for row in found)
        return seconds[len(seconds) // 2] if seconds else None

    def stored_files(self) -> list[StoredImageFile]:
        """Every file that rows refer to, the longest delivered first."""
        with self._transaction() as db:
            found = db.execute(
                "SELECT sha256, file, MAX(bytes) AS bytes, CASE WHEN COUNT(*) = "
                "COUNT(delivered_at) THEN MAX(delivered_at) END AS delivered_at FROM images "
                "JOIN requests ON requests.id = images.request WHERE file IS NOT NULL "
                "GROUP BY sha256, file ORDER BY delivered_at IS NULL, delivered_at"
            )
            return [
                StoredImageFile(
                    self.home / row["file"], row["sha256"], row["bytes"], row["delivered_at"]
                )
                for row in found
            ]

    def stored_bytes(self) -> int:
        """What the rows' files weigh, equal ones counted once."""
        with self._transaction() as db:
            found = db.execute(
                "SELECT SUM(weight) FROM (SELECT MAX(bytes) AS weight FROM images "
                "WHERE file IS NOT NULL GROUP BY sha256)"
            ).fetchone()
        return int(found[0] or 0)

    def dropped(self, sha256: str) -> None:
        """A file left the store on purpose."""
        with self._transaction() as db:
            db.execute("UPDATE images SET file = NULL WHERE sha256 = ?", (sha256,))

    def forget(self, row_id: int) -> None:
        """Let the same inputs be paid for again.

        Raises:
            ValueError: a live process works on it.
        """
        with self._transaction() as db:
            row = self._taken_over(db, self._row(db, row_id))
            if row.owner != self.owner:
                raise ValueError(f"row {row_id} is worked on")
            self._move(db, row, State.FORGOTTEN)
            db.execute("UPDATE requests SET owner = NULL WHERE id = ?", (row_id,))

    # --- the database ---------------------------------------------------------------------------

    def _row(self, db: sqlite3.Connection, row_id: int) -> Row:
        return row_from(db.execute("SELECT * FROM requests WHERE id = ?", (row_id,)).fetchone())

    def _images(self, db: sqlite3.Connection, row_id: int) -> list[Image]:
        found = db.execute("SELECT * FROM images WHERE request = ? ORDER BY position", (row_id,))
        return [image_from(image, self.home) for image in found]

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        db = self._connection
        if self._lost is not None:
            raise LedgerFailed(self._lost.key, **self._lost.values)
        try:
            db.execute("BEGIN IMMEDIATE")
            try:
                self._check_place()
                yield db
                db.execute("COMMIT")
            except BaseException:
                ledger_schema.roll_back(db)
                raise
        except (OSError, sqlite3.Error) as error:
            if ledger_schema.is_broken(error):
                db.close()
                self._lost = ledger_schema.failed(self.path, self._place, error)
                raise self._lost from None
            raise ledger_schema.failed(self.path, self._place, error) from None

    def _check_place(self) -> None:
        """What is written into a deleted file is lost as soon as this process ends."""
        if ledger_schema.place_of(self.path) != self._place:
            self._lost = self._unwritable("it was moved or deleted while it was in use")
            raise self._lost

    transaction = _transaction
    """For the modules that keep more in the same file; on the ledger's own thread only."""

    def _unwritable(self, reason: object) -> LedgerFailed:
        return LedgerFailed("ledger_unwritable", path=self.path, reason=reason)
