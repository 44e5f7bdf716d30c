"""The examples run as they are, against the sandbox; test_frameworks.py runs three of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from support.api_client import ApiClient
from support.paths import PACK_ROOT

EXAMPLES = PACK_ROOT / "examples"


@pytest.fixture
def client(api_client: ApiClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ApiClient:
    """A client whose settings are the environment's, in an empty working directory."""
    for name, value in api_client.environ.items():
        monkeypatch.setenv(name, value)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return api_client


def run(name: str, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    with contextlib.suppress(SystemExit):
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")


def saved() -> list[str]:
    return sorted(path.stem for path in Path("out").iterdir())


def test_example_script_saves_under_its_prompt(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("script.py", monkeypatch, "A dog")
    run("script.py", monkeypatch, "A dog")
    assert saved() == ["A dog-0-1"] and client.sent == 1


def test_example_references_uploads_once_for_ten_requests(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("references.py", monkeypatch)
    uploads = [one for one in client.sandbox.requests if one.path == "/sandbox/images"]
    assert (client.sent, len(uploads), len(saved())) == (10, 1, 10)


def test_example_accounts_have_separate_ledgers(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("several_accounts.py", monkeypatch)
    assert "studio: 1 charged" in capsys.readouterr().out and client.sent == 2
    folders = {path.parent.name for path in Path("accounts").glob("*/ledger.sqlite")}
    assert folders == {"studio", "client"}


def test_example_collects_later_what_it_submitted(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("collect_later.py", monkeypatch, "submit")
    assert client.states == ["accepted"] and not Path("out").exists()
    run("collect_later.py", monkeypatch, "collect")
    assert client.states == ["completed"] and saved() == ["1-1"] and client.sent == 1


def test_example_notebook_runs_in_a_running_loop(
    client: ApiClient, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = json.loads((EXAMPLES / "notebook.ipynb").read_text("utf-8"))
    cells = ["".join(one["source"]) for one in notebook["cells"] if one["cell_type"] == "code"]
    names: dict[str, Any] = {}

    async def kernel() -> None:
        for cell in cells:
            exec(compile(cell, "notebook.ipynb", "exec"), names)  # noqa: S102

    asyncio.run(kernel())
    assert saved() == ["A cat on the grass-1"] and "completed made" in capsys.readouterr().out
    assert all(not one.get("outputs") for one in notebook["cells"])


def test_examples_are_all_listed() -> None:
    listed = (EXAMPLES / "README.md").read_text("utf-8")
    names = {path.name for path in EXAMPLES.iterdir()} - {"README.md", "__pycache__", "out"}
    assert len(names) == 10 and {name for name in names if f"`{name}`" not in listed} == set()
