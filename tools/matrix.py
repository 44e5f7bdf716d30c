"""Test the client on every Python of this machine with the newest and the oldest dependencies.

Each also installs the client's distribution and runs its command in the sandbox.

    python tools/matrix.py                # what dev.py test runs: what touches dependencies
    python tools/matrix.py --full         # every combination, and all that needs no browser

Needs setuptools beside pip, to build the distribution. Every combination has its own environment in
``.dev/matrix``. What this machine cannot run is reported, a line each, and does not count as a
failure. Exits with 1 if a combination fails, or if declared versions cannot be installed together.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from wheel import build_wheel

ROOT = Path(__file__).resolve().parent.parent
MATRIX = ROOT / ".dev" / "matrix"
SUPPORTED = ((3, 10), (3, 11), (3, 12), (3, 13))
SCRIPTS = "Scripts" if os.name == "nt" else "bin"
STAMP = ".matrix-stamp"

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


# ---- running them ----


@dataclass(frozen=True)
class NoEnvironment:
    """An environment could not be made.

    Args:
        is_here: the machine is the reason, or its network: nothing is known about the pack.
    """

    reason: str
    is_here: bool


def ensure(one: Combination) -> NoEnvironment | None:
    """Make its environment; gives why there is none."""
    text = repr((one.version, str(one.python), one.requirements, str(one.beside)))
    stamp = hashlib.sha256(text.encode()).hexdigest()
    file = one.folder / STAMP
    if file.is_file() and file.read_text("utf-8") == stamp:
        return None
    made = call(one.python, "-m", "venv", "--clear", one.folder)
    if made.returncode:
        return NoEnvironment(last_line(made), is_here=True)
    options = ("--quiet", "--disable-pip-version-check", "--no-input", "--only-binary=:all:")
    python = one.folder / SCRIPTS / "python"
    installed = call(python, "-m", "pip", "install", *options, *one.requirements)
    if installed.returncode:
        # No index or no space: pip found no version at all, or reports an error of the system.
        here = "(from versions: none)" in installed.stderr or "OSError" in installed.stderr
        return NoEnvironment(last_line(installed), here)
    if one.beside:
        own = call(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
        (Path(own.stdout.strip()) / "beside.pth").write_text(f"{one.beside}\n", "utf-8")
    file.write_text(stamp, "utf-8")
    return None


def call(
    *command: str | Path, cwd: Path | None = None, environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, errors="replace", cwd=cwd, env=environ
    )


def try_wheel(one: Combination, wheel: Path) -> str | None:
    """Install the client's distribution, run its command in the sandbox, and remove it.

    Returns:
        The last line of what failed; ``None`` if all of it worked.
    """
    folder = one.folder / SCRIPTS
    pip = (folder / "python", "-m", "pip", "--quiet", "--disable-pip-version-check")
    request = ("generate", "--model", "Seedream-4.0", "--prompt", "A cat", "--json")
    with tempfile.TemporaryDirectory(prefix="seedream-wheel-") as scratch:
        settings = {"DEEPSPACE_BASE_URL": "sandbox", "SEEDREAM_HOME": str(Path(scratch) / "home")}
        environ = {**os.environ, **settings, "PYTHONPATH": ""}
        for command in (
            (*pip, "install", "--no-index", wheel),  # its dependencies must be there already
            (folder / "seedream", "--version"),
            (folder / "seedream", *request),
            (*pip, "uninstall", "--yes", "seedream-deepspace"),
        ):
            done = call(*command, cwd=Path(scratch), environ=environ)
            if done.returncode:
                return last_line(done)
    return None


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr or done.stdout).strip().splitlines()
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or [f"exit code {done.returncode}"])[-1]


def run(one: Combination) -> tuple[bool, str]:
    """Whether its tests pass, and their last line."""
    # The program, not "python -m pytest": see CONTRIBUTING.
    command = [one.folder / SCRIPTS / "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:anyio"]
    files = [file for pattern in one.tests for file in sorted(ROOT.glob(pattern))]
    # A ComfyUI too is run by the Python that is tested, whatever runs it elsewhere.
    python = {"COMFYUI_PYTHON": str(one.folder / SCRIPTS / "python"), "COMFYUI_PYTHONPATH": ""}
    done = subprocess.run(
        [*command, *files], cwd=ROOT, env={**os.environ, **python},
        capture_output=True, text=True, errors="replace",
    )  # fmt: skip
    lines = done.stdout.strip().splitlines() or [done.stderr.strip()]
    if done.returncode:
        print("\n".join(lines[-60:]))
    return done.returncode == 0, lines[-1].strip("= ")


def tell(one: Combination, problem: NoEnvironment | None, wheel: Path) -> bool:
    """Run it if it can be run; one line of what came out. Whether nothing speaks against it."""
    if problem:
        outcome = "cannot be run here" if problem.is_here else "FAILED, no such environment"
        print(f"{one.name}: {outcome}: {problem.reason}", flush=True)
        return problem.is_here
    began = time.monotonic()
    passed, line = run(one)
    failure = try_wheel(one, wheel)
    if failure:
        passed, line = False, f"{line}, its wheel: {failure}"
    seconds = time.monotonic() - began
    print(f"{one.name}: {'ok' if passed else 'FAILED'}, {line} ({seconds:.0f} s)", flush=True)
    return passed


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--full", action="store_true", help="every combination, all its tests")
    is_full = parser.parse_args().full
    MATRIX.mkdir(parents=True, exist_ok=True)
    here = pythons()
    if not here:
        print("matrix: cannot be run here: no Python that can make environments (venv, ensurepip)")
        return 0
    for major, minor in SUPPORTED:
        if (major, minor) not in here:
            print(f"Python {major}.{minor}: cannot be run here: not on this machine")
    wanted = [*(full(here) if is_full else short(here))]
    with ThreadPoolExecutor(2) as pool:  # most of it is waiting for packages
        problems = list(pool.map(ensure, wanted))
    with tempfile.TemporaryDirectory(prefix="seedream-wheel-") as folder:
        wheel = build_wheel(Path(folder))
        good = [tell(one, problem, wheel) for one, problem in zip(wanted, problems, strict=True)]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
