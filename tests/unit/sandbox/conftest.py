"""Fixtures that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.fake_service import (
    FakeService,
)
from support.sandbox_calls import (
    Caller,
    Clock,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., Caller]]:
    started: list[FakeService] = []

    def maker(**options: Any) -> Caller:
        settings = {"preferential_seconds": 0, "task_seconds": 100, "now": clock, **options}
        started.append(FakeService(tmp_path / "home", **settings).start())
        return Caller(started[-1])

    yield maker
    for sandbox in started:
        sandbox.stop()


@pytest.fixture
def caller(make: Callable[..., Caller]) -> Caller:
    return make()
