"""The client's tests on every Python of this machine, with the newest and the oldest dependencies.

    python benchmarks/matrix.py                # unit tests everywhere: what CI runs
    python benchmarks/matrix.py --full         # the contract layer too

Standard library only. Every combination has an environment of its own in ``.dev/matrix``, without
torch: ``nodes/`` is tested where ``dev.py test`` runs. What this machine cannot run is said, in one
line each; exit code 1 where a combination fails.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MATRIX = ROOT / ".dev" / "matrix"
SUPPORTED = ((3, 10), (3, 11), (3, 12), (3, 13))
OLDEST = {"numpy": "1.26.0"}
"""The oldest tried of what is declared without a floor: ComfyUI decides about it."""
TOOLS = {
    "unit": ("pytest>=8.0,<10", "hypothesis>=6.100,<7", "trustme>=1.1,<2"),
    "contract": ("obstore>=0.9,<1", "moto[s3]>=5.1,<6", "flask>=3.0,<4", "flask-cors>=5.0,<7"),
}
SCRIPTS = "Scripts" if os.name == "nt" else "bin"
STAMP = ".matrix-stamp"


@dataclass(frozen=True)
class Combination:
    """One Python with one set of dependencies."""

    python: Path
    version: str
    dependencies: str
    """``newest`` or ``oldest``."""
    requirements: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"Python {self.version}, {self.dependencies} dependencies"

    @property
    def folder(self) -> Path:
        return MATRIX / f"{self.version}-{self.dependencies}"


def declared() -> list[str]:
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def at_the_floor(requirement: str) -> str:
    """``httpx>=0.27,<1`` as ``httpx==0.27``."""
    name = re.split(r"[<>=~! ]", requirement)[0]
    floor = re.search(r">=\s*([0-9.]+)", requirement)
    return f"{name}=={floor.group(1) if floor else OLDEST[name]}"


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
    """By minor version, the first that runs."""
    found: dict[tuple[int, int], tuple[Path, str]] = {}
    for python in candidates():
        asked = subprocess.run(  # noqa: S603
            [python, "-c", "import sys, venv; print(*sys.version_info[:3])"],
            capture_output=True, text=True,
        )  # fmt: skip
        if asked.returncode == 0:
            major, minor, patch = map(int, asked.stdout.split())
            found.setdefault((major, minor), (python, f"{major}.{minor}.{patch}"))
    return found


def combinations(layers: tuple[str, ...]) -> list[Combination]:
    """Newest dependencies on every Python, the oldest on the oldest: wheels of both exist there."""
    tools = tuple(tool for layer in layers for tool in TOOLS[layer])
    newest = (*declared(), *tools)
    oldest = (*map(at_the_floor, declared()), *tools)
    here = {minor: found for minor, found in pythons().items() if minor in SUPPORTED}
    made = [Combination(*found, "newest", newest) for _, found in sorted(here.items())]
    if here:
        made.insert(0, Combination(*here[min(here)], "oldest", oldest))
    for major, minor in SUPPORTED:
        if (major, minor) not in here:
            print(f"Python {major}.{minor}: not on this machine")
    return made


def ensure(one: Combination) -> str:
    """Make its environment; gives what went wrong, or nothing."""
    text = repr((one.version, str(one.python), one.requirements))
    stamp = hashlib.sha256(text.encode()).hexdigest()
    file = one.folder / STAMP
    if file.is_file() and file.read_text("utf-8") == stamp:
        return ""
    python = one.folder / SCRIPTS / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input",
           "--only-binary=:all:", *one.requirements]  # fmt: skip
    for command in ([one.python, "-m", "venv", "--clear", one.folder], pip):
        done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603
        if done.returncode:
            return (done.stderr or done.stdout).strip().splitlines()[-1]
    file.write_text(stamp, "utf-8")
    return ""


def run(one: Combination, layers: tuple[str, ...]) -> tuple[bool, str]:
    """Whether its tests pass, and their last line."""
    # The program, not "python -m pytest": see CONTRIBUTING.
    command = [one.folder / SCRIPTS / "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:anyio"]
    folders = [f"tests/{layer}" for layer in layers]
    done = subprocess.run(  # noqa: S603
        [*command, *folders], cwd=ROOT, capture_output=True, text=True, errors="replace"
    )
    lines = done.stdout.strip().splitlines() or [done.stderr.strip()]
    if done.returncode:
        print("\n".join(lines[-60:]))
    return done.returncode == 0, lines[-1].strip("= ")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--full", action="store_true", help="the contract layer too")
    layers = ("unit", "contract") if parser.parse_args().full else ("unit",)
    MATRIX.mkdir(parents=True, exist_ok=True)
    wanted = combinations(layers)
    with ThreadPoolExecutor(2) as pool:  # most of it is waiting for packages
        problems = list(pool.map(ensure, wanted))
    good = bool(wanted)
    for one, problem in zip(wanted, problems, strict=True):
        if problem:
            # No wheel for it here, or no network: nothing is known about the pack.
            print(f"{one.name}: cannot be run here: {problem}")
            continue
        began = time.monotonic()
        passed, line = run(one, layers)
        print(
            f"{one.name}: {'ok' if passed else 'FAILED'}, {line} ({time.monotonic() - began:.0f} s)"
        )
        good = good and passed
    print(f"layers: {', '.join(layers)}; nodes and a real ComfyUI (torch) run in dev.py test alone")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
