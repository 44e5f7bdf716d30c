"""Which stored files the bucket of ``SEEDREAM_STORE`` holds, by their hash.

A file that the bucket holds may leave the data folder: any machine reads it from there again. The
note is per bucket, so that another bucket gets every file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from . import statements
from .cells import SHA256, Row, file_in, to_storable
from .database import Database
from .image_store import StoredFile
from .queries import read_images, read_record
from .records import ImageRecord

_SINGLY = 500
"""Up to so many hashes are looked up one by one; for more all are read at once."""


def list_unshared(database: Database, sha256s: Sequence[str]) -> frozenset[str]:
    """List those of these hashes that the bucket does not hold, as far as the ledger knows."""
    with database.read():
        return frozenset(one for one in sha256s if not _is_shared(database, one))


def mark_shared(database: Database, images: Iterable[ImageRecord]) -> list[ImageRecord]:
    """Mark the images whose file the bucket has and this machine lacks; call it while reading."""
    images = list(images)
    absent = {image.sha256 for image in images if image.file is None and image.sha256}
    if not absent or not database.bucket:
        return images
    if len(absent) <= _SINGLY:
        shared = {one for one in absent if _is_shared(database, one)}
    else:
        shared = absent & _read_shared(database)
    return [replace(one, is_shared=True) if one.sha256 in shared else one for one in images]


def _is_shared(database: Database, sha256: str) -> bool:
    statement = f"{statements.SHARED_HASHES} AND sha256 = :sha256"
    values = {"sha256": sha256, "place": database.bucket}
    return database.execute(statement, values).fetchone() is not None


def list_shared(database: Database) -> frozenset[str]:
    """List the hashes of all files that the bucket holds."""
    with database.read():
        return _read_shared(database)


def _read_shared(database: Database) -> frozenset[str]:
    found = database.execute(statements.SHARED_HASHES, {"place": database.bucket})
    return frozenset(row["sha256"] for row in found)


def list_files_to_share(database: Database) -> list[StoredFile]:
    """List the files of this machine that the bucket does not hold yet, oldest first."""
    with database.read():
        values = {"place": database.bucket}
        found = database.execute(statements.UNSHARED_FILES, values).fetchall()
    files = {file.sha256: file for row in found if (file := _parse(database, row)) is not None}
    return [file for file in files.values() if file.path.is_file()]


def list_absent_images(database: Database, row_id: int) -> list[StoredFile]:
    """List the images of a job that were stored and that this machine lacks.

    An image that could not be decoded is left out while it has a link: equal bytes help no one.
    """
    with database.read():
        found = read_images(database, [row_id])
    return _list_absent(database, [row for row in found if row["width"] or row["url"] is None])


def list_absent_references(database: Database, row_id: int) -> list[StoredFile]:
    """List the copies of a job's reference images that this machine lacks."""
    with database.read():
        contents = read_record(database, row_id).references
        found = [
            database.execute(statements.REFERENCE_FILE, {"content": one}).fetchone()
            for one in contents
        ]
    return _list_absent(database, [row for row in found if row is not None])


def find_absent_image(database: Database, url: str) -> list[StoredFile]:
    """Find the stored image that was downloaded from a result URL, if this machine lacks it."""
    with database.read():
        found = database.execute(statements.IMAGE_BY_URL, {"url": to_storable(url)}).fetchone()
    return _list_absent(database, [] if found is None else [found])


def _list_absent(database: Database, rows: Sequence[Row]) -> list[StoredFile]:
    files = (_parse(database, row) for row in rows)
    return [file for file in files if file is not None and not file.path.is_file()]


def _parse(database: Database, row: Row) -> StoredFile | None:
    """Parse the name, hash and size of a file; ``None`` where one of them cannot be read."""
    path, sha256, size = file_in(database.home, row["file"]), row["sha256"], row["bytes"]
    is_hash = isinstance(sha256, str) and SHA256.fullmatch(sha256) is not None
    if path is None or not is_hash or not isinstance(size, int):
        return None
    return StoredFile(path, sha256, size, str(row["media_type"] or ""))


def record_shared(database: Database, sha256: str) -> None:
    """Record that the bucket holds a file."""
    values = {"sha256": sha256, "place": database.bucket, "now": database.now()}
    with database.write(durable=False):
        database.execute(statements.RECORD_SHARED, values)


def forget_shared(database: Database, sha256: str) -> None:
    """Record that the bucket lacks a file, so that a machine that has it puts it there again."""
    with database.write(durable=False):
        values = {"sha256": sha256, "place": database.bucket}
        database.execute(statements.FORGET_SHARED, values)
