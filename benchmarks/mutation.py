"""Changes one thing of the money path at a time and sees whether a test notices.

    python benchmarks/mutation.py [MODULE ...] [--jobs 2] [--sample N] [--show]

For each module of ``MODULES`` (or those named): a run of its tests notes which test walks which
line; then every mutant is loaded in a forked process in place of the module, and the tests that
walk its line are run, the quickest first, until one fails. A mutant that no test notices is a
survivor. Those that change nothing that anybody could see are named in
``mutation_accepted.json`` with the reason. Exits with 1 where under 90 % of the mutants are killed
(an accepted one counts as alive), or where a survivor has no reason. Needs ``fork``.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.machinery
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from mutants import Mutant, Source

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"
ACCEPTED = Path(__file__).with_name("mutation_accepted.json")
LEAST_SCORE = 0.9
FIRST_TESTS = 10
"""So many of the quickest tests are tried before the others: they kill most mutants."""

_LEDGER = (
    "unit/test_ledger_claims.py", "unit/test_ledger_files.py", "unit/test_ledger_looking.py",
    "unit/test_ledger_moves.py", "unit/test_ledger_opening.py", "unit/test_link_life.py",
    "contract/test_tasks.py",
)  # fmt: skip
_BROKEN = tuple(
    f"durability/test_broken_disks.py::{name}" for name in (
        "test_a_home_that_cannot_be_made", "test_a_ledger_that_breaks_in_use",
        "test_a_broken_ledger_that_another_process_moved_already", "test_values_that_nobody_wrote",
        "test_a_ledger_that_is_deleted_in_use",
    )
)  # fmt: skip
MODULES: dict[str, tuple[str, ...]] = {
    "retries": ("unit/test_retries.py",),
    "polling": ("unit/test_polling.py", "contract/test_sharing.py"),
    "transport": (
        "unit/test_transport_requests.py", "unit/test_transport.py",
        "unit/test_transport_answers.py",
        "unit/test_transport_proxies.py", "unit/test_transport_tls.py",
    ),
    **dict.fromkeys(
        ("ledger", "ledger_looks", "ledger_moves", "ledger_rows", "link_life"), _LEDGER
    ),
    **dict.fromkeys(("ledger_file", "ledger_schema"), (*_LEDGER, *_BROKEN)),
    "intents": ("unit/test_intents.py", *_LEDGER[:4]),
    "limits": ("unit/test_limits.py",),
}  # fmt: skip


# ---- running tests in a child ----


def load_instead(path: Path, code: CodeType) -> None:
    """From now on the module at ``path`` is this code."""
    real = importlib.machinery.SourceFileLoader.get_code

    def get_code(self: Any, name: str) -> Any:
        return code if Path(self.path) == path else real(self, name)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[method-assign]


def run_tests(arguments: list[str], *plugins: object) -> int:
    """pytest in this process; nothing of it is shown."""
    import hypothesis
    import pytest

    hypothesis.settings.register_profile("mutation", max_examples=25, database=None)
    hypothesis.settings.load_profile("mutation")
    with open(os.environ.get("MUTATION_OUT", os.devnull), "w") as nothing:  # noqa: PTH123
        for stream in (1, 2):
            os.dup2(nothing.fileno(), stream)
    # A mutant often forgets to close something: noticed by a warning, which nobody may rely on.
    options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:unraisableexception"]
    options += ["-p", "no:threadexception", "-W", "ignore::ResourceWarning", f"--rootdir={ROOT}"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # preloaded on purpose
    return int(pytest.main([*options, *arguments], plugins=list(plugins)))


@dataclass
class Child:
    """A forked process that runs tests; its exit code is pytest's."""

    pid: int
    ends: float

    @classmethod
    def fork(cls, work: Callable[[], int], seconds: float) -> Child:
        pid = os.fork()
        if pid == 0:
            os.setsid()
            code = 70
            try:
                code = work()
            except BaseException:  # noqa: BLE001 - a child must not go on as its parent
                traceback.print_exc()
            os._exit(code)
        return cls(pid, time.monotonic() + seconds)

    def poll(self) -> int | None:
        """The exit code, -1 where time is up, ``None`` while it runs."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() < self.ends:
            return None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return -1

    def wait(self) -> int:
        while (code := self.poll()) is None:
            time.sleep(0.02)
        return code


class Walked:
    """A pytest plugin that notes which test walks which line of one file, and how long it takes."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._lines: set[int] = set()
        self.tests: dict[str, tuple[float, list[int]]] = {}

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != self._path:
            return None
        self._lines.add(frame.f_lineno)
        return self._trace

    def pytest_runtest_protocol(self, item: Any, nextitem: Any) -> None:
        self._lines = set()
        self._begun = time.perf_counter()
        threading.settrace(self._trace)
        sys.settrace(self._trace)

    def pytest_runtest_logfinish(self, nodeid: str, location: Any) -> None:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]
        self.tests[nodeid] = (time.perf_counter() - self._begun, sorted(self._lines))


