"""What happens to a row of the ledger that is mine: its moves, its images, its delivery."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from ..errors import SeedreamError
from ..kept_response import KeptResponse
from ..redaction import clean, redact
from ..service.link_expiry import link_expiry
from ..service.models import ResultItem
from .cells import storable
from .image_matching import match_items
from .image_store import StoredFile
from .kept_responses import LedgerResponses
from .migrations import STATE_TIMESTAMPS
from .records import JobRecord
from .states import STORED_STATES, TRANSITIONS, State
from .withheld import without_texts, without_texts_in


class LedgerTransitions(LedgerResponses):
    """The ledger's methods that change rows; each is one transaction."""

    def move(
        self,
        row_id: int,
        state: State,
        *,
        task_id: str | None = None,
        request_id: str | None = None,
        error: SeedreamError | None = None,
        response: KeptResponse | None = None,
    ) -> JobRecord:
        """Move a row that is mine; any other move than those of ``intents.MOVES`` is a defect.

        That a row is complete follows from its images, which are written down for good before.

        Args:
            response: what the service sent and could not be read; kept with the move or not at all.
        """
        packed = self._packed(row_id, response) if response is not None else None
        with self.transaction(lasting=state not in STORED_STATES) as db:
            row = self._row(db, row_id)
            self._move(db, row, state, task_id=task_id, request_id=request_id, error=error)
            if packed is not None:
                self._keep(db, row_id, packed)
            return self._row(db, row_id)

    def _move(
        self,
        db: sqlite3.Connection,
        row: JobRecord,
        state: State,
        *,
        task_id: str | None = None,
        request_id: str | None = None,
        error: SeedreamError | None = None,
    ) -> None:
        if state not in TRANSITIONS[row.state]:
            raise ValueError(f"row {row.id} may not go from {row.state.value} to {state.value}")
        now = self.now()
        stamp = STATE_TIMESTAMPS.get(state)
        if state is State.FORGOTTEN:
            error = row.error if row.is_readable else None  # whether it was charged stays known
        db.execute(
            "UPDATE requests SET state = ?, error = ?, task_id = COALESCE(?, task_id), "
            "request_id = COALESCE(?, request_id), updated_at = ? WHERE id = ?",
            (
                state.value,
                self._record(error, row.id) if error else None,
                storable(task_id),
                storable(clean(request_id)) if request_id else None,
                now,
                row.id,
            ),
        )
        if state is State.INTENDED:  # it came back: the service surely did not take it
            db.execute("UPDATE requests SET sent_at = NULL WHERE id = ?", (row.id,))
        if stamp:
            # Fetched once more, the answer came when it came first: the service took no longer.
            moment = f"COALESCE({stamp}, ?)" if state is State.ANSWERED else "?"
            db.execute(f"UPDATE requests SET {stamp} = {moment} WHERE id = ?", (now, row.id))  # noqa: S608

    def _record(self, error: SeedreamError, row_id: int) -> str:
        record = error.to_record()
        hidden = self.hidden.get(row_id, ())
        return json.dumps({**record, "values": without_texts_in(record["values"], hidden)})

    def record_response(
        self,
        row_id: int,
        items: tuple[ResultItem, ...],
        files: Mapping[int, StoredFile],
        request_id: str | None = None,
        task_id: str | None = None,
    ) -> JobRecord:
        """Write down where the results are; what is already stored of them stays.

        An entry that names an image of the row again updates it, in whatever order the response
        lists them; see ``ledger_matching.py``.

        Args:
            files: by position, the images that came inside the answer and are on the disk already.
            task_id: where the response names one: it can be asked for fresh links.
        """
        with self.transaction() as db:
            row = self._row(db, row_id)
            self._move(db, row, State.ANSWERED, task_id=task_id, request_id=request_id)
            contents = {position: file.sha256 for position, file in files.items()}
            known = {image.position: image for image in self._images(db, row_id)}
            for position, item in match_items(known.values(), items, contents).items():
                self._write_item(db, row, position, item)
                image, file = known.get(position), files.get(item.position)
                if file is not None and (image is None or image.file is None):
                    self._stored(db, row_id, position, file, (0, 0))
            return self._row(db, row_id)

    def _write_item(
        self, db: sqlite3.Connection, row: JobRecord, position: int, item: ResultItem
    ) -> None:
        error = None
        if item.error and not item.was_made:
            error = redact(without_texts(str(item.error), self.hidden.get(row.id, ())))
        seen_at, dies_at = self._life(item.url, row)
        db.execute(
            "INSERT INTO images (request, position, url, url_seen_at, url_expires_at, "
            "error) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (request, position) DO UPDATE "
            "SET url = excluded.url, error = excluded.error, "
            # A link that is named again is no younger for it.
            "url_seen_at = CASE url WHEN excluded.url THEN url_seen_at "
            "ELSE excluded.url_seen_at END, "
            "url_expires_at = CASE url WHEN excluded.url THEN url_expires_at "
            "ELSE excluded.url_expires_at END",
            (row.id, position, storable(item.url), seen_at, dies_at, storable(error)),
        )

    def _life(self, url: str | None, row: JobRecord) -> tuple[float | None, float | None]:
        """When a URL was first seen, and when it is said to die."""
        now = self.now()
        return (now, link_expiry(url, row.family, now)) if url else (None, None)

    def record_image(
        self, row_id: int, position: int, file: StoredFile, size: tuple[int, int]
    ) -> None:
        """An image's bytes are whole and on the disk.

        Args:
            size: width and height in pixels, 0 where the bytes are no readable image.
        """
        with self.transaction() as db:
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

    def mark_missing(self, row_id: int, positions: list[int]) -> JobRecord:
        """The files of these images are no longer in the store: they are to be fetched again."""
        with self.transaction(lasting=False) as db:
            for position in positions:
                db.execute(
                    "UPDATE images SET sha256 = NULL, file = NULL WHERE request = ? "
                    "AND position = ?",
                    (row_id, position),
                )
            self._move(db, self._row(db, row_id), State.ANSWERED)
            return self._row(db, row_id)

    def mark_delivered(self, row_id: int) -> None:
        """Somebody has received the images: the store may let them go one day."""
        with self.transaction(lasting=False) as db:
            db.execute("UPDATE requests SET delivered_at = ? WHERE id = ?", (self.now(), row_id))

    def mark_pruned(self, sha256: str) -> None:
        """A file left the store on purpose."""
        with self.transaction(lasting=False) as db:
            db.execute("UPDATE images SET file = NULL WHERE sha256 = ?", (sha256,))
