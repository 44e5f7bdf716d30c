"""The package as a whole: what importing it brings along, and which way its imports run."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import seedream_api
from support.paths import PACK_ROOT

PACKAGE = PACK_ROOT / "seedream_api"
HOSTS = ("torch", "comfy", "comfy_api", "comfy_execution", "server", "folder_paths", "nodes")
SCRIPT = """
import importlib, json, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in {hosts!r} or top.startswith("comfy"):
            raise ImportError("nothing of a host: " + name)

sys.meta_path.insert(0, Blocker())
sys.path.insert(0, {root!r})
for name in {names!r}:
    importlib.import_module(name)
print(json.dumps(sorted(sys.modules)))
"""


def modules_after(folder: Path, *names: str) -> set[str]:
    """What is loaded in a fresh Python elsewhere, where nothing of a host can be imported."""
    script = SCRIPT.format(hosts=HOSTS, root=str(PACK_ROOT), names=names)
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def module_names() -> list[str]:
    paths = [path.relative_to(PACK_ROOT).with_suffix("") for path in sorted(PACKAGE.rglob("*.py"))]
    return [".".join(path.parts).removesuffix(".__init__") for path in paths]


def relative_imports() -> list[tuple[Path, ast.ImportFrom]]:
    return [
        (path, node)
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]


def test_import_loads_neither_http_nor_images(tmp_path: Path) -> None:
    loaded = modules_after(tmp_path, "seedream_api")
    assert "seedream_api" in loaded
    heavy = {"httpx", "httpcore", "pydantic", "PIL", "numpy", "asyncio", "sqlite3", "ssl"}
    assert loaded & heavy == set()
    assert {name for name in loaded if name.startswith("seedream_api.")} == {
        "seedream_api._version"
    }


def test_whole_engine_can_be_imported_without_a_host(tmp_path: Path) -> None:
    loaded = modules_after(tmp_path, "seedream_api", "seedream_api.jobs.generate")
    assert {"seedream_api.jobs.generate", "seedream_api.ledger.ledger", "httpx"} <= loaded
    assert not any(name.partition(".")[0] in HOSTS for name in loaded)


def test_every_module_can_be_imported_without_a_host(tmp_path: Path) -> None:
    names = [name for name in module_names() if not name.endswith("__main__")]
    assert len(names) > 50
    loaded = modules_after(tmp_path, *names)
    assert set(names) <= loaded


@pytest.mark.parametrize(
    "module",
    [
        "service.task",
        "service.references",
        "uploads.uploader",
        "ledger.ledger",
        "jobs.steps",
        "jobs.job",
        "service.client",
        "sandbox",
        "cli.main",
    ],
)
def test_module_amid_others_can_be_imported_first(module: str, tmp_path: Path) -> None:
    assert f"seedream_api.{module}" in modules_after(tmp_path, f"seedream_api.{module}")


def test_public_names_are_sorted() -> None:
    names = seedream_api.__all__
    assert len(names) == len(set(names)) > 40
    # As ruff sorts them: constants, then classes, then the rest.
    kinds = [(not name.isupper(), not name[0].isupper(), name) for name in names]
    assert kinds == sorted(kinds)


@pytest.mark.parametrize("name", seedream_api.__all__)
def test_every_public_name_comes_from_its_module(name: str) -> None:
    value = getattr(seedream_api, name)
    if name != "__version__":
        homes = [importlib.import_module(f"seedream_api.{home}") for home in seedream_api._HOMES]
        assert any(vars(home).get(name) is value for home in homes)


def test_contracts_names_are_public() -> None:
    contract = {
        "SeedreamClient", "generate", "load_settings", "Request", "SeedreamError", "OutcomeUnknown",
    }  # fmt: skip
    assert contract <= set(seedream_api.__all__)


def test_another_name_is_missing_as_in_any_module() -> None:
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = seedream_api.nothing_of_the_kind


def test_type_checkers_see_the_same_names_as_users() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    seen = {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 1
        for alias in node.names
        if alias.asname
    }
    assert seen == set(seedream_api.__all__) - {"__version__"}


def test_no_import_leaves_the_package() -> None:
    found = relative_imports()
    assert len(found) > 150, "the scan finds next to nothing: it no longer fits the code"
    leaving = [
        (path.name, node.lineno)
        for path, node in found
        if node.level > len(path.relative_to(PACKAGE).parts)
    ]
    assert leaving == []


def test_no_module_names_a_host_or_the_nodes() -> None:
    named: list[str] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                named += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                named.append(node.module)
    assert len(named) > 200
    assert [name for name in named if name.partition(".")[0] in HOSTS] == []


def test_httpx_is_imported_by_the_transport_alone() -> None:
    users = {
        path.name
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import) and any(a.name in ("httpx", "httpcore") for a in node.names)
    }
    below = {"attempts.py", "exchanges.py", "http_failures.py", "pools.py", "streams.py"}
    assert users == {"transport.py", *below}
