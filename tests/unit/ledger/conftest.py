"""Fixtures that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from seedream_api.ledger.ledger import SyncLedger
from support.transition_kit import NOW


@pytest.fixture
def ledger(home: Path) -> Iterator[SyncLedger]:
    opened = SyncLedger(home, now=lambda: NOW)
    yield opened
    opened.close()
