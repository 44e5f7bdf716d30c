"""Build the distribution of the client: ``python tools/wheel.py [FOLDER]``, by default ``dist``.

It holds the package ``seedream_api`` and the command ``seedream``; ComfyUI's side is not in it. The
build runs in a copy, so that it leaves nothing in this folder, and needs setuptools beside pip.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("pyproject.toml", "README.md", "LICENSE")


def build_wheel(folder: Path) -> Path:
    """Build the wheel into a folder and return its path.

    Raises:
        RuntimeError: the build failed; the text is the end of its output.
    """
    with tempfile.TemporaryDirectory(prefix="seedream-wheel-") as scratch:
        copy = Path(scratch)
        for name in SOURCES:
            shutil.copyfile(ROOT / name, copy / name)
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
        shutil.copytree(ROOT / "seedream_api", copy / "seedream_api", ignore=ignored)
        options = ("--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder)
        command = [sys.executable, "-m", "pip", "wheel", *options, copy]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise RuntimeError((done.stdout + done.stderr)[-2000:])
    return max(folder.glob("seedream_deepspace-*.whl"), key=lambda file: file.stat().st_mtime)


if __name__ == "__main__":
    print(build_wheel(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "dist"))
