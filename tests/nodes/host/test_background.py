"""Jobs of routes on the pack's own loop."""

from __future__ import annotations

import asyncio
import importlib
import threading
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def background(pack: ModuleType) -> Any:
    return importlib.import_module(f"{pack.__name__}.nodes.host.background")


def test_client_is_imported_in_a_thread_before_a_job(
    background: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = list[threading.Thread]()

    def note_import() -> None:
        threads.append(threading.current_thread())

    async def job() -> bool:
        return threading.current_thread() not in threads

    monkeypatch.setattr(background, "import_client", note_import)
    assert asyncio.run(background.run_on_loop(job)) and len(threads) == 1
    assert threads[0] is not threading.main_thread()
