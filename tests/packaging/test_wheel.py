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
    assert {"seedream_api/py.typed", "seedream_api/cli/main.py"} <= set(names)


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
    assert made["status"] == "completed" and Path(made["images"][0]["path"]).is_file()


STRICT = """
from seedream_api import Request, Session, generate

request = Request(model="Seedream-4.5", prompt="A cat")
wrong = Request(modle="Seedream-4.5", prompt="A cat")
also_wrong = Session(base_ulr="sandbox")
"""


def test_installed_types_find_a_misspelt_field(installed: Path, tmp_path: Path) -> None:
    """A strict check of a user's file, which sees only the installed package."""
    file = tmp_path / "mine.py"
    file.write_text(STRICT, "utf-8")
    cache = f"--cache-dir={tmp_path / 'cache'}"
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", cache, "--no-error-summary", file.name],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(installed)},
        capture_output=True,
        text=True,
    )
    lines = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert len(lines) == 2 and "mine.py:5" in lines[0] and "mine.py:6" in lines[1], done.stdout
    assert 'Unexpected keyword argument "modle"' in lines[0]
    assert 'Unexpected keyword argument "base_ulr"' in lines[1]


def test_every_public_name_has_a_complete_type(installed: Path, tmp_path: Path) -> None:
    checker = Path(sys.executable).with_name("basedpyright")
    done = subprocess.run(
        [checker, "--verifytypes", "seedream_api", "--ignoreexternal", "--outputjson"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout)["typeCompleteness"]
    incomplete = [
        symbol["name"] for symbol in found["symbols"]
        if symbol["isExported"] and not symbol["isTypeKnown"]
    ]  # fmt: skip
    assert found["completenessScore"] == 1 and incomplete == []
