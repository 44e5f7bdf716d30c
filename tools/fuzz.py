"""Run many cases for every reader of foreign input: the long form of tests/fuzz.

    python tools/fuzz.py [--cases 20000] [--seed 1] [--only TARGET ...] [--guided]

Every target gets so many cases out of a seeded generator; with ``--guided``, and where atheris is
installed, coverage chooses them. Only errors of ours may come out, each case within 10 s (those of
100 MB within 60 s) and 1 GiB. Prints a line per target; exits with 1 on a breach.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import random
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MOST_S, MOST_HEAVY_S, MOST_BYTES = 10.0, 60.0, 1024**3
MOST_TARGET_S = 3600.0
"""Of all cases of a target together: one that never ends is a breach, too."""
_SHOWN = 3


@dataclass
class Figures:
    """What became of a target's cases. Memory is the growth of the process, in bytes."""

    cases: int = 0
    worst_s: float = 0.0
    memory: int = 0
    foreign: int = 0
    shown: list[str] = field(default_factory=list)

    def take(self, name: str, case: Callable[[], None]) -> None:
        begun = time.perf_counter()
        try:
            case()
        except Exception:  # noqa: BLE001  (finding these is the whole point)
            self.foreign += 1
            if len(self.shown) < _SHOWN:
                self.shown.append(f"{name}\n{traceback.format_exc(limit=-4)}")
        self.cases += 1
        self.worst_s = max(self.worst_s, time.perf_counter() - begun)

    def breaks(self, most_s: float) -> bool:
        return bool(self.foreign) or self.worst_s > most_s or self.memory > MOST_BYTES


def targets() -> Any:
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    warnings.simplefilter("ignore")
    return importlib.import_module("support.fuzz_targets")


def resident_peak() -> int:
    """The most that this process ever held; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


# ---- one target in a new process ----


def seeded(name: str, cases: int, seed: int, folder: Path) -> Figures:
    known = targets()
    target, chance, figures = known.TARGETS[name], random.Random(f"{name} {seed}"), Figures()  # noqa: S311
    before = resident_peak()
    for number in range(cases):
        data = chance.randbytes(chance.choice([16, 60, 200, 600]))
        figures.take(
            f"case {number}: {data[:80].hex()}", lambda d=data: known.run(target, d, folder)
        )
    known.close_ledgers()
    figures.memory = resident_peak() - before
    return figures


def heavy(folder: Path) -> Figures:
    known, figures = targets(), Figures()
    for name, said in known.heavy_cases():
        before = resident_peak()
        figures.take(name, lambda s=said: known.heavy(s))
        figures.memory = max(figures.memory, resident_peak() - before)
    return figures


def guided(name: str, cases: int, seed: int, folder: Path, result: Path) -> None:
    """Run atheris, which never returns: the figures go into a file."""
    import atheris

    with atheris.instrument_imports(include=["seedream_api"]):
        known = targets()
    target, figures, before = known.TARGETS[name], Figures(), resident_peak()

    def one(data: bytes) -> None:
        figures.take(data[:80].hex(), lambda: known.run(target, data, folder))
        if figures.cases == cases:
            figures.memory = resident_peak() - before
            result.write_text(json.dumps(asdict(figures)))

    corpus = folder / "corpus"
    corpus.mkdir()
    for number, content in enumerate(known.seeds()):
        (corpus / str(number)).write_bytes(content)
    atheris.Setup(
        [sys.argv[0], f"-runs={cases + 100}", f"-seed={seed}", "-verbosity=0", "-rss_limit_mb=0",
         "-close_fd_mask=3", f"-artifact_prefix={folder}/", str(corpus)],
        one,
    )  # fmt: skip
    atheris.Fuzz()


def run_one(name: str, arguments: argparse.Namespace, result: Path) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        if name == "heavy":
            figures = heavy(Path(folder))
        elif arguments.guided:
            guided(name, arguments.cases, arguments.seed, Path(folder), result)
            return
        else:
            figures = seeded(name, arguments.cases, arguments.seed, Path(folder))
    result.write_text(json.dumps(asdict(figures)))


# ---- all of them ----


def in_its_own_process(name: str, arguments: argparse.Namespace) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "figures.json"
        command = [sys.executable, __file__, "--cases", str(arguments.cases), "--seed",
                   str(arguments.seed), "--target", name, str(result)]  # fmt: skip
        if arguments.guided:
            command.append("--guided")
        try:
            ended = subprocess.run(command, check=False, timeout=MOST_TARGET_S)
        except subprocess.TimeoutExpired:
            return Figures(foreign=1, shown=[f"it did not end within {MOST_TARGET_S:.0f} s"])
        if not result.is_file():
            return Figures(foreign=1, shown=[f"its process ended with {ended.returncode}"])
        return Figures(**json.loads(result.read_text()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000, help="of every target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", metavar="TARGET", help="these targets alone")
    parser.add_argument("--guided", action="store_true", help="by coverage, with atheris")
    parser.add_argument("--target", nargs=2, metavar=("NAME", "FILE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.target:
        run_one(arguments.target[0], arguments, Path(arguments.target[1]))
        return 0
    if arguments.guided and importlib.util.find_spec("atheris") is None:
        parser.error("--guided needs atheris: pip install atheris (Linux and macOS)")
    names = arguments.only or [*targets().TARGETS, "heavy"]
    total, broken = Figures(), 0
    print(f"{'':18}{'cases':>9}{'foreign':>9}{'worst ms':>10}{'MiB':>6}")
    for name in names:
        found = in_its_own_process(name, arguments)
        breaks = found.breaks(MOST_HEAVY_S if name == "heavy" else MOST_S)
        broken += breaks
        print(
            f"{name:18}{found.cases:9}{found.foreign:9}{found.worst_s * 1000:10.0f}"
            f"{found.memory // 1024**2:6}{'  BREACH' if breaks else ''}",
            flush=True,
        )
        for text in found.shown:
            print(text)
        total.cases += found.cases
        total.foreign += found.foreign
    print(f"{total.cases} cases, {total.foreign} foreign exceptions, {broken} breaches")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
