"""The reference of the client is made from its docstrings, and names every public name."""

from __future__ import annotations

from pathlib import Path

import seedream_api
from seedream_api import sync
from support.tool_modules import load_tool


def test_reference_has_every_public_name(tmp_path: Path) -> None:
    load_tool("api_reference").write_reference(tmp_path)
    package = (tmp_path / "seedream_api.html").read_text("utf-8")
    threaded = (tmp_path / "seedream_api" / "sync.html").read_text("utf-8")
    names = {name for name in seedream_api.__all__ if name != "__version__"}
    methods = {"Session.jobs", "Session.upload", "StoredImage.save", "SeedreamError.code"}
    assert {name for name in names | methods if f'id="{name}"' not in package} == set()
    assert {name for name in sync.__all__ if f'id="{name}"' not in threaded} == set()
