"""The processes that tests of recovery share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.driver_process import Driver


@pytest.fixture(scope="module")
def drivers() -> Iterator[list[Driver]]:
    """Two processes that run paid requests and may be killed."""
    with Driver() as one, Driver() as other:
        yield [one, other]
