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
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from combinations import MATRIX, ROOT, SUPPORTED, Combination, full, pythons, short
from wheel import build_wheel

SCRIPTS = "Scripts" if os.name == "nt" else "bin"
STAMP = ".matrix-stamp"


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
        with ThreadPoolExecutor(1 if is_full else 2) as pool:  # one ComfyUI at a time
            good = list(pool.map(lambda one, problem: tell(one, problem, wheel), wanted, problems))
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
