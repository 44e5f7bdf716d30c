"""Responses of the service that could not be read, kept beside their rows."""

from __future__ import annotations

import sqlite3
import zlib
from dataclasses import replace
from typing import Any

from ..kept_response import KeptResponse
from ..redaction import hide_known, redact
from .cells import Cells, storable, to_count, to_moment, to_text
from .queries import LedgerQueries
from .withheld import without_prompts, without_texts

MAX_KEPT_BYTES = 32 * 1024 * 1024
"""Of one response, after compression."""
MAX_KEPT = 4
"""Responses per row: the first, which may be the only one with the images, and the latest ones."""


class LedgerResponses(LedgerQueries):
    """The ledger's methods that keep responses and read them back."""

    def keep_response(self, row_id: int, status: int | None, body: bytes, note: str) -> None:
        """Keep a response beside its row; one whose bytes are kept already is not kept twice."""
        packed = self._packed(row_id, KeptResponse(status, body, note))
        with self.transaction() as db:
            self._keep(db, row_id, packed)

    def _packed(self, row_id: int, response: KeptResponse) -> KeptResponse:
        """What is written of a response. Call it before the transaction, which others wait for."""
        hidden = self.hidden.get(row_id, ())
        return pack(response, hidden, keeps_prompt=self._has_prompt(row_id))

    def _has_prompt(self, row_id: int) -> bool:
        """Whether the prompt stands in the row: only then may one stand in a response beside it."""
        with self.transaction(lasting=False) as db:
            found = db.execute("SELECT prompt FROM requests WHERE id = ?", (row_id,)).fetchone()
        return found is not None and found["prompt"] is not None

    def response(self, row_id: int) -> KeptResponse | None:
        """The latest response that was kept for a row."""
        kept = self.responses(row_id)
        return kept[0] if kept else None

    def responses(self, row_id: int) -> list[KeptResponse]:
        """Every response that was kept for a row, the latest first."""
        with self.transaction(lasting=False) as db:
            found = db.execute(
                "SELECT * FROM responses WHERE request = ? ORDER BY number DESC", (row_id,)
            ).fetchall()
        return [_unpack(response) for response in found]

    def _keep(self, db: sqlite3.Connection, row_id: int, packed: KeptResponse) -> None:
        """Keep what :func:`pack` gave, within the caller's transaction."""
        known = db.execute(
            "SELECT number, body = ? AS is_same FROM responses WHERE request = ? ORDER BY number",
            (packed.body, row_id),
        ).fetchall()
        if any(each["is_same"] for each in known):
            return
        if len(known) >= MAX_KEPT:
            db.execute(
                "DELETE FROM responses WHERE request = ? AND number = ?",
                (row_id, known[1]["number"]),
            )
        db.execute(
            "INSERT INTO responses (request, number, status, body, note, truncated, received_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                row_id,
                known[-1]["number"] + 1 if known else 1,
                packed.status,
                packed.body,
                storable(packed.note),
                packed.truncated,
                packed.received_at or self.now(),
            ),
        )


def pack(
    response: KeptResponse, hidden: tuple[str, ...] = (), *, keeps_prompt: bool = True
) -> KeptResponse:
    """Compress the body of a response, without secrets and hidden texts.

    Args:
        keeps_prompt: whether fields like ``revised_prompt`` may stay as the service wrote them.
    """
    text = hide_known(response.body.decode("utf-8", "surrogateescape"))
    text = without_texts(text, hidden)
    data = text.encode("utf-8", "surrogateescape")
    body = zlib.compress(data if keeps_prompt else without_prompts(data), 1)
    is_cut = response.truncated or len(body) > MAX_KEPT_BYTES
    return replace(
        response, body=body[:MAX_KEPT_BYTES], note=redact(response.note), truncated=is_cut
    )


def _unpack(found: sqlite3.Row) -> KeptResponse:
    """Read a kept response. What cannot be read of it is left out, and its note says so."""
    cells = Cells(found)
    body = cells.read("body", _inflate, b"")
    status = cells.read("status", to_count, None)
    note = cells.read("note", to_text, "")
    truncated = bool(cells.read("truncated", to_count, 1))
    received_at = cells.read("received_at", to_moment, 0.0)
    if cells.problems:
        lacking = f"cannot be read: {', '.join(cells.problems)}"
        note = "; ".join(filter(None, (note, lacking)))
    return KeptResponse(status, body, note, truncated, received_at)


def _inflate(value: Any) -> bytes:
    """Undo the compression; unlike ``zlib.decompress``, this gives what precedes a cut."""
    try:
        return zlib.decompressobj().decompress(value)
    except zlib.error as error:
        raise ValueError(str(error)) from None
