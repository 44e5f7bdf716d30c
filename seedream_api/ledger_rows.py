"""The ledger's rows as they are read back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import SeedreamError, from_record
from .intents import State
from .spelling import spell_recorded_address


@dataclass(frozen=True)
class Row:
    """One intent. Times are wall-clock seconds since the epoch."""

    id: int
    state: State
    owner: str | None
    fingerprint: str | None
    """``None`` for a task that was adopted by its id."""
    family: str | None
    model: str | None
    address: str
    key_print: str | None
    prompt: str | None
    fields: dict[str, Any]
    references: tuple[str, ...]
    seed: int
    asked: int
    notes: tuple[str, ...]
    idempotency_key: str | None
    task_id: str | None
    request_id: str | None
    error: SeedreamError | None
    created_at: float
    sent_at: float | None
    accepted_at: float | None
    answered_at: float | None
    finished_at: float | None
    delivered_at: float | None

    @property
    def may_have_been_charged(self) -> bool:
        """Whether money may hang on it, as far as the record knows."""
        if self.error is not None:
            return self.error.may_have_been_charged
        return self.sent_at is not None or self.accepted_at is not None

    def charged_images(self, images: Sequence[Image]) -> int:
        """How many images may have been charged: those that were made, else all that were asked."""
        if not self.may_have_been_charged:
            return 0
        return sum(image.was_made for image in images) if images else self.asked


@dataclass(frozen=True)
class Image:
    """One image of a row: where the service put it, and its file once it is stored."""

    request: int
    position: int
    url: str | None
    file: Path | None
    sha256: str | None
    bytes: int
    media_type: str
    width: int
    height: int
    error: str | None
    """Why the service made none at this position."""
    url_seen_at: float | None
    """When the service first gave the URL, in wall-clock seconds."""
    url_expires_at: float | None
    """When the URL is said to die, in wall-clock seconds; see ``link_life.py``."""

    @property
    def was_made(self) -> bool:
        """Whether the service made it; what is made is charged."""
        return self.error is None

    @property
    def is_missing(self) -> bool:
        """Whether the service made it and its bytes are not in the store."""
        return self.was_made and self.file is None


@dataclass(frozen=True)
class KeptResponse:
    """A response of the service that could not be read, kept for a later reader or a person.

    Args:
        status: the HTTP status; ``None`` where no status line arrived.
        body: the bytes as they were received.
        note: why it was kept.
        truncated: whether the end of the body was cut off when it was kept.
        received_at: wall-clock seconds; the ledger sets it.
    """

    status: int | None
    body: bytes = field(repr=False)
    note: str = ""
    truncated: bool = False
    received_at: float = 0.0


@dataclass(frozen=True)
class StoredImageFile:
    """A file of the store, and when the last of its rows was delivered; ``None``: one never was."""

    path: Path
    sha256: str
    bytes: int
    delivered_at: float | None


def row_from(found: sqlite3.Row) -> Row:
    """The row as it was written.

    Raises:
        sqlite3.DatabaseError: its values are none that were ever written.
    """
    values = dict(found)
    try:
        return _row_of(values)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise sqlite3.DatabaseError(f"entry {values['id']} is malformed ({error})") from None


def _row_of(values: dict[str, Any]) -> Row:
    error = values["error"]
    return Row(
        id=values["id"],
        state=State(values["state"]),
        owner=values["owner"],
        fingerprint=values["fingerprint"],
        family=values["family"],
        model=values["model"],
        address=spell_recorded_address(values["address"]),
        key_print=values["key_print"],
        prompt=values["prompt"],
        fields=json.loads(values["fields"] or "{}"),
        references=tuple(json.loads(values["refs"] or "[]")),
        seed=int(values["seed"] or 0),
        asked=values["asked"] or 0,
        notes=tuple(json.loads(values["notes"] or "[]")),
        idempotency_key=values["idempotency_key"],
        task_id=values["task_id"],
        request_id=values["request_id"],
        error=from_record(json.loads(error)) if error else None,
        created_at=values["created_at"],
        sent_at=values["sent_at"],
        accepted_at=values["accepted_at"],
        answered_at=values["answered_at"],
        finished_at=values["finished_at"],
        delivered_at=values["delivered_at"],
    )


def file_in(home: Path, name: object) -> Path | None:
    """The path of a stored file's name; ``None`` for no name.

    Raises:
        sqlite3.DatabaseError: it is none that was ever written.
    """
    if not isinstance(name, (str, type(None))) or "\0" in (name or ""):
        raise sqlite3.DatabaseError(f"the name of a file is malformed ({type(name).__name__})")
    return home / name if name else None


def image_from(found: sqlite3.Row, home: Path) -> Image:
    values = dict(found)
    return Image(
        request=values["request"],
        position=values["position"],
        url=values["url"],
        file=file_in(home, values["file"]),
        sha256=values["sha256"],
        bytes=values["bytes"] or 0,
        media_type=values["media_type"] or "",
        width=values["width"] or 0,
        height=values["height"] or 0,
        error=values["error"],
        url_seen_at=values["url_seen_at"],
        url_expires_at=values["url_expires_at"],
    )
