"""The one connection of a process to a PostgreSQL ledger, which holds its owner's lock.

The owner of rows is alive while a connection holds the advisory lock of its name. The server
releases the lock when the connection ends, however it ends. Transactions run on this same
connection: a process that has lost its lock has lost its transaction too.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import uuid
import weakref
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from ..errors import LedgerFailed
from ..messages import text_of
from ..redaction import bare_address, redact
from .postgres_schema import SCHEMA, migrate

if TYPE_CHECKING:
    import psycopg

CONNECT_S = 10
"""Seconds after which an address of the server counts as out of reach."""
_PARAMETERS = {
    "connect_timeout": CONNECT_S,
    # A network that went silent: ends a wait within half a minute.
    "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "application_name": "seedream",
}  # fmt: skip
"""Parameters of libpq that the URL may replace."""
_SESSION = f"""
    SET search_path TO {SCHEMA}, pg_catalog, pg_temp;
    SET lock_timeout = '30s';
    SET idle_in_transaction_session_timeout = '60s';
    SET tcp_keepalives_idle = 10;
    SET tcp_keepalives_interval = 5;
    SET tcp_keepalives_count = 3;
"""
"""A frozen process must not block the others, and the server must notice a machine that is gone."""


def lock_key(name: str) -> int:
    """Compute the key of an advisory lock, a signed number of 64 bits."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


class OwnedConnection:
    """A connection that is opened when it is needed and opened again when it was lost.

    Args:
        url: the address, with its password.
    """

    def __init__(self, url: SecretStr) -> None:
        self._url = url
        self.place = bare_address(url.get_secret_value())
        self.owner = uuid.uuid4().hex
        self._connection: psycopg.Connection[Any] | None = None
        _made.add(self)

    @property
    def is_open(self) -> bool:
        """Whether there is a connection that is not known to be lost."""
        return self._connection is not None and not self._connection.closed

    def get(self) -> psycopg.Connection[Any]:
        """Get the connection.

        Raises:
            LedgerFailed: the server cannot be reached, or refuses.
        """
        if self._connection is None or self._connection.closed:
            self.close()
            opened = self._open()
            if isinstance(opened, LedgerFailed):
                raise opened
            self._connection = opened
        return self._connection

    def close(self) -> None:
        """Close the connection; the owner counts as dead from now on."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def close_in_child(self) -> None:
        """Close the inherited socket, with which a forked child would keep its parent alive.

        Closing the connection would end the parent's.
        """
        if self._connection is not None and not self._connection.closed:
            with contextlib.suppress(OSError):
                os.close(self._connection.fileno())

    def _open(self) -> psycopg.Connection[Any] | LedgerFailed:
        """Connect and lock the owner's name; return an error: its traceback has no frame with
        the password."""
        try:
            import psycopg
            from psycopg.conninfo import conninfo_to_dict
            from psycopg.rows import dict_row
        except ImportError:
            return LedgerFailed("ledger_driver_missing", python=sys.executable)
        connection: psycopg.Connection[Any] | None = None
        try:
            given = conninfo_to_dict(self._url.get_secret_value())
            parameters: dict[str, Any] = {**_PARAMETERS, **given, "client_encoding": "UTF8"}
            connection = psycopg.connect(**parameters, autocommit=True)
            connection.row_factory = dict_row
            connection.execute(_SESSION.encode())
            migrate(connection, self.place)
            self._lock_owner(connection)
        except psycopg.Error as error:
            reason = self.describe(error)
            if connection is not None:
                connection.close()
            return LedgerFailed("ledger_unreachable", path=self.place, reason=reason)
        except LedgerFailed as error:
            if connection is not None:
                connection.close()
            return error
        return connection

    def _lock_owner(self, connection: psycopg.Connection[Any]) -> None:
        """Lock the owner's name; end a lost connection that the server still takes for alive."""
        key = lock_key(self.owner)
        locked = connection.execute("SELECT pg_try_advisory_lock(%s) AS is_ours", (key,)).fetchone()
        if locked is not None and locked["is_ours"]:
            return
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
            "AND mode = 'ExclusiveLock' AND granted AND objsubid = 1 "
            "AND ((classid::bigint << 32) | objid::bigint) = %s",
            (key,),
        )
        connection.execute("SELECT pg_advisory_lock(%s)", (key,))

    def describe(self, error: psycopg.Error) -> str:
        """Describe an error in one line, without the address's password."""
        lines = redact(str(error)).strip().splitlines()
        return lines[0].strip().rstrip(".") if lines else text_of(error)


_made: weakref.WeakSet[OwnedConnection] = weakref.WeakSet()


def _close_all_in_child() -> None:
    for connection in list(_made):
        connection.close_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_all_in_child)
