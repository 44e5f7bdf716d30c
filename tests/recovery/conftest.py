"""The processes that tests of recovery share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from support.broken_disks import REQUESTS
from support.driver_process import Driver, Place, sandbox_at
from support.fake_service import FakeService


@pytest.fixture(scope="module")
def drivers() -> Iterator[list[Driver]]:
    """Two processes that run paid requests and may be killed."""
    with Driver() as one, Driver() as other:
        yield [one, other]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("races")


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[FakeService]:
    with sandbox_at(folder) as sandbox:
        yield sandbox


@pytest.fixture
def make(tmp_path: Path, drivers: list[Driver]) -> Callable[..., Any]:
    free: SimpleQueue[Driver] = SimpleQueue()
    for driver in drivers:
        free.put(driver)

    @contextmanager
    def place(name: str = "one", family: str = "evolink") -> Iterator[Place]:
        folder = tmp_path / name
        folder.mkdir()
        driver = free.get()
        try:
            with sandbox_at(folder) as sandbox:
                yield Place(folder, sandbox, driver, REQUESTS[family])
        finally:
            free.put(driver)

    return place
