"""The command line starts quickly: help, version and completion load nothing heavy."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from seedream_api.cli.commands import COMMANDS, GROUPS
from seedream_api.cli.parser import load_command
from support.paths import PACK_ROOT

HEAVY = {"httpx", "httpcore", "pydantic", "numpy", "PIL", "asyncio", "sqlite3", "ssl", "rich"}
LOADED = """
import json, sys
from seedream_api.cli import main
try:
    main({words!r})
except SystemExit:
    pass
print("loaded", json.dumps(sorted(sys.modules)))
"""


def modules_after(words: list[str]) -> set[str]:
    ran = subprocess.run(
        [sys.executable, "-c", LOADED.format(words=words)],
        cwd=PACK_ROOT,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(ran.stdout.rpartition("loaded ")[2]))


@pytest.mark.parametrize(
    "words", [["--version"], ["--help"], *([name, "--help"] for name in COMMANDS)]
)
def test_help_and_version_load_nothing_heavy(words: list[str]) -> None:
    loaded = modules_after(words)
    assert "seedream_api.cli.main" in loaded
    assert loaded & HEAVY == set()
    commands = {name for name in loaded if name.startswith("seedream_api.cli.commands.")}
    named = {f"seedream_api.cli.commands.{word}" for word in words if word in COMMANDS}
    assert commands == named, "only the module of the command is imported"


def test_wrong_use_loads_nothing_heavy() -> None:
    assert modules_after(["generat"]) & HEAVY == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_module_and_a_group(name: str) -> None:
    module = load_command(name)
    assert callable(module.add_arguments) and callable(module.run)
    assert COMMANDS[name].group in GROUPS


@pytest.mark.skipif(os.name == "nt", reason="the test reads /dev/stdout")
@pytest.mark.parametrize("line", ["seedream gen", "seedream generate --model Seed", "seedream "])
def test_completion_loads_nothing_heavy(line: str) -> None:
    pytest.importorskip("argcomplete")
    given = {
        "_ARGCOMPLETE": "1", "_ARGCOMPLETE_STDOUT_FILENAME": "/dev/stdout", "COMP_LINE": line,
        "_ARGCOMPLETE_IFS": "\n", "COMP_POINT": str(len(line)), "COMP_TYPE": "9",
    }  # fmt: skip
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "seedream_api"],
        cwd=PACK_ROOT,
        env={**os.environ, **given},
        capture_output=True,
        text=True,
    )
    loaded = {part.rpartition("|")[2].strip() for part in ran.stderr.splitlines()}
    assert "argcomplete" in loaded and ran.stdout.strip()
    assert loaded & HEAVY == set()
