"""Which Pythons this machine has, and with which dependencies each runs which tests."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MATRIX = ROOT / ".dev" / "matrix"
SUPPORTED = ((3, 10), (3, 11), (3, 12), (3, 13))
TOOLS = ("pytest>=8.0,<10", "hypothesis>=6.100,<7", "trustme>=1.1,<2")
MORE_TOOLS = (
    "obstore>=0.9,<1",
    "moto[s3]>=5.1,<6",
    "flask>=3.0,<4",
    "flask-cors>=5.0,<7",
    "pillow-heif>=0.20,<2",
)
SHORT = (
    "tests/unit/network/test_transport*.py", "tests/unit/network/test_proxies.py",
    "tests/unit/images/test_decode*.py", "tests/unit/images/test_encode.py",
    "tests/unit/service/test_request.py", "tests/unit/service/test_responses*.py",
    "tests/unit/service/test_poll*.py", "tests/unit/ledger/test_database.py",
    "tests/unit/ledger/test_opening.py", "tests/unit/ledger/test_owner_lock.py",
    "tests/unit/ledger/test_windows.py", "tests/integration/test_hostile_packs.py",
)  # fmt: skip
"""What touches httpx, pydantic, Pillow, numpy, or what differs between Pythons."""
FULL = ("tests/unit", "tests/integration")
NODES = (
    "tests/nodes/test_tensors.py", "tests/nodes/test_round_trips.py",
    "tests/nodes/host/test_runtime.py",
    "tests/comfyui/test_images.py", "tests/comfyui/test_references.py",
)  # fmt: skip
"""What holds numpy, Pillow and torch to each other, in a real ComfyUI too."""


@dataclass(frozen=True)
class Combination:
    """One Python with one set of dependencies.

    Args:
        version: of the Python, such as ``3.12.1``.
        dependencies: their name, such as ``newest``.
        beside: a folder of packages that count after its own, such as those with torch.
    """

    python: Path
    version: str
    dependencies: str
    requirements: tuple[str, ...]
    tests: tuple[str, ...]
    beside: Path | None = None

    @property
    def name(self) -> str:
        return f"Python {self.version}, {self.dependencies}"

    @property
    def folder(self) -> Path:
        return MATRIX / re.sub(r"[ ,]+", "-", f"{self.version} {self.dependencies}")


def declared() -> list[str]:
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def at_the_floor(requirement: str) -> str:
    """``httpx>=0.27,<1`` as ``httpx==0.27``."""
    name, floor = re.split(r">=|,", requirement)[:2]
    return f"{name}=={floor}"


# ---- the Pythons of this machine ----


def candidates() -> Iterator[Path]:
    """Every Python that may be on this machine; this one first."""
    yield Path(sys.executable)
    program = "python.exe" if os.name == "nt" else "bin/python"
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    yield from sorted(pyenv.glob(f"*/{program}"))
    for major, minor in SUPPORTED:
        found = shutil.which(f"python{major}.{minor}")
        if found:
            yield Path(found)


def pythons() -> dict[tuple[int, int], tuple[Path, str]]:
    """By minor version, the first that can make environments."""
    found: dict[tuple[int, int], tuple[Path, str]] = {}
    question = "import sys, venv, ensurepip; print(*sys.version_info[:3])"
    for python in candidates():
        asked = subprocess.run([python, "-c", question], capture_output=True, text=True)
        if asked.returncode == 0:
            major, minor, patch = map(int, asked.stdout.split())
            found.setdefault((major, minor), (python, f"{major}.{minor}.{patch}"))
    return {minor: found[minor] for minor in SUPPORTED if minor in found}


# ---- the combinations ----


def short(here: dict[tuple[int, int], tuple[Path, str]]) -> Iterator[Combination]:
    """The oldest dependencies on the oldest Python, and the newest on all but this Python, where
    dev.py runs everything with them."""
    yield Combination(*here[min(here)], "oldest", oldest(), SHORT)
    for minor, found in here.items():
        if minor != sys.version_info[:2]:
            yield Combination(*found, "newest", (*declared(), *TOOLS), SHORT)


def full(here: dict[tuple[int, int], tuple[Path, str]]) -> Iterator[Combination]:
    newest = (*declared(), *TOOLS, *MORE_TOOLS)
    yield Combination(*here[min(here)], "oldest", (*oldest(), *MORE_TOOLS), FULL)
    for found in here.values():
        yield Combination(*found, "newest", newest, FULL)
    # Each beside the newest of everything else. numpy 1.26 was built for no Python after 3.12.
    before = [minor for minor in here if minor <= (3, 12)]
    if before:
        yield Combination(*here[max(before)], "numpy 1.26", (*newest, "numpy==1.26.*"), FULL)
    pillow = next(at_the_floor(line) for line in declared() if line.startswith("Pillow"))
    yield Combination(*here[max(here)], "oldest Pillow", (*newest, pillow), FULL)
    yield from with_torch(here)


def oldest() -> tuple[str, ...]:
    return (*map(at_the_floor, declared()), *TOOLS)


def with_torch(here: dict[tuple[int, int], tuple[Path, str]]) -> Iterator[Combination]:
    """The nodes on the oldest dependencies, with the torch that dev.py has fetched."""
    packages = [*(ROOT / ".dev" / "env").glob("lib/python3.*/site-packages")]
    packages += (ROOT / ".dev" / "env").glob("Lib/site-packages")
    minor = sys.version_info[:2]
    if not packages or minor not in here or Path(sys.prefix) != ROOT / ".dev" / "env":
        print("nodes on oldest dependencies: only by .dev/env's Python, which dev.py makes")
    else:
        # torch itself cannot be imported with an older one of these.
        own = "typing_extensions"
        asked = (f"{own}>=4.10" if line.startswith(own) else line for line in oldest())
        name = "oldest, with nodes"
        yield Combination(*here[minor], name, tuple(asked), NODES, packages[0].resolve())
