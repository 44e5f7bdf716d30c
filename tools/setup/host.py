"""Which ComfyUI the tests and the demo start, by which Python, and what that Python lacks.

Standard library only; used by dev.py.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .downloads import COMFYUI
from .packages import (
    DEV,
    ENV,
    PYTHON,
    ROOT,
    SCRIPTS,
    STAMP,
    Failure,
    fingerprint,
    is_stamped,
    pip,
    plan,
    say,
)

# Large, and called by nothing that runs here. spandrel asks for torchvision, that for CUDA.
NOT_FOR_TESTS = ("torch", "spandrel", "comfyui-workflow-templates", "comfyui-embedded-docs")


def ensure_host() -> dict[str, str]:
    """Environment variables that tell the tests' harness which ComfyUI to start, and how."""
    path = Path(os.environ.get("COMFYUI_PATH") or COMFYUI).resolve()
    if not (path / "main.py").is_file():
        raise Failure(f"COMFYUI_PATH is {path}, which holds no main.py")
    venvs = [path / name / SCRIPTS.name / PYTHON.name for name in ("venv", ".venv")]
    near = [*venvs, path.parent / "python_embeded" / "python.exe", PYTHON]
    named = os.environ.get("COMFYUI_PYTHON")
    # Not resolved: a link into an environment must keep leading through that environment.
    python = Path(named).absolute() if named else next(each for each in near if each.is_file())
    if not python.is_file():
        raise Failure(f"COMFYUI_PYTHON is {python}, which is no file")
    beside = ""
    if python != PYTHON:
        wanted = (ROOT / "requirements.txt").read_text("utf-8")
        folder = DEV / "beside" / fingerprint(str(python))[:12]
        add_missing(wanted, folder, python, "--target", str(folder))
        beside = str(folder)
    elif path != COMFYUI:
        lines = (path / "requirements.txt").read_text("utf-8").splitlines()
        wanted = "\n".join(line for line in lines if not line.startswith(NOT_FOR_TESTS))
        add_missing(wanted, ENV / "host", python)
    say(f"ComfyUI: {path}, run by {python}")
    return {"COMFYUI_PATH": str(path), "COMFYUI_PYTHON": str(python), "COMFYUI_PYTHONPATH": beside}


def add_missing(wanted: str, folder: Path, python: Path, *where: str) -> None:
    """Install what that Python lacks of the wanted packages, but leave its torch alone."""
    if is_stamped(folder, fingerprint(wanted)):
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "wanted.txt").write_text(wanted, "utf-8")
    missing = plan("-r", str(folder / "wanted.txt"), python=python)
    exact = [f"{k}=={v}" for k, v in missing.versions.items() if not k.startswith("torch")]
    if exact:
        say(f"{len(exact)} packages that this ComfyUI lacks, into .dev: {missing.size()} ...")
        pip("install", "--no-deps", *where, *exact, python=python)
    (folder / STAMP).write_text(fingerprint(wanted), "utf-8")
