"""The environment in ``.dev/env``: made once, and again when what it is made from changes.

Standard library only; used by dev.py.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path

from .packages import (
    ENV,
    PYTHON,
    ROOT,
    STAMP,
    TORCH,
    Failure,
    capture,
    fingerprint,
    is_stamped,
    pip,
    plan,
    plan_torch,
    say,
)

PIP = "pip>=24.1,<27"  # these have --report, --python and fast-deps
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt", "tests/comfyui/requirements.txt")


def ensure_environment() -> None:
    lists = [(ROOT / name).read_text("utf-8") for name in REQUIREMENTS]
    stamp = fingerprint(sys.version, sys.base_prefix, TORCH, lists)
    if is_stamped(ENV, stamp):
        return
    started = time.monotonic()
    make_venv()
    install_torch()
    rest = plan(*(word for name in REQUIREMENTS for word in ("-r", str(ROOT / name))))
    if rest.versions:
        say(f"{len(rest.versions)} more packages: {rest.size()} ...")
        pip("install", *rest.arguments)
    (ENV / STAMP).write_text(stamp, "utf-8")
    say(f"Environment ready after {time.monotonic() - started:.0f} s.")


def make_venv() -> None:
    say("Making the environment in .dev/env ...")
    config = ENV / "pyvenv.cfg"
    same_python = f"version = {sys.version.split()[0]}"
    kept = PYTHON.exists() and config.exists() and same_python in config.read_text("utf-8")
    capture(sys.executable, "-m", "venv", *(() if kept else ("--clear",)), ENV)
    pip("install", PIP)


def install_torch() -> None:
    borrowed = torch_here()
    if borrowed:
        # As --system-site-packages would, but also when this Python is itself in an environment.
        say(f"torch: the one in {borrowed} is reused.")
        own = capture(PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
        (Path(own.strip()) / "borrowed-torch.pth").write_text(f"{borrowed}\n", "utf-8")
        return
    torch = plan_torch()
    if torch.versions:
        build = "no CPU build is offered" if torch.is_cuda else "CPU"
        say(f"torch {torch.versions.get('torch')} ({build}): {torch.size()} ...")
        pip("install", *torch.arguments)


def torch_here() -> Path | None:
    """The folder that holds a usable torch of the Python that runs this file."""
    if Path(sys.prefix) == ENV or importlib.util.find_spec("torch") is None:
        return None
    try:  # custom_op came with 2.4, about the oldest that a present ComfyUI runs on
        check = "import torch; torch.library.custom_op; print(torch.__file__)"
        file = capture(sys.executable, "-c", check).strip().splitlines()[-1]
    except Failure:
        return None
    return Path(file).resolve().parent.parent
