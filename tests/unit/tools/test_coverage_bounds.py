"""``python dev.py coverage``: the shares that it prints are those of each folder."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from support.paths import PACK_ROOT


@pytest.fixture
def covering(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(PACK_ROOT / "tools")
    return importlib.import_module("setup.coverage")


def file(lines: tuple[int, int], branches: tuple[int, int]) -> dict[str, dict[str, int]]:
    summary = {"covered_lines": lines[0], "num_statements": lines[1]}
    return {"summary": {**summary, "covered_branches": branches[0], "num_branches": branches[1]}}


def test_share_of_folder_counts_all_its_files_only(covering: Any) -> None:
    files = {
        "seedream_api/jobs/job.py": file((90, 100), (40, 50)),
        "seedream_api/sandbox/tasks.py": file((100, 100), (50, 50)),
        "nodes/web/panel.py": file((10, 40), (0, 4)),
        "tests/conftest.py": file((0, 1_000), (0, 1_000)),
    }
    assert covering.shares_of({"files": files}) == {
        "seedream_api": (95.0, 90.0),
        "nodes": (25.0, 0.0),
    }


def test_where_nothing_was_measured_nothing_is_covered(covering: Any) -> None:
    assert covering.shares_of({"files": {}}) == {"seedream_api": (0.0, 0.0), "nodes": (0.0, 0.0)}


@pytest.mark.parametrize(("branches", "is_enough"), [(9_499, False), (9_500, True)])
def test_share_below_its_bound_fails(
    covering: Any, branches: int, is_enough: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(covering, "FOLDER", tmp_path / "coverage")
    asked: list[tuple[str, ...]] = []

    def coverage(environment: dict[str, str], *words: Any) -> bool:
        asked.append(tuple(map(str, words)))
        if words[0] == "json":
            report = (
                '{"files": {"seedream_api/a.py": {"summary": {"covered_lines": 1, '
                f'"num_statements": 1, "covered_branches": {branches}, "num_branches": 10000}}}}, '
                '"nodes/a.py": {"summary": {"covered_lines": 1, "num_statements": 1, '
                '"covered_branches": 9, "num_branches": 10}}}}'
            )
            Path(words[-1]).write_text(report, "utf-8")
        return words[0] != "run"  # a failing test is reported, and decides nothing here

    monkeypatch.setattr(covering, "coverage", coverage)
    assert covering.measure({}, ["tests/unit"]) is is_enough
    assert asked[0][0] == "run" and asked[0][-1] == "tests/unit"
