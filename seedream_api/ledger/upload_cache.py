"""Uploads of reference images by content, kept across restarts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..images.encode import EncodedImage
from . import statements
from .cells import Row, dump_texts, to_notes
from .database import Database

ASSUMED_LIFE_S = 24 * 3600.0
"""How long a URL is taken to live whose host promises nothing."""
_LEAST_LEFT_S = 600.0
_LEAST_LEFT_SHARE = 0.05
"""The service fetches the image only when the request has waited for its turn."""


@dataclass(frozen=True)
class UploadedReference:
    """A reference image at the URL from which the service fetches it.

    Args:
        expires_at: wall-clock seconds; ``None`` where the host promises nothing.
        notes: what was done to the image before the upload.
        reused: whether an earlier upload serves.
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
    """Get the wall-clock second after which a URL expires too soon to be sent."""
    ends = created_at + ASSUMED_LIFE_S if expires_at is None else expires_at
    return ends - max(_LEAST_LEFT_S, _LEAST_LEFT_SHARE * (ends - created_at))


def find_upload(
    database: Database, content: str, target: str, location: str
) -> UploadedReference | None:
    """Find the upload of this content, unless its URL expires soon.

    Args:
        content: ``PictureReference.identity``.
        location: ``UploadTarget.location``.
    """
    values = {"content": content, "target": target, "location": location}
    with database.read():
        found = database.execute(statements.UPLOAD, values).fetchone()
    try:
        if found is None or safe_until(found["expires_at"], found["created_at"]) <= database.now():
            return None
        return _parse(found)
    except (ValueError, TypeError, RecursionError):
        return None  # a damaged row; another upload costs nothing


def record_upload(
    database: Database, content: str, location: str, uploaded: UploadedReference
) -> None:
    """Record an upload, and delete those that have expired."""
    values = {
        **vars(uploaded),
        "content": content,
        "location": location,
        "notes": dump_texts(uploaded.notes),
        "now": database.now(),
    }
    with database.write(durable=False):
        database.lock("uploads")
        expired = {"assumed_life_s": ASSUMED_LIFE_S, "now": values["now"]}
        database.execute(statements.DELETE_EXPIRED_UPLOADS, expired)
        database.execute(statements.DELETE_UPLOAD, values)
        database.execute(statements.INSERT_UPLOAD, values)


def forget_uploads(database: Database, contents: Iterable[str]) -> None:
    """Delete the uploads of these contents, which have to be uploaded again."""
    with database.write(durable=True):
        database.lock("uploads")
        for content in contents:
            database.execute(statements.DELETE_UPLOADS, {"content": content})


def _parse(found: Row) -> UploadedReference:
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
