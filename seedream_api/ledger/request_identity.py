"""Recognise a request that the ledger holds, however its address and references are spelled.

A URL that the ledger gave out (of an upload or a result) is identified by the image it serves,
because hosts renew such URLs. Rows of version 0.1 hold the URL itself, and the service's address as
it was typed: their fingerprints are computed from their own spellings.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, cast

from ..config.normalization import normalize_recorded_address
from ..redaction import strip_url_secrets
from . import statements
from .database import Database
from .records import JobRecord, parse_row
from .states import STORED_STATES, State, fingerprint

_URL = "url:"
_URL_HASH = "url-sha256:"
_PREFERENCE = (
    State.INTENDED, State.UNKNOWN, State.EMPTY, State.SENDING, State.ACCEPTED, State.ANSWERED,
    State.PARTIAL, State.COMPLETED,
)  # fmt: skip
"""Of several rows for one request the last state here counts; an unsent row would be charged."""


def identify_request(
    database: Database,
    address: str,
    body: Mapping[str, Any],
    references: Sequence[str],
    seed: int,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Identify the references by content, and find the fingerprints of older rows.

    Args:
        body: the JSON body without its reference field.
        references: what ``references.identities`` gives.
    """
    with database.read():
        by_content = _by_content(database, references)
        has_content = any(not one.startswith(_URL) for one in by_content)
        found = _find_older(database, address, seed, has_content=has_content)
        urls = _by_print(database, references, by_content)
        older = [
            (row["address"], tuple(urls.get(one, one) for one in _parse(row["refs"])))
            for row in found
            if _is_spelling(row["address"], address)
        ]
        also = tuple(
            fingerprint(spelled, body, refs, seed)
            for spelled, refs in older
            if len(refs) == len(by_content)
            and all(map(partial(_is_same, database), refs, by_content))
        )
    own = fingerprint(address, body, by_content, seed)
    return by_content, tuple(one for one in dict.fromkeys(also) if one != own)


def _find_older(
    database: Database, address: str, seed: int, *, has_content: bool
) -> list[Mapping[str, Any]]:
    values = {"seed": str(seed)}
    with_seed = database.execute(statements.ADDRESSES_WITH_SEED, values).fetchall()
    known = {one["address"] for one in with_seed if _is_spelling(one["address"], address)}
    others = sorted(known - {address})
    statement, listed = statements.older_spellings(others, has_content=has_content)
    return database.execute(statement, {**values, **listed}).fetchall()


def _is_spelling(recorded: object, address: str) -> bool:
    """Tell whether a recorded address is this one; a damaged cell is not a text."""
    return isinstance(recorded, str) and normalize_recorded_address(recorded) == address


def storable_references(references: Sequence[str]) -> tuple[str, ...]:
    """Convert references for the ledger: a URL that may contain a secret becomes its hash."""
    return tuple(
        f"{_URL_HASH}{_hash_url(url)}"
        if one.startswith(_URL) and strip_url_secrets(url := one.removeprefix(_URL)) != url
        else one
        for one in references
    )


class SentUrls(Container[str]):
    """The URLs of a row's references; only the hashes of signed ones are known."""

    def __init__(self, urls: Iterable[str], prints: Iterable[str]) -> None:
        self._urls, self._prints = frozenset(urls), frozenset(prints)

    def __contains__(self, url: object) -> bool:
        return url in self._urls or (isinstance(url, str) and _hash_url(url) in self._prints)


def list_sent_urls(database: Database, references: Sequence[str]) -> SentUrls:
    """List the URLs under which a row's references may have been sent."""
    foreign = [one.removeprefix(_URL) for one in references if one.startswith(_URL)]
    prints = [one.removeprefix(_URL_HASH) for one in references if one.startswith(_URL_HASH)]
    with database.read():
        return SentUrls((*foreign, *list_given_urls(database, references)), prints)


def _hash_url(url: str) -> str:
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()


def find_rows(
    database: Database, fingerprints: Sequence[str], *, for_update: bool = False
) -> list[JobRecord]:
    """Find the rows that may count for a request, the preferred one first."""
    statement, values = statements.jobs_by_fingerprint(fingerprints)
    found = database.execute(f"{statement}{database.for_update if for_update else ''}", values)
    rows = [parse_row(row) for row in found]
    return sorted(rows, key=lambda row: (_PREFERENCE.index(row.state), row.id), reverse=True)


def choose_row(rows: Sequence[JobRecord], *, reuse: bool) -> JobRecord | None:
    """Choose the row that counts for a request; a completed one only with ``reuse``."""
    return next((row for row in rows if reuse or row.state not in STORED_STATES), None)


def _by_content(database: Database, references: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        find_content(database, one.removeprefix(_URL)) or one if one.startswith(_URL) else one
        for one in references
    )


def _by_print(
    database: Database, references: Sequence[str], by_content: Sequence[str]
) -> dict[str, str]:
    """Map the stored hash of each known URL to its identity."""
    given = (one.removeprefix(_URL) for one in references if one.startswith(_URL))
    return {
        f"{_URL_HASH}{_hash_url(url)}": f"{_URL}{url}"
        for url in (*given, *list_given_urls(database, by_content))
    }


def _is_same(database: Database, older: str, reference: str) -> bool:
    """Tell whether an older row's reference is the same image as one by content."""
    if older == reference or reference.startswith(_URL) or not older.startswith(_URL):
        return older == reference
    return find_content(database, older.removeprefix(_URL)) == reference


def _parse(refs: str | None) -> tuple[str, ...]:
    try:
        found = json.loads(refs or "[]")
    except (ValueError, TypeError, RecursionError):
        return ("",)  # a damaged cell is equal to no request's references
    return tuple(map(str, cast("list[Any]", found))) if isinstance(found, list) else ("",)


def strip_signature(url: str) -> str:
    """Get the part of a URL that stays when it is signed again, as S3 and compatible hosts sign."""
    return url.partition("?X-Amz-")[0]


def find_content(database: Database, url: str) -> str | None:
    """Find the content that a URL serves, as ``PictureReference.identity``; ``None`` if unknown."""
    found = database.execute(statements.CONTENT_OF_URL, {"object": strip_signature(url)}).fetchone()
    return found["content"] if found is not None else None


def list_given_urls(database: Database, contents: Iterable[str]) -> list[str]:
    """List every URL that was given out for these contents."""
    return [
        row["url"]
        for content in contents
        for row in database.execute(statements.URLS_OF_CONTENT, {"content": content})
    ]
