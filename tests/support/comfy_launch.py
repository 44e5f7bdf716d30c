"""Build the command, environment and folders with which a ComfyUI server starts."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from .clean_environment import clean_environment
from .paths import PACK_ROOT

PACK_FOLDER = "comfyui-seedream-deepspace"  # as after `git clone`; no Python identifier
NOT_COPIED = (".dev", ".git", "__pycache__", "demo_output", "*_cache")


class ComfyServerError(Exception):
    """The server is missing, did not start, died or did not finish; holds the end of its log."""


def find_comfyui() -> Path:
    path = Path(os.environ.get("COMFYUI_PATH") or PACK_ROOT / ".dev" / "comfyui").absolute()
    if not (path / "main.py").is_file():
        raise ComfyServerError(f"no ComfyUI at {path}; `python dev.py test` fetches one")
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def command(base: Path, frontend: Path, port: int, packs: Mapping[str, Path]) -> list[str]:
    python = os.environ.get("COMFYUI_PYTHON") or sys.executable
    stub_modules = Path(__file__).with_name("stub_modules.py")
    only_these = ["--disable-all-custom-nodes"]
    if packs:
        only_these += ["--whitelist-custom-nodes", *packs]
    return [
        *(python, str(stub_modules), str(find_comfyui() / "main.py")),
        *("--cpu", "--disable-api-nodes", "--listen", "127.0.0.1", "--port", str(port)),
        *("--base-directory", str(base), "--front-end-root", str(frontend)),
        # Else it would keep its database in the folder of a ComfyUI that is not ours.
        *("--database-url", f"sqlite:///{(base / 'comfyui.db').as_posix()}"),
        *only_these,
    ]


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    inherited = clean_environment()
    # Set by dev.py: what a Python that is not ours lacks of the pack's requirements.
    beside = inherited.pop("COMFYUI_PYTHONPATH", "")
    fixed = {"PYTHONPATH": beside, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
    # Its rounds would poll and fetch while other tests count requests.
    fixed["SEEDREAM_RECOVER"] = "off"
    return {**inherited, **fixed, **extra}


def place_packs(base: Path, packs: Mapping[str, Path]) -> None:
    folder = base / "custom_nodes"
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in packs.items():
        try:
            (folder / name).symlink_to(source, target_is_directory=True)
        except FileExistsError:
            continue
        except OSError:  # Windows, without the right to make links
            left_out = shutil.ignore_patterns(*NOT_COPIED)
            shutil.copytree(source, folder / name, ignore=left_out)


def empty_frontend(base: Path) -> Path:
    """Enough of a frontend for the server to start with."""
    folder = base / "frontend"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text("<!doctype html>", "utf-8")
    return folder
