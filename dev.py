"""Try the pack or test it: ``python dev.py demo`` | ``python dev.py test [pytest arguments]`` |
``python dev.py coverage [pytest arguments]``.

Standard library only. Everything it needs is put under ``.dev/``; nothing outside is touched.
``COMFYUI_PATH`` names a ComfyUI to use instead of the one fetched here, ``COMFYUI_PYTHON`` the
Python that runs it, ``CHROMIUM_PATH`` the browser of the browser tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

if sys.version_info < (3, 10):  # noqa: UP036  (this is where an older Python gets its message)
    sys.exit("dev.py needs Python 3.10 or newer; this is " + sys.version.split()[0])
sys.path[1:1] = [str(Path(__file__).resolve().parent / folder) for folder in ("tools", "tests")]

from setup.coverage import measure
from setup.downloads import ensure_browser, ensure_comfyui, ensure_frontends
from setup.environment import ensure_environment
from setup.host import ensure_host
from setup.packages import DEV, EXE, PYTHON, ROOT, SCRIPTS, Failure, say

PARALLEL = ["tests/unit", "tests/nodes", "tests/packaging", "tests/fuzz", "tests/judge"]
"""Tests that wait for nothing, so that two processes take half the time of one."""


def run(*command: str | Path, env: dict[str, str]) -> bool:
    return subprocess.run(command, cwd=ROOT, env=child_environment(env)).returncode == 0


def child_environment(env: dict[str, str]) -> dict[str, str]:
    # A terminal that cannot show Chinese gets question marks, not an exception.
    return {**os.environ, "PYTHONIOENCODING": ":replace", **env}


def test(host: dict[str, str], arguments: list[str]) -> bool:
    layers = {
        "ruff check": ["ruff", "check", "."],
        "ruff format": ["ruff", "format", "--check", "."],
        "prose": ["python", "tools/check_prose.py"],
        "basedpyright": ["basedpyright", "--pythonpath", str(PYTHON)],
        # The program, not "python -m pytest": that would put this folder on sys.path, and its
        # nodes/ would hide ComfyUI's own nodes module.
        "pytest in two processes": ["pytest", "-n", "2", *PARALLEL],
        "pytest": ["pytest", *(arguments or [f"--ignore={folder}" for folder in PARALLEL])],
        "matrix": ["python", "tools/matrix.py"],
    }
    if arguments:
        layers = {"pytest": layers["pytest"]}
    results: dict[str, bool] = {}
    for name, (program, *rest) in layers.items():
        say(f"{name} ...")
        results[name] = run(SCRIPTS / f"{program}{EXE}", *rest, env=host)
    say(", ".join(f"{name}: {'ok' if good else 'FAILED'}" for name, good in results.items()))
    return all(results.values())


def main(command: str = "", *arguments: str) -> int:
    if command not in ("demo", "test", "coverage") or (command == "demo" and arguments):
        print(__doc__)
        return 2
    try:
        DEV.mkdir(exist_ok=True)
        ensure_environment()
        ensure_comfyui()
        host = ensure_host()
        if command == "demo":
            return 0 if run(PYTHON, ROOT / "tools" / "demo.py", env=host) else 1
        ensure_frontends()
        ensure_browser()
        if command == "coverage":
            return 0 if measure(child_environment(host), list(arguments)) else 1
        return 0 if test(host, list(arguments)) else 1
    except (Failure, OSError) as failure:
        say(f"Stopped: {failure}\nIf .dev is in a bad state, delete it and run this again.")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