def walked(source: Source, folder: Path) -> dict[str, tuple[float, list[int]]]:
    """Seconds and lines of every test of a module, quickest first.

    Raises:
        SystemExit: a test fails without any mutant.
    """
    told = folder / f"{source.module}.json"

    def work() -> int:
        plugin = Walked(source.path)
        files = [str(TESTS / name) for name in MODULES[source.module]]
        code = run_tests([*files, f"--basetemp={folder / 'base'}"], plugin)
        told.write_text(json.dumps(plugin.tests))
        return code

    if Child.fork(work, 600).wait() != 0:
        raise SystemExit(f"the tests of {source.module} fail by themselves")
    tests = json.loads(told.read_text())
    return dict(sorted(tests.items(), key=lambda one: one[1][0]))


@dataclass
class Trial:
    """One mutant in front of its tests: the quickest first, then all others that walk its line."""

    source: Source
    mutant: Mutant
    tests: list[list[str]]
    seconds: float
    folder: Path
    child: Child | None = None

    def step(self) -> bool | None:
        """Whether it was killed; ``None`` while that is not known."""
        if self.child is not None:
            code = self.child.poll()
            if code is None:
                return None
            if code not in (0, 5):  # 5: pytest found none of these tests
                return True
        if not self.tests:
            return False
        batch = self.tests.pop(0)

        def work() -> int:
            load_instead(self.source.path, self.source.code(self.mutant))
            return run_tests([f"--basetemp={self.folder}", *batch])

        self.child = Child.fork(work, self.seconds)
        return None


def trials(module: str, folder: Path, sample: int) -> Iterator[Trial]:
    source = Source(module)
    tests = walked(source, folder)
    mutants = source.mutants
    if sample and sample < len(mutants):
        mutants = random.Random(1).sample(mutants, sample)  # noqa: S311 - which is of no matter
    for mutant in mutants:
        mine = [test for test, (_, lines) in tests.items() if mutant.line in lines]
        mine = mine or list(tests)  # a line that is walked at import
        batches = [mine[:FIRST_TESTS], mine[FIRST_TESTS:]]
        seconds = 30.0 + 4 * sum(tests[test][0] for test in mine)
        place = folder / f"{module}_{mutant.number}"
        yield Trial(source, mutant, [batch for batch in batches if batch], seconds, place)


def survivors(module: str, folder: Path, jobs: int, sample: int) -> tuple[int, list[Mutant]]:
    """How many mutants there were, and which no test noticed."""
    waiting, running = trials(module, folder, sample), list[Trial]()
    count, alive = 0, list[Mutant]()
    while True:
        while len(running) < jobs and (trial := next(waiting, None)) is not None:
            running.append(trial)
        if not running:
            return count, alive
        for trial in list(running):
            is_killed = trial.step()
            if is_killed is not None:
                running.remove(trial)
                count += 1
                if not is_killed:
                    alive.append(trial.mutant)
        time.sleep(0.01)


def preload() -> None:
    """What every child would import: everything but this project."""
    for name in ("httpx", "httpcore", "pydantic", "PIL.Image", "numpy", "hypothesis.strategies",
                 "pytest", "asyncio", "sqlite3", "anyio._backends._asyncio"):  # fmt: skip
        importlib.import_module(name)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", default=list(MODULES), metavar="MODULE")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sample", type=int, default=0, help="only so many mutants a module")
    parser.add_argument("--show", action="store_true", help="show the accepted survivors too")
    given = parser.parse_args()
    accepted: dict[str, dict[str, str]] = json.loads(ACCEPTED.read_text("utf-8"))
    preload()
    total = killed = unexplained = 0
    for module in given.modules:
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
            count, alive = survivors(module, Path(name), given.jobs, given.sample)
        total, killed = total + count, killed + count - len(alive)
        spent = time.monotonic() - begun
        print(f"{module:<14} {count - len(alive):>4} of {count:>4} killed  ({spent:.0f} s)")
        for mutant in alive:
            reason = accepted.get(module, {}).get(mutant.name)
            unexplained += reason is None
            if reason is None or given.show:
                print(f"  line {mutant.line}: {mutant.name}  [{reason or 'NO REASON'}]")
        sys.stdout.flush()
    score = killed / total if total else 1.0
    print(f"score {score:.1%} ({killed} of {total}), {unexplained} survivors without a reason")
    return 0 if score >= LEAST_SCORE and not unexplained else 1


if __name__ == "__main__":
    sys.exit(main())
