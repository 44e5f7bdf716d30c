"""Type checkers see the client as its users do: strict, complete, and with the documents' code."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

import seedream_api
from seedream_api import sync
from support.paths import PACK_ROOT

DOCUMENTS = ("README*.md", "docs/*.md")
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
MISSPELT = """
from seedream_api import Request, Session

wrong = Request(modle="Seedream-4.5", prompt="A cat")
also_wrong = Session(base_ulr="sandbox")
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package alone, as an installation has it."""
    folder = tmp_path_factory.mktemp("packages")
    (folder / "seedream_api").symlink_to(PACK_ROOT / "seedream_api", target_is_directory=True)
    return folder


def as_module(block: str) -> str:
    """Make a module of a block; one that awaits becomes a coroutine function."""
    if not re.search(r"^\s*(?:await|async with|async for)\b|= await\b", block, re.MULTILINE):
        return block
    return f"async def example() -> None:\n{textwrap.indent(block, '    ')}"


def blocks() -> dict[str, str]:
    found: dict[str, str] = {}
    for pattern in DOCUMENTS:
        for page in sorted(PACK_ROOT.glob(pattern)):
            for number, block in enumerate(BLOCK.findall(page.read_text("utf-8"))):
                found[re.sub(r"\W", "_", f"{page.stem}_{number}") + ".py"] = as_module(block)
    return found


@pytest.fixture(scope="module")
def complaints(package: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Errors of ``mypy --strict`` by file: documents, examples, and misspelt names."""
    folder = tmp_path_factory.mktemp("code")
    files = {"misspelt.py": MISSPELT, **blocks()}
    for example in (PACK_ROOT / "examples").glob("*.py"):
        files[f"example_{example.name}"] = example.read_text("utf-8")
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    options = (
        "--strict", "--follow-imports=silent", "--no-error-summary", "--cache-dir=cache",
        "--disable-error-code=import-not-found", "--disable-error-code=import-untyped",
        "--untyped-calls-exclude=distributed",
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, *files],
        cwd=folder,
        env={**os.environ, "MYPYPATH": str(package)},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    found: dict[str, list[str]] = {name: [] for name in files}
    for line in done.stdout.splitlines():
        name, mark, error = line.partition(": error: ")
        if mark:
            found.setdefault(name.partition(":")[0], []).append(error)
    assert done.returncode == 1, done.stdout + done.stderr
    return found


def test_type_checker_finds_a_misspelt_argument(complaints: dict[str, list[str]]) -> None:
    first, second = complaints["misspelt.py"]
    assert 'Unexpected keyword argument "modle" for "Request"' in first
    assert 'Unexpected keyword argument "base_ulr" for "Session"' in second


def test_code_of_documents_and_examples_has_no_type_error(
    complaints: dict[str, list[str]],
) -> None:
    checked = {name: errors for name, errors in complaints.items() if name != "misspelt.py"}
    assert len([name for name in checked if name.startswith("python_")]) > 15
    assert {name: errors for name, errors in checked.items() if errors} == {}


def public_prefixes() -> set[str]:
    """The full names of what the package and ``sync`` export, where they are defined."""
    found = {f"seedream_api.sync.{name}" for name in sync.__all__}
    for name in seedream_api.__all__:
        value: Any = getattr(seedream_api, name)
        module = getattr(value, "__module__", None)
        if module is not None:
            found.add(f"{module}.{value.__qualname__}")
    return found


@pytest.fixture(scope="module")
def completeness(package: Path) -> dict[str, Any]:
    """What ``basedpyright --verifytypes`` says about the whole package."""
    checker = Path(sys.executable).with_name("basedpyright")
    done = subprocess.run(
        [checker, "--verifytypes", "seedream_api", "--ignoreexternal", "--outputjson"],
        cwd=package,
        env={**os.environ, "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    return json.loads(done.stdout)["typeCompleteness"]


@pytest.fixture
def symbols(completeness: dict[str, Any]) -> list[dict[str, Any]]:
    """Those of the public names."""
    prefixes, every = public_prefixes(), completeness["symbols"]
    return [
        one for one in every
        if any(one["name"] == home or one["name"].startswith(f"{home}.") for home in prefixes)
    ]  # fmt: skip


def test_every_public_name_has_a_complete_type(symbols: list[dict[str, Any]]) -> None:
    assert len(symbols) > 250
    unknown = {
        one["name"]: [found["message"] for found in one["diagnostics"]]
        for one in symbols
        if not one["isTypeKnown"] or one["isTypeAmbiguous"]
    }
    assert unknown == {}


def test_internal_names_have_types_too(completeness: dict[str, Any]) -> None:
    assert completeness["completenessScore"] > 0.98


def test_request_states_its_fields_to_type_checkers_as_they_are() -> None:
    import ast

    source = (PACK_ROOT / "seedream_api/service/request.py").read_text("utf-8")
    first = next(
        node for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and node.name == "__init__"
    )  # fmt: skip
    stated = [argument.arg for argument in first.args.kwonlyargs]
    assert stated == list(seedream_api.Request.model_fields)


def is_documented(value: Any) -> bool:
    return bool((getattr(value, "__doc__", None) or "").strip())


@pytest.mark.parametrize("module", ["seedream_api", "seedream_api.sync"])
def test_every_public_name_is_documented(module: str) -> None:
    loaded = importlib.import_module(module)
    bare: list[str] = []
    for name in loaded.__all__:
        value = getattr(loaded, name)
        if not callable(value):
            continue
        bare += [] if is_documented(value) else [name]
        for part, member in vars(value).items() if isinstance(value, type) else ():
            is_function = callable(member) or isinstance(member, property | classmethod)
            if not part.startswith("_") and is_function and not is_documented(member):
                bare.append(f"{name}.{part}")
    assert bare == []
