"""Copy a whole ledger into an empty one: a file into PostgreSQL, or back.

Every row is read again in the transaction that wrote it, and compared. Numbers of jobs stay.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import LedgerFailed
from . import statements
from .cells import Row
from .database import Database

TABLES: Mapping[str, tuple[str, ...]] = {
    "requests": ("id",),
    "given_urls": ("id",),
    "images": ("request", "position"),
    "uploads": ("content", "way", "place"),
    "responses": ("request", "number"),
    "reference_files": ("content",),
    "shared_files": ("sha256", "place"),
}
"""The tables with their keys. Requests precede what refers to them, and the known URLs precede the
rows whose triggers would note them."""
_READ_AT_ONCE = 500


def copy_ledger(source: Database, target: Database) -> dict[str, int]:
    """Copy every row, or none; count the rows by table.

    Rows in the target have no owner, so the next process that wants one continues it.

    Raises:
        LedgerFailed: the target holds rows, a process works on rows of the source, or a row cannot
            be copied exactly.
    """
    with source.write(durable=False), target.write(durable=True):
        source.lock_tables(tuple(TABLES))
        target.lock_tables(tuple(TABLES))
        _check(source, target)
        counts = {table: _copy_table(source, target, table) for table in TABLES}
        target.continue_numbers(("requests", "given_urls"))
    return counts


def _check(source: Database, target: Database) -> None:
    for table in TABLES:
        if target.execute(statements.any_row(table)).fetchone() is not None:
            raise LedgerFailed("ledger_not_empty", path=target.place)
    for row in source.execute(statements.OWNERS).fetchall():
        name = row["owner"]
        if isinstance(name, str) and source.is_owner_alive(name):
            raise LedgerFailed("ledger_in_use", path=source.place)


def _copy_table(source: Database, target: Database, table: str) -> int:
    keys, last, count = TABLES[table], dict[str, object](), 0
    while True:
        page = statements.page_of_rows(table, keys, is_first=not last)
        rows = source.execute(page, {**last, "limit": _READ_AT_ONCE}).fetchall()
        for row in rows:
            _copy_row(target, table, row)
        count += len(rows)
        if len(rows) < _READ_AT_ONCE:
            return count
        last = {key: rows[-1][key] for key in keys}


def _copy_row(target: Database, table: str, row: Row) -> None:
    values: statements.Values = {name: row[name] for name in row.keys()}  # noqa: SIM118 - a Row
    if table == "requests":
        values["owner"] = None
    values = target.to_cells(values)
    target.execute(statements.insert_row(table, tuple(values)), values)
    copied = target.execute(statements.row_by_key(table, TABLES[table]), values).fetchone()
    if copied is None or any(copied[name] != value for name, value in values.items()):
        key = ", ".join(str(values[name]) for name in TABLES[table])
        raise LedgerFailed("row_not_copied", table=table, entry=key)
