"""Measure the lines and branches that the tests execute, also in child processes and in the real
server. A process that a test kills from outside reports nothing.

Standard library only; used by dev.py.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from .packages import DEV, EXE, ROOT, SCRIPTS, say

BOUNDS = {"seedream_api": 95.0, "nodes": 90.0}
"""By folder, the least share of its branches in percent."""
FOLDER = DEV / "coverage"
COUNTS_MODULES = "tests/unit/test_init.py::test_import_loads_neither_http_nor_images"
"""Counts what is imported, and so coverage too."""


class Share(NamedTuple):
    """What was executed, in percent."""

    lines: float
    branches: float


def measure(environment: dict[str, str], arguments: list[str]) -> bool:
    """Run pytest, print the shares, and return whether they reach the bounds.

    Failing tests are reported but do not decide; ``dev.py test`` is for them.
    """
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    pytest = [SCRIPTS / f"pytest{EXE}", "--deselect", COUNTS_MODULES, *arguments]
    if not coverage(environment, "run", *pytest):
        say("Some tests failed: what they did not reach is missing below.")
    report = FOLDER / "report.json"
    if not coverage(environment, "combine", "--quiet"):
        return False
    coverage(environment, "report", "--skip-covered", "--sort=cover")
    coverage(environment, "json", "--quiet", "-o", report)
    shares = shares_of(json.loads(report.read_text("utf-8")))
    for name, share in shares.items():
        bound = BOUNDS[name]
        verdict = "ok" if share.branches >= bound else "TOO LITTLE"
        say(
            f"{name}: {share.lines:.1f} % of lines, {share.branches:.1f} % of branches "
            f"(at least {bound:g} %): {verdict}"
        )
    return all(share.branches >= BOUNDS[name] for name, share in shares.items())


def coverage(environment: dict[str, str], *arguments: str | Path) -> bool:
    command = [SCRIPTS / f"coverage{EXE}", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment).returncode == 0


def shares_of(report: dict[str, Any]) -> dict[str, Share]:
    """By folder of ``BOUNDS``, from coverage's own JSON."""
    shares: dict[str, Share] = {}
    for folder in BOUNDS:
        files = [
            one["summary"] for path, one in report["files"].items() if Path(path).parts[0] == folder
        ]
        lines, branches = (
            (sum(one[seen] for one in files), sum(one[known] for one in files))
            for seen, known in (
                ("covered_lines", "num_statements"),
                ("covered_branches", "num_branches"),
            )
        )
        shares[folder] = Share(percent(*lines), percent(*branches))
    return shares


def percent(seen: int, known: int) -> float:
    return 100 * seen / known if known else 0.0
