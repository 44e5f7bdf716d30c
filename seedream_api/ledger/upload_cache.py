"""Which pictures are uploaded already, by content, kept in the ledger across restarts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..images.encode import EncodedImage
from ..ledger.cells import dump_texts, to_notes
from .ledger import Ledger

ASSUMED_LIFE_S = 24 * 3600.0
"""Of a URL whose host promises nothing."""
_LEAST_LEFT_S = 600.0
_LEAST_LEFT_SHARE = 0.05
"""A request may wait for its turn at the service, which fetches the picture only then."""


@dataclass(frozen=True)
class UploadedReference:
    """A picture at the place from where the service fetches it.

    Args:
        expires_at: wall-clock seconds; ``None`` where the host promises nothing.
        notes: what was done to the picture on the way.
        reused: whether it was there already.
    """

    target: str
    url: str = field(repr=False)
    expires_at: float | None
    width: int
    height: int
    media_type: str
    bytes: int
    lossless: bool
    notes: tuple[str, ...] = ()
    reused: bool = False


def to_uploaded_reference(
    encoded: EncodedImage, *, target: str, url: str, expires_at: float | None
) -> UploadedReference:
    return UploadedReference(
        target=target,
        url=url,
        expires_at=expires_at,
        width=encoded.width,
        height=encoded.height,
        media_type=encoded.media_type,
        bytes=len(encoded.data),
        lossless=encoded.lossless,
        notes=encoded.notes,
    )


def safe_until(expires_at: float | None, created_at: float) -> float:
    """The wall-clock second from which on a URL is too close to its end to be given out."""
    ends = created_at + ASSUMED_LIFE_S if expires_at is None else expires_at
    return ends - max(_LEAST_LEFT_S, _LEAST_LEFT_SHARE * (ends - created_at))


def get(ledger: Ledger, content: str, target: str, place: str) -> UploadedReference | None:
    """The upload of this content there, if its URL lives long enough. Call by ``Ledger.run``.

    Args:
        content: what ``PictureReference.identity`` gives.
        place: what ``Way.place`` says.
    """
    with ledger.transaction() as db:
        found = db.execute(
            "SELECT * FROM uploads WHERE content = ? AND way = ? AND place = ?",
            (content, target, place),
        ).fetchone()
    try:
        if found is None or safe_until(found["expires_at"], found["created_at"]) <= ledger.now():
            return None
        return _sent(found)
    except (ValueError, TypeError, RecursionError):
        return None  # nobody wrote that; another upload costs nothing


def put(ledger: Ledger, content: str, place: str, sent: UploadedReference) -> None:
    """Write an upload down, and forget those that have expired. Call by ``Ledger.run``."""
    now = ledger.now()
    with ledger.transaction(lasting=False) as db:
        db.execute(
            "DELETE FROM uploads WHERE COALESCE(expires_at, created_at + ?) < ?",
            (ASSUMED_LIFE_S, now),
        )
        db.execute(
            "INSERT OR REPLACE INTO uploads (content, way, place, url, expires_at, width, height, "
            "media_type, bytes, lossless, notes, created_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                content, sent.target, place, sent.url, sent.expires_at, sent.width, sent.height,
                sent.media_type, sent.bytes, sent.lossless, dump_texts(sent.notes), now,
            ),
        )  # fmt: skip


def invalidate(ledger: Ledger, contents: Iterable[str]) -> None:
    """These pictures have to be uploaded again. Call by ``Ledger.run``."""
    with ledger.transaction() as db:
        db.executemany("DELETE FROM uploads WHERE content = ?", [(one,) for one in contents])


def _sent(found: sqlite3.Row) -> UploadedReference:
    return UploadedReference(
        target=found["way"],
        url=found["url"],
        expires_at=found["expires_at"],
        width=found["width"],
        height=found["height"],
        media_type=found["media_type"],
        bytes=found["bytes"],
        lossless=bool(found["lossless"]),
        notes=to_notes(found["notes"]),
        reused=True,
    )
