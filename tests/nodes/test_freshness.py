"""What a node remembers of its runs."""

from __future__ import annotations

import importlib
import tracemalloc
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

MEGABYTE = 1024 * 1024


@pytest.fixture
def load_node(pack: ModuleType) -> Any:
    return importlib.import_module(f"{pack.__name__}.nodes.load_url_images")


def data_uri(number: int) -> str:
    return f"data:image/png;base64,{number:08d}" + "A" * MEGABYTE


def run_once(load_node: Any, monkeypatch: pytest.MonkeyPatch, number: int, url: str) -> None:
    """Remember a run of Load URL Images with one URL in its widget."""
    freshness, node = load_node.freshness, load_node.SeedreamLoadURLImages
    inputs = {"inputs": {"urls": url}}
    prompt = SimpleNamespace(has_node=lambda node_id: True, get_node=lambda node_id: inputs)
    context = SimpleNamespace(node_id="1", prompt_id=str(number), list_index=0)
    with monkeypatch.context() as patch:
        patch.setattr(node, "hidden", SimpleNamespace(dynprompt=prompt), raising=False)
        patch.setattr(freshness, "get_executing_context", lambda: context)
        loaded = type_of_loaded(load_node)(url, path=None)
        check = load_node._make_content_check(load_node._hash_contents([loaded]), lacks=False)
        freshness.note_run(node, check)


def test_twelve_runs_keep_no_data_uri(load_node: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run_once(load_node, monkeypatch, 12, data_uri(12))  # imports what every run needs
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(12):
            run_once(load_node, monkeypatch, number, data_uri(number))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(load_node.freshness._runs) >= 12
    assert kept - before < MEGABYTE


def type_of_loaded(load_node: Any) -> Any:
    package = load_node.__package__.rpartition(".")[0]
    return importlib.import_module(f"{package}.seedream_api.jobs.load_urls").LoadedUrl
