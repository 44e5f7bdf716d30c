"""What the tests of intermediaries share."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from .origin import Origin


@pytest.fixture
def origin() -> Iterator[Origin]:
    """Start the service, which returns one image unless a test says otherwise."""
    with Origin() as started:
        yield started


@pytest.fixture(autouse=True)
def leaked_sockets() -> Iterator[None]:
    """A socket that a test leaves open fails this test, not a later one."""
    yield
    gc.collect()
