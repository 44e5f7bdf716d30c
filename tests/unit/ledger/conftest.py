"""Fixtures that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from seedream_api.ledger.ledger import SyncLedger
from support.transition_kit import NOW

pytest_plugins = ()


@pytest.fixture
def ledger(home: Path, request: pytest.FixtureRequest) -> Iterator[SyncLedger]:
    """The ledger of a test: a file, or a PostgreSQL database where the test is marked for both."""
    if getattr(request, "param", "sqlite") == "sqlite":
        opened = SyncLedger(home, now=lambda: NOW)
    else:
        opened = SyncLedger(home, request.getfixturevalue("postgres").new_ledger())
        opened.database.now = lambda: NOW
    yield opened
    opened.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "ledger" in metafunc.fixturenames:
        metafunc.parametrize("ledger", ["sqlite", "postgresql"], indirect=True)
