"""The environment in ``.dev/env`` as pip sees it: what it would fetch, and fetching it.

Standard library only; used by dev.py, before there is an environment.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEV = ROOT / ".dev"
ENV = DEV / "env"
SCRIPTS = ENV / ("Scripts" if os.name == "nt" else "bin")
EXE = ".exe" if os.name == "nt" else ""
PYTHON = SCRIPTS / f"python{EXE}"
STAMP = ".dev-stamp"  # in a folder that is complete; says what it was made from

TORCH = ("torch==2.13.0", "torch")  # the newest one, where this Python has no wheel of that one
TORCH_CPU_INDEX = ("--index-url", "https://download.pytorch.org/whl/cpu")
IMPATIENT = ("--retries", "0", "--timeout", "5")


class Failure(Exception):
    """A step that did not work; the text is for the person at the terminal."""


def say(text: str) -> None:
    print(f"[dev] {text}", flush=True)


def fingerprint(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def is_stamped(folder: Path, stamp: str) -> bool:
    file = folder / STAMP
    return file.is_file() and file.read_text("utf-8") == stamp


def capture(*command: str | Path, env: Mapping[str, str] | None = None) -> str:
    """The command's output, or a Failure with the last lines of what it complained about."""
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, **(env or {})},
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
        return size_of(self.urls)


def size_of(urls: Sequence[str]) -> str:
    """How much is to be downloaded, in words."""
    with ThreadPoolExecutor(16) as pool:
        sizes = list(pool.map(download_bytes, urls))
    unknown = f" and {sizes.count(None)} files of unknown size" if None in sizes else ""
    return f"{sum(size or 0 for size in sizes) / 1e6:.0f} MB{unknown} to fetch"


def download_bytes(url: str) -> int | None:
    try:
        request = urllib.request.Request(url, method="HEAD")  # works for file: URLs too
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
