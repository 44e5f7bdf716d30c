"""The inputs of a recorded job, as far as the ledger knows them, to run or change it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..redaction import strip_url_secrets
from . import statements
from .database import Database
from .queries import read_record
from .records import JobRecord
from .reference_files import find_reference_file
from .request_identity import list_given_urls, strip_signature


@dataclass(frozen=True)
class KnownReference:
    """A reference image of a job: a file of the store, a URL, or neither if it is lost.

    Args:
        width, height: in pixels; 0 where they are not known.
        is_exact: whether a request with it is equal to the recorded one.
    """

    path: Path | None = None
    url: str | None = field(default=None, repr=False)
    media_type: str = ""
    width: int = 0
    height: int = 0
    is_exact: bool = False


@dataclass(frozen=True)
class JobInputs:
    """The inputs of a job.

    Args:
        fields: the body without prompt and references.
        is_exact: whether a request made of them, files before URLs, is equal to the recorded one.
    """

    row: JobRecord
    prompt: str | None
    fields: Mapping[str, Any]
    references: tuple[KnownReference, ...]
    is_exact: bool


def read_inputs(database: Database, row_id: int) -> JobInputs:
    """Read the inputs of a job.

    Raises:
        LedgerFailed: there is no job with this number.
    """
    with database.read():
        row = read_record(database, row_id)
        references = tuple(_find_reference(database, one) for one in row.references)
    is_exact = row.prompt is not None and row.fingerprint is not None
    return JobInputs(
        row,
        row.prompt,
        row.fields,
        references,
        is_exact and all(one.is_exact for one in references) and _has_files_first(references),
    )


def _has_files_first(references: Sequence[KnownReference]) -> bool:
    """Tell whether no URL precedes a file: a node sends its connected images first."""
    kinds = [one.url is not None for one in references]
    return kinds == sorted(kinds)


def _find_reference(database: Database, identity: str) -> KnownReference:
    """Find a reference by what the row holds of it; see ``request_identity.py``."""
    if identity.startswith("url:"):
        return KnownReference(url=identity.removeprefix("url:"), is_exact=True)
    if not identity.startswith("sha256:"):
        return KnownReference()  # only the hash of a signed URL is known
    copy = find_reference_file(database, identity)
    if copy is not None and copy.has_same_pixels:
        return _to_reference(copy.path, vars(copy), is_exact=True)
    for url in map(strip_signature, list_given_urls(database, [identity])):
        if strip_url_secrets(url) == url:
            return KnownReference(url=url, is_exact=True)
    if copy is not None:
        return _to_reference(copy.path, vars(copy), is_exact=False)
    return _find_result(database, identity.removeprefix("sha256:"))


def _find_result(database: Database, sha256: str) -> KnownReference:
    """Find a stored result image that was used as a reference."""
    for found in database.execute(statements.IMAGE_BY_CONTENT, {"sha256": sha256}):
        path = database.find_file(found["file"])
        if path is not None and path.is_file():
            return _to_reference(path, dict(found), is_exact=False)
    return KnownReference()


def _to_reference(path: Path, found: Mapping[str, Any], *, is_exact: bool) -> KnownReference:
    return KnownReference(
        path=path,
        media_type=found["media_type"] or "",
        width=found["width"] or 0,
        height=found["height"] or 0,
        is_exact=is_exact,
    )
