"""The limits of CONTRIBUTING on the length of files, functions and names of tests."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

import pytest

from support.paths import PACK_ROOT

MAX_FILE, MAX_FUNCTION, MAX_TEST_NAME = 300, 54, 60
MAX_MEDIAN, MAX_90TH = 8, 21


def list_files(*patterns: str) -> list[Path]:
    """List the files that git tracks or would track."""
    command = ["git", "ls-files", "-z", "-co", "--exclude-standard", *patterns]
    listed = subprocess.run(command, cwd=PACK_ROOT, capture_output=True, text=True, check=True)
    files = [PACK_ROOT / name for name in listed.stdout.split("\0") if name]
    return [file for file in files if file.is_file()]


def functions_of(file: Path) -> Iterator[tuple[str, int]]:
    """Yield each function with its length in lines, decorators left out."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or 0) - node.lineno + 1


def test_files_have_at_most_300_lines() -> None:
    files = list_files("*.py", "*.js", "*.mjs")
    lengths = {str(file): len(file.read_text("utf-8").splitlines()) for file in files}
    assert len(lengths) > 300
    assert {name: lines for name, lines in lengths.items() if lines > MAX_FILE} == {}


def test_functions_have_at_most_54_lines() -> None:
    found = [(file.name, *one) for file in list_files("*.py") for one in functions_of(file)]
    assert len(found) > 3000
    assert [one for one in found if one[2] > MAX_FUNCTION] == []


@pytest.mark.parametrize("package", ["seedream_api", "nodes"])
def test_functions_are_short_on_the_whole(package: str) -> None:
    files = list_files(f"{package}/*.py")
    lengths = [lines for file in files for _, lines in functions_of(file)]
    assert median(lengths) <= MAX_MEDIAN and quantiles(lengths, n=10)[-1] <= MAX_90TH


def test_names_of_tests_have_at_most_60_characters() -> None:
    names = {name for file in list_files("tests/*.py") for name, _ in functions_of(file)}
    assert {
        name for name in names if name.startswith("test_") and len(name) > MAX_TEST_NAME
    } == set()
