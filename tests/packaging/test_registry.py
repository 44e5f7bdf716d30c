"""What the Registry and the Manager ask of a pack, and what is in the archive they give out."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import re
import sys
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from PIL import Image

from support.paths import PACK_ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SHIPPED = {
    "__init__.py", "nodes", "seedream_api", "web", "locales", "example_workflows", "subgraphs",
    "pyproject.toml", "requirements.txt", "README.md", "README.zh-CN.md", "CHANGELOG.md", "LICENSE",
}  # fmt: skip
"""All that is at the top of the archive."""
LIMIT_BYTES = 2_000_000


@pytest.fixture(scope="module")
def packer() -> Any:
    spec = importlib.util.spec_from_file_location("pack_tool", PACK_ROOT / "tools" / "pack.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def archive(packer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("archive") / "pack.zip"
    packer.pack(file)
    return file


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    return tomllib.loads((PACK_ROOT / "pyproject.toml").read_text("utf-8"))


def modules(archive: Path) -> list[tuple[str, ast.Module]]:
    with zipfile.ZipFile(archive) as opened:
        names = [name for name in opened.namelist() if name.endswith(".py")]
        return [(name, ast.parse(opened.read(name))) for name in names]


def test_project_is_described_as_the_registry_asks(config: dict[str, Any]) -> None:
    project, urls = config["project"], config["project"]["urls"]
    assert re.fullmatch(r"(?!.*[-_.]{2})[A-Za-z][A-Za-z0-9_.-]{0,98}", project["name"])
    assert "comfyui" not in project["name"].lower()
    assert re.fullmatch(r"\d+\.\d+\.\d+", project["version"])
    assert (PACK_ROOT / project["license"]["file"]).is_file() and project["description"]
    assert set(urls) == {"Homepage", "Repository", "Documentation", "Issues"}
    assert all(url.startswith("https://github.com/") for url in urls.values())
    assert "Operating System :: OS Independent" in project["classifiers"]
    assert tuple(map(int, project["requires-python"].removeprefix(">=").split("."))) == (3, 10)


def test_pack_is_described_as_the_registry_asks(config: dict[str, Any]) -> None:
    comfy = config["tool"]["comfy"]
    # "web" under another name than WEB_DIRECTORY's would load every script twice.
    assert set(comfy) == {"PublisherId", "DisplayName", "Icon", "Banner", "requires-comfyui"}
    assert re.fullmatch(r"[a-z0-9-]+", comfy["PublisherId"]) and comfy["DisplayName"]
    assert "0.3.76" in SpecifierSet(comfy["requires-comfyui"])
    assert "0.3.75" not in SpecifierSet(comfy["requires-comfyui"])
    assert 'WEB_DIRECTORY = "./web"' in (PACK_ROOT / "__init__.py").read_text("utf-8")


def test_icon_and_banner_have_their_urls_and_sizes(
    config: dict[str, Any],
) -> None:
    base = "https://raw.githubusercontent.com/seedream-deepspace/comfyui-seedream-deepspace/main/"
    comfy = config["tool"]["comfy"]
    icon, banner = (PACK_ROOT / comfy[name].removeprefix(base) for name in ("Icon", "Banner"))
    with Image.open(icon) as picture:
        assert picture.size[0] == picture.size[1] <= 400
    with Image.open(banner) as picture:
        assert picture.size[0] * 9 == picture.size[1] * 21
    assert icon.stat().st_size + banner.stat().st_size < 200_000


def test_what_is_installed_is_what_the_project_depends_on(config: dict[str, Any]) -> None:
    lines = (PACK_ROOT / "requirements.txt").read_text("utf-8").split("\n")
    assert [line for line in lines if line] == config["project"]["dependencies"]
    for line in config["project"]["dependencies"]:
        parts = {one.operator for one in Requirement(line).specifier}
        assert parts <= {">=", "<"}, "a pinned version fights other packs"


def test_version_is_the_same_everywhere(config: dict[str, Any]) -> None:
    version = config["project"]["version"]
    assert f'"{version}"' in (PACK_ROOT / "seedream_api" / "_version.py").read_text("utf-8")
    released = re.findall(r"^## \[(\d.*?)\]", (PACK_ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert released[0] == version


def test_archive_holds_the_pack_and_nothing_for_developers(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
    assert {PurePosixPath(name).parts[0] for name in names} == SHIPPED
    assert "nodes/evolink.py" in names and "seedream_api/sandbox/server.py" in names
    assert "locales/zh/nodeDefs.json" in names and "web/docs/SeedreamEvolink/zh.md" in names
    assert not [name for name in names if re.search(r"test|__pycache__|\.env|\.git", name)]
    assert archive.stat().st_size < LIMIT_BYTES


def test_archive_built_twice_is_the_same_to_the_byte(packer: Any, tmp_path: Path) -> None:
    first, second = tmp_path / "first.zip", tmp_path / "deeper" / "second.zip"
    prints = {packer.pack(first), packer.pack(second)}
    assert first.read_bytes() == second.read_bytes()
    assert prints == {hashlib.sha256(first.read_bytes()).hexdigest()}
    with zipfile.ZipFile(first) as opened:
        entries = opened.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}


FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "system", "popen"}
FORBIDDEN_MODULES = {"subprocess", "pip", "pickle", "marshal", "ctypes", "pty"}


def named(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def forbidden(tree: ast.AST) -> list[str]:
    """Calls and imports that the Registry's scan stops at."""
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = named(node.func)
            is_os = isinstance(node.func, ast.Attribute) and named(node.func.value) == "os"
            called = node.func.attr if is_os and isinstance(node.func, ast.Attribute) else called
            found += [called] if called in FORBIDDEN_CALLS else []
        elif isinstance(node, ast.Import):
            found += [one.name for one in node.names if one.name.split(".")[0] in FORBIDDEN_MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in (
            FORBIDDEN_MODULES
        ):
            found.append(str(node.module))
    return found


def test_pack_starts_no_programs_and_installs_no_packages(archive: Path) -> None:
    found = {name: forbidden(tree) for name, tree in modules(archive)}
    assert len(found) > 80
    assert {name: what for name, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "code", ["eval('1')", "import subprocess", "from pip import main", "import os; os.system('x')"]
)
def test_scan_sees(code: str) -> None:
    assert forbidden(ast.parse(code))


def test_nothing_is_obfuscated(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        for name in opened.namelist():
            if name.endswith((".py", ".js")):
                lines = opened.read(name).decode("utf-8").splitlines()
                assert max(map(len, lines), default=0) <= 200, name
                assert not [line for line in lines if re.search(r"[A-Za-z0-9+/]{120}", line)], name


def test_every_module_is_imported_without_doing_anything(archive: Path) -> None:
    """At the top of a module: definitions, constants, registrations; no loop, no network call."""
    done = {
        f"{name}: {ast.unparse(node)[:60]}"
        for name, tree in modules(archive)
        for node in tree.body
        if isinstance(node, ast.For | ast.While | ast.With)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
    }
    assert done == set()
