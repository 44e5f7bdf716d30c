"""The published archive, unpacked as the Manager does, in a real server."""

from __future__ import annotations

import importlib.util
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support import workflows
from support.comfy_server import ComfyServer
from support.paths import PACK_ROOT

FOLDER = "seedream-deepspace"
"""The Registry's id of the pack, which is the folder's name there."""


@dataclass
class Installed:
    server: ComfyServer
    folder: Path
    home: Path
    files: set[Path]
    """Those of the archive."""


def files_of(folder: Path) -> set[Path]:
    found = {file.relative_to(folder) for file in folder.rglob("*") if file.is_file()}
    return {file for file in found if "__pycache__" not in file.parts}


@pytest.fixture(scope="module")
def installed(
    boot_comfyui: Callable[..., ComfyServer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installed]:
    spec = importlib.util.spec_from_file_location("pack_tool", PACK_ROOT / "tools" / "pack.py")
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    base = tmp_path_factory.mktemp("published")
    tool.pack(base / "pack.zip")
    folder, home = base / FOLDER, base / "home"
    with zipfile.ZipFile(base / "pack.zip") as archive:
        archive.extractall(folder)
    files = files_of(folder)
    server = boot_comfyui(
        packs={FOLDER: folder},
        environment={"DEEPSPACE_BASE_URL": "sandbox", "SEEDREAM_HOME": str(home)},
    )
    yield Installed(server, folder, home, files)
    server.stop()


def test_archive_alone_is_the_whole_pack(installed: Installed) -> None:
    server = installed.server
    nodes = [name for name in server.object_info() if name.startswith("Seedream")]
    assert len(nodes) == 6
    assert "SeedreamEvolink" in server.request("GET", "/i18n").json()["zh"]["nodeDefs"]
    templates = list((PACK_ROOT / "example_workflows").glob("*.json"))
    assert len(server.request("GET", "/workflow_templates").json()[FOLDER]) == len(templates)
    help_page = f"/extensions/{FOLDER}/docs/SeedreamEvolink/zh.md"
    assert server.request("GET", help_page).status == 200


def test_scripts_load_once_and_imports_succeed(installed: Installed) -> None:
    scripts = installed.server.request("GET", "/extensions").json()
    ours = [path.rpartition("/")[2] for path in scripts if "/core/" not in path]
    assert "seed_control.js" in ours and len(ours) == len(set(ours))
    failed = [line for line in installed.server.log.splitlines() if "IMPORT FAILED)" in line]
    assert [line for line in failed if FOLDER in line] == []


def test_import_leaves_no_files_and_runs_write_to_home(
    installed: Installed,
) -> None:
    def left() -> set[Path]:
        """What has our name on it, but for previews: ComfyUI empties that folder when it starts."""
        files = files_of(installed.server.base)
        return {
            file for file in files if "seedream" in str(file).lower() and file.parts[0] != "temp"
        }

    before = left()
    assert not installed.home.exists(), "something was written before a node ran"
    prompt = {"1": workflows.evolink("a published cat"), "2": workflows.save("1")}
    assert installed.server.run(prompt).status == "success"
    assert installed.home.is_dir() and files_of(installed.folder) == installed.files
    assert left() == before, "what is left after the pack's folder and its home are removed"
