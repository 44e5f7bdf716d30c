"""What the tests of intermediaries share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .origin import Origin


@pytest.fixture
def origin() -> Iterator[Origin]:
    """The service, answering with one image unless a test says otherwise."""
    with Origin() as started:
        yield started
