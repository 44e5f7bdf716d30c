"""The distribution: what is in it, and that its command works where nothing else of ours is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from seedream_api import __version__
from support.clean_environment import outside_settings
from support.paths import PACK_ROOT
from support.tool_modules import load_tool

EXTRAS = {"s3", "fleet", "images", "cli"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return load_tool("wheel").build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install it into an empty folder; its dependencies are those of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    options = ("-q", "--no-deps", "--no-index", "--no-compile", "--target", folder)
    subprocess.run([sys.executable, "-m", "pip", "install", *options, wheel], check=True)
    return folder


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (program,) = [*installed.glob("bin/seedream"), *installed.glob("Scripts/seedream.exe")]
    hidden = outside_settings()
    environ = {name: value for name, value in os.environ.items() if name not in hidden}
    settings = {"DEEPSPACE_BASE_URL": "sandbox", "SEEDREAM_HOME": str(folder / "home")}
    return subprocess.run(
        [program, *arguments],
        cwd=folder,
        env={**environ, **settings, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )


def test_wheel_holds_the_client_alone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"seedream_api", f"seedream_deepspace-{__version__}.dist-info"}
    package = PACK_ROOT / "seedream_api"
    files = {path.relative_to(PACK_ROOT).as_posix() for path in package.rglob("*.*")}
    files = {name for name in files if "__pycache__" not in name}
    assert files == {name for name in names if name.startswith("seedream_api/")}
    assert "seedream_api/py.typed" in files


def test_wheel_states_its_extras_and_its_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        info = f"seedream_deepspace-{__version__}.dist-info"
        stated = Parser().parsestr(opened.read(f"{info}/METADATA").decode())
        commands = opened.read(f"{info}/entry_points.txt").decode()
    assert (stated["Name"], stated["Version"]) == ("seedream-deepspace", __version__)
    assert set(stated.get_all("Provides-Extra") or []) == EXTRAS
    assert "seedream = seedream_api.cli.main:main" in commands


def test_installed_command_states_its_version(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "--version")
    assert (done.returncode, done.stdout.strip()) == (0, __version__), done.stderr


def test_installed_command_generates_in_the_sandbox(installed: Path, tmp_path: Path) -> None:
    done = run(
        installed, tmp_path,
        "generate", "--model", "Seedream-5.0-Lite-Preferential", "--prompt", "A cat", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["status"] == "completed" and (tmp_path / made["images"][0]["path"]).is_file()
