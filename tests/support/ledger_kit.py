"""An open ledger of a test, in a file or in PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from seedream_api.ledger.ledger import SyncLedger

Open = Callable[[], SyncLedger]
"""Opens a ledger."""


def opened(
    request: pytest.FixtureRequest, home: Path, now: Callable[[], float]
) -> Iterator[SyncLedger]:
    """Yield a ledger of the kind that ``request.param`` names, by default a file."""
    if getattr(request, "param", "sqlite") == "sqlite":
        ledger = SyncLedger(home, now=now)
    else:
        ledger = SyncLedger(home, SecretStr(request.getfixturevalue("postgres").new_ledger()))
        ledger.database.now = now
    yield ledger
    ledger.close()


def wait_until_dead(ledger: SyncLedger, owner: str, patience_s: float = 20.0) -> None:
    """Wait until the server has noticed that the connection of a closed ledger ended."""
    ends = time.monotonic() + patience_s
    while ledger.is_owner_alive(owner):
        assert time.monotonic() < ends, "the closed ledger still counts as alive"


def execute(ledger: SyncLedger, statement: str, **values: object) -> None:
    """Change a ledger behind the back of its operations."""
    with ledger.database.write(durable=False):
        ledger.database.execute(statement, values)
