"""Fixtures that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from seedream_api.ledger.ledger import SyncLedger
from support.ledger_kit import Open, opened
from support.postgres_server import PostgresServer
from support.transition_kit import NOW
from support.wall_clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def ledger(request: pytest.FixtureRequest, home: Path, clock: Clock) -> Iterator[SyncLedger]:
    yield from opened(request, home, clock)


@pytest.fixture
def machine(postgres: PostgresServer, tmp_path: Path) -> Iterator[Open]:
    """Open ledgers, each with another data folder, as on another machine."""
    url, made = postgres.new_ledger(), list[SyncLedger]()

    def add() -> SyncLedger:
        made.append(SyncLedger(tmp_path / f"machine_{len(made)}", SecretStr(url)))
        return made[-1]

    yield add
    for ledger in made:
        ledger.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with the ledgers that its marker ``databases`` names; a file without one."""
    marker = metafunc.definition.get_closest_marker("databases")
    if marker is not None and "ledger" in metafunc.fixturenames:
        metafunc.parametrize("ledger", marker.args, indirect=True)
