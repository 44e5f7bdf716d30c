"""URLs that the ledger gave out, and the content of the picture that each of them serves.

Hosts renew such URLs: the same picture has another one tomorrow. Rows stay for good, also when an
upload has expired or the link of a result was replaced, because paid requests hold those URLs.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from . import statements

_OBJECT = "substr({0}, 1, instr({0} || '?X-Amz-', '?X-Amz-') - 1)"
"""What :func:`object_of` gives, in SQL."""

SCHEMA = f"""
    CREATE TABLE given_urls (
        id INTEGER PRIMARY KEY,
        url TEXT NOT NULL UNIQUE,
        object TEXT NOT NULL,
        content TEXT NOT NULL
    );
    CREATE INDEX given_urls_by_object ON given_urls (object);
    CREATE INDEX given_urls_by_content ON given_urls (content);
    CREATE INDEX requests_by_seed ON requests (seed) WHERE fingerprint IS NOT NULL;
    INSERT OR IGNORE INTO given_urls (url, object, content)
        SELECT url, {_OBJECT.format("url")}, content FROM uploads ORDER BY created_at;
    INSERT OR IGNORE INTO given_urls (url, object, content)
        SELECT url, {_OBJECT.format("url")}, 'sha256:' || sha256 FROM images
        WHERE url IS NOT NULL AND sha256 IS NOT NULL ORDER BY request, position;
    CREATE TRIGGER note_upload AFTER INSERT ON uploads
    WHEN NOT EXISTS (SELECT 1 FROM given_urls WHERE url = NEW.url) BEGIN
        INSERT INTO given_urls (url, object, content)
        VALUES (NEW.url, {_OBJECT.format("NEW.url")}, NEW.content);
    END;
    CREATE TRIGGER note_result AFTER UPDATE OF url, sha256 ON images
    WHEN NEW.url IS NOT NULL AND NEW.sha256 IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM given_urls WHERE url = NEW.url) BEGIN
        INSERT INTO given_urls (url, object, content)
        VALUES (NEW.url, {_OBJECT.format("NEW.url")}, 'sha256:' || NEW.sha256);
    END;
"""  # noqa: S608 - made of constants
"""A migration of the ledger, so never edited. Triggers miss no writer, not even version 0.1."""


def object_of(url: str) -> str:
    """Give the part of a URL that stays when it is signed again, as S3 and its relatives sign."""
    return url.partition("?X-Amz-")[0]


def content_at(db: sqlite3.Connection, url: str) -> str | None:
    """Find the content that a URL serves, as ``PictureReference.identity``; ``None`` if unknown."""
    found = db.execute(statements.CONTENT_OF_URL, {"object": object_of(url)}).fetchone()
    return found["content"] if found is not None else None


def urls_of(db: sqlite3.Connection, contents: Iterable[str]) -> list[str]:
    """List every URL that was given out for these contents."""
    return [
        row["url"]
        for content in contents
        for row in db.execute(statements.URLS_OF_CONTENT, {"content": content})
    ]
