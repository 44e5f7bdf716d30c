"""The ledger as a PostgreSQL database, which processes on several machines share.

Time comes from the server. Rows are locked one by one, so that the requests of a fleet wait for
each other only where they are equal, or where a limit counts them together.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from ..config.paths import make_private_folder
from ..errors import LedgerFailed
from ..messages import text_of
from .database import Cursor, Database
from .postgres_connection import OwnedConnection, lock_key
from .postgres_schema import BOOLEANS, SCHEMA

if TYPE_CHECKING:
    import psycopg

_PARAMETER = re.compile(r"(?<![:\w]):(\w+)")
_CLOCK = "SELECT EXTRACT(EPOCH FROM clock_timestamp())::float8 AS now"


@lru_cache(maxsize=512)
def to_psycopg(statement: str) -> bytes:
    """Convert the parameters of a statement from SQLite's spelling to psycopg's."""
    return _PARAMETER.sub(r"%(\1)s", statement.replace("%", "%%")).encode()


class PostgresDatabase(Database):
    """A connection to the ledger.

    Args:
        home: the data folder, for the images.
        url: the address, with its password.

    Raises:
        LedgerFailed: the server cannot be reached, or the data folder cannot be used.
    """

    is_shared = True
    for_update = " FOR UPDATE"
    outside_changes = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS data_version"

    def __init__(self, home: Path, url: SecretStr) -> None:
        self._link = OwnedConnection(url)
        super().__init__(home, self._link.place, now=self._read_clock)
        self._current: psycopg.Connection[Any] | None = None
        """The connection of the open transaction."""
        self._moment = 0.0
        """When the open transaction began, by the server's clock."""
        try:
            make_private_folder(home)
        except OSError as error:
            raise LedgerFailed("ledger_unwritable", path=home, reason=text_of(error)) from None
        self._link.get()
        self.name = self._read_name()

    @property
    def owner(self) -> str:
        """The name under which this process owns rows, also after it connected again."""
        return self._link.owner

    def is_owner_alive(self, name: str) -> bool:
        """Tell whether a connection holds the lock of this name."""
        if name == self.owner:
            return True
        statement = "SELECT pg_try_advisory_xact_lock_shared(%s) AS is_dead"
        return not self._select(statement, (lock_key(name),))["is_dead"]

    def _read_name(self) -> str:
        """Read the name that the tables got; a copied database has it too, at another address."""
        found = self._select(
            "SELECT to_jsonb(ledger_version) ->> 'name' AS name FROM ledger_version", ()
        )
        return hashlib.sha256(f"{found['name']} {self.place}".encode()).hexdigest()[:12]

    def _read_clock(self) -> float:
        return self._moment if self._current else float(self._select(_CLOCK, ())["now"])

    def _select(self, statement: str, values: tuple[object, ...]) -> dict[str, Any]:
        """Read one row within the open transaction, or outside of any."""
        with self._checked():
            if self._current is None:
                found = self._begin(statement, values)
            else:
                found = self._current.execute(statement.encode(), values)
            return found.fetchone() or {}

    def _disconnect(self) -> None:
        self._link.close()

    @contextmanager
    def _read(self) -> Generator[None]:
        """Read one consistent state in the block."""
        with self._checked(), self._transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"):
            yield

    @contextmanager
    def _write(self, *, durable: bool) -> Generator[None]:
        """Make all changes of the block, or none.

        What is durable is on the server's disk, and on that of a synchronous standby, when the
        block ends. Other changes reach the disk with the next durable ones, in order.
        """
        commit = "on" if durable else "off"
        begin = f"BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = {commit}"
        with self._checked(), self._transaction(begin):
            yield

    def execute(
        self, statement: str, values: Mapping[str, object] | Sequence[object] = ()
    ) -> Cursor:
        assert self._current is not None, "no transaction"  # noqa: S101 - a programming error
        assert isinstance(values, Mapping) or not values, "parameters have names"  # noqa: S101
        given = values if isinstance(values, Mapping) else dict[str, object]()
        named = {name: _to_storable(value) for name, value in given.items()}
        return self._current.execute(to_psycopg(statement), named)

    def insert(self, statement: str, values: Mapping[str, object]) -> int:
        return int(self.execute(f"{statement} RETURNING id", values).fetchone()["id"])

    def lock(self, *subjects: str) -> None:
        for key in sorted(map(lock_key, subjects)):
            self.execute("SELECT pg_advisory_xact_lock(:key)", {"key": key})

    def lock_tables(self, tables: Sequence[str]) -> None:
        self.execute(f"LOCK TABLE {', '.join(tables)} IN EXCLUSIVE MODE")

    def to_cells(self, values: Mapping[str, object]) -> dict[str, object]:
        return {
            name: bool(value) if name in BOOLEANS else _to_storable(value)
            for name, value in values.items()
        }

    def continue_numbers(self, tables: Sequence[str]) -> None:
        for table in tables:
            self.execute(
                f"SELECT setval(pg_get_serial_sequence('{SCHEMA}.{table}', 'id'), "  # noqa: S608
                f"(SELECT COALESCE(MAX(id), 0) + 1 FROM {table}), FALSE)"
            )

    @contextmanager
    def _checked(self) -> Generator[None]:
        """Turn the errors of psycopg into ours, and drop a connection that was lost."""
        import psycopg

        self._check_process()
        try:
            yield
        except psycopg.Error as error:
            reason = self._link.describe(error)
            key = "ledger_unwritable" if self._link.is_open else "ledger_unreachable"
            raise LedgerFailed(key, path=self.place, reason=reason) from None

    @contextmanager
    def _transaction(self, begin: str) -> Generator[None]:
        results = self._begin(f"{begin}; {_CLOCK}")
        while results.nextset():
            pass
        found = results.fetchone()
        self._moment = float(found["now"]) if found is not None else 0.0
        self._current = results.connection
        try:
            yield
            self._commit(self._current)
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._current = None

    def _commit(self, connection: psycopg.Connection[Any]) -> None:
        """Commit; the server rolls a failed transaction back and reports no error."""
        ended = connection.execute("COMMIT").statusmessage
        if ended != "COMMIT":
            raise LedgerFailed("ledger_unwritable", path=self.place, reason=ended or "")

    def _begin(
        self, statement: str, values: tuple[object, ...] | None = None
    ) -> psycopg.Cursor[Any]:
        """Run a first statement; connect again if the connection was lost since the last one."""
        import psycopg

        was_open = self._link.is_open
        try:
            return self._link.get().execute(statement.encode(), values)
        except psycopg.Error:
            if not was_open or self._link.is_open:
                raise
        return self._link.get().execute(statement.encode(), values)

    def _roll_back(self) -> None:
        import psycopg

        if self._current is None or self._current.closed:
            return
        try:
            self._current.execute("ROLLBACK")
        except psycopg.Error:
            self._link.close()  # nothing may run in a transaction that is neither


def _to_storable(value: object) -> object:
    """Replace NUL, which SQLite stores and PostgreSQL does not."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) and "\0" in value else value
