"""Fixtures that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from seedream_api.ledger.ledger import SyncLedger
from support.transition_kit import NOW
from support.wall_clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def ledger(home: Path, clock: Clock) -> Iterator[SyncLedger]:
    opened = SyncLedger(home, now=clock)
    yield opened
    opened.close()
