"""Keep responses of the service that could not be read, beside their rows."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import Any

from ..kept_response import KeptResponse
from ..redaction import hide_known, redact
from . import statements
from .cells import Cells, Row, to_count, to_moment, to_storable, to_text
from .database import Database
from .withheld import hide_prompts, hide_texts

MAX_KEPT_BYTES = 32 * 1024 * 1024
"""Per response, after compression."""
MAX_KEPT = 4
"""Responses per row: the first, which may be the only one with the images, and the latest ones."""


def keep_response(
    database: Database, row_id: int, status: int | None, body: bytes, note: str
) -> None:
    """Keep a response beside its row, unless the same bytes are kept already."""
    packed = pack_for(database, row_id, KeptResponse(status, body, note))
    with database.write(durable=True):
        insert_response(database, row_id, packed)


def list_responses(database: Database, row_id: int) -> list[KeptResponse]:
    """List the responses that are kept for a row, the latest first."""
    with database.read():
        return [*map(_unpack, database.execute(statements.RESPONSES, {"request": row_id}))]


def pack_for(database: Database, row_id: int, response: KeptResponse) -> KeptResponse:
    """Pack a response of this row; call it before the transaction, for which others wait.

    A prompt stays in the response only where the row holds it too.
    """
    with database.read():
        found = database.execute(statements.JOB, {"id": row_id}).fetchone()
    keeps_prompt = found is not None and found["prompt"] is not None
    return pack(response, database.hidden.get(row_id, ()), keeps_prompt=keeps_prompt)


def insert_response(database: Database, row_id: int, packed: KeptResponse) -> None:
    """Keep what :func:`pack` gave, within the caller's transaction."""
    values = {"request": row_id, "body": packed.body}
    known = database.execute(statements.COMPARE_RESPONSES, values).fetchall()
    if any(each["is_same"] for each in known):
        return
    if len(known) >= MAX_KEPT:
        second = {"request": row_id, "number": known[1]["number"]}
        database.execute(statements.DELETE_RESPONSE, second)
    more = {
        "number": known[-1]["number"] + 1 if known else 1,
        "status": packed.status,
        "note": to_storable(packed.note),
        "truncated": packed.truncated,
        "received_at": packed.received_at or database.now(),
    }
    database.execute(statements.INSERT_RESPONSE, {**values, **more})


def pack(
    response: KeptResponse, hidden: tuple[str, ...] = (), *, keeps_prompt: bool = True
) -> KeptResponse:
    """Compress the body of a response, without secrets and hidden texts.

    Args:
        keeps_prompt: whether fields like ``revised_prompt`` may stay as the service wrote them.
    """
    text = hide_known(response.body.decode("utf-8", "surrogateescape"))
    text = hide_texts(text, hidden)
    data = text.encode("utf-8", "surrogateescape")
    body = zlib.compress(data if keeps_prompt else hide_prompts(data), 1)
    is_cut = response.truncated or len(body) > MAX_KEPT_BYTES
    return replace(
        response, body=body[:MAX_KEPT_BYTES], note=redact(response.note), truncated=is_cut
    )


def _unpack(found: Row) -> KeptResponse:
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
