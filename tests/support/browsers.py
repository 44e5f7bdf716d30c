"""Which browser and which frontends the tests run with; standard library only, for dev.py too."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .paths import PACK_ROOT

DEV = PACK_ROOT / ".dev"
OWN_BROWSERS = DEV / "browsers"
"""Where dev.py lets Playwright put a Chromium if the machine has none."""
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
NEWEST_FRONTEND = "comfyui-frontend-package==1.58.1"
MIDDLE_FRONTEND = "comfyui-frontend-package==1.49.6"
"""That of ComfyUI 0.33, for a few tests of what differs between frontends."""
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)


def find_chromium() -> str | None:
    """A browser of this machine: ``CHROMIUM_PATH``, else the first one on PATH."""
    named = os.environ.get("CHROMIUM_PATH")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


def frontend_requirements() -> list[str]:
    """``comfyui-frontend-package==x.y.z``: the one that the ComfyUI in use asks for, and the
    newest known."""
    comfyui = Path(os.environ.get("COMFYUI_PATH") or DEV / "comfyui")
    lines = (comfyui / "requirements.txt").read_text("utf-8").splitlines()
    asked = [line.strip() for line in lines if line.startswith("comfyui-frontend-package==")]
    return list(dict.fromkeys([*asked, NEWEST_FRONTEND]))


def frontend_folder(requirement: str) -> Path:
    """The folder that holds this frontend's ``index.html``, once dev.py has fetched it."""
    return DEV / "frontend" / requirement.partition("==")[2]
