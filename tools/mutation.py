"""Change one thing of the money path at a time and check whether a test notices.

    python tools/mutation.py [MODULE ...] [--jobs 2] [--sample N] [--show] [--short]

For each module of ``MODULES`` (or those given): one run of its tests records which test executes
which line. Then, for every mutant, the tests that execute its line run in a forked process, the
quickest first, until one fails. A mutant that no test notices is a survivor. Survivors without a
visible effect are listed in ``mutation_accepted.json`` with the reason. Exits with 1 if under 90 %
of the mutants are killed (an accepted one counts as alive), if a survivor has no reason, or if a
reason has no mutant.

``--short`` shows in a minute that this tool works: of each module one plain mutant must be killed,
of one module the accepted ones must live, and one small module is measured whole. Needs ``fork``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from mutants import Mutant, Source
from mutation_targets import MODULES, PLAIN
from mutation_trials import (
    ROOT,
    TESTS,
    Child,
    Collected,
    Tests,
    Trial,
    preload,
    reloaded,
    run_tests,
)

ACCEPTED = Path(__file__).with_name("mutation_accepted.json")
LEAST_SCORE = 0.9
FIRST_TESTS = 10
"""So many of the quickest tests are tried before the others: they kill most mutants."""
SHORT_S = 120.0
"""How long one mutant may take in the short form."""
SHORT_WHOLE = "service.link_expiry"
"""The module of which the short form measures all."""
MODULE_S = 7200.0
"""How long all mutants of one module may take."""

"""Of each module a function whose first mutant no test can overlook: where it gives something, it
gives nothing."""

Accepted = dict[str, dict[str, str]]
"""By module and mutant: why no test needs to notice it."""


def batches(mutant: Mutant, tests: Tests) -> list[tuple[list[str], float]]:
    """Return the tests that execute a mutant's line, in two parts, each with its time limit."""
    mine = [test for test, (_, lines) in tests.items() if mutant.line in lines]
    mine = mine or list(tests)  # a line that runs at import
    return [
        (batch, 10.0 + 6 * sum(tests[test][0] for test in batch))
        for batch in (mine[:FIRST_TESTS], mine[FIRST_TESTS:]) if batch
    ]  # fmt: skip


def in_front_of_all(module: str, mutants: Iterable[Mutant], folder: Path) -> Iterator[Trial]:
    """These mutants in front of all tests of the module, as they come."""
    files = [str(TESTS / name) for name in MODULES[module]]
    for mutant in mutants:
        run = reloaded(Source(module), mutant, folder / f"{mutant.number}")
        yield Trial(mutant, [(files, SHORT_S)], run)


def survivors(waiting: Iterator[Trial], jobs: int) -> list[Mutant]:
    """The mutants that no test notices."""
    running, alive = list[Trial](), list[Mutant]()
    while True:
        while len(running) < jobs and (trial := next(waiting, None)) is not None:
            running.append(trial)
        if not running:
            return alive
        for trial in list(running):
            is_killed = trial.step()
            if is_killed is not None:
                running.remove(trial)
                if not is_killed:
                    alive.append(trial.mutant)
        time.sleep(0.01)


def tried(module: str, jobs: int, sample: int) -> tuple[int, list[Mutant]]:
    """How many mutants of a module there are, or of a sample of them, and which live."""
    source = Source(module)
    mutants = source.mutants
    if sample and sample < len(mutants):
        mutants = random.Random(1).sample(mutants, sample)  # noqa: S311 - which is of no matter
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        told = folder / "told.json"

        def work(collected: Collected) -> None:
            tests = collected.trace(folder)
            within = [mutant for mutant in mutants if collected.can_change(mutant)]

            def changed(mutant: Mutant) -> Trial:
                def run(batch: list[str]) -> int:
                    collected.change(mutant)
                    return collected.run(batch, folder / f"{mutant.number}")

                return Trial(mutant, batches(mutant, tests), run)

            alive = survivors(map(changed, within), jobs)
            numbers = [[mutant.number for mutant in part] for part in (within, alive)]
            told.write_text(json.dumps([tests, *numbers]))

        files = [str(TESTS / name) for name in MODULES[module]]
        Child.fork(lambda: run_tests(files, Collected(source, work)), MODULE_S).wait()
        if not told.exists():
            raise SystemExit(f"the tests of {module} fail by themselves")
        tests, within, alive = json.loads(told.read_text())
        # What lives may still matter while the package is loaded.
        rest = [m for m in mutants if m.number in alive or m.number not in within]
        anew = (
            Trial(m, batches(m, tests), reloaded(source, m, folder / f"{m.number}")) for m in rest
        )
        return len(mutants), survivors(anew, jobs)


def stale(accepted: Accepted) -> list[str]:
    """Return the accepted changes that are not mutants of a measured module any more."""
    known = {module: {mutant.name for mutant in Source(module).mutants} for module in accepted}
    return [
        f"{module}: {name}"
        for module, names in accepted.items() for name in names
        if module not in MODULES or name not in known[module]
    ]  # fmt: skip


def measure(modules: list[str], accepted: Accepted, *, jobs: int, sample: int, show: bool) -> bool:
    """Whether enough is killed, and every survivor has a reason."""
    total = killed = unexplained = 0
    for module in modules:
        begun = time.monotonic()
        count, alive = tried(module, jobs, sample)
        total, killed = total + count, killed + count - len(alive)
        spent = time.monotonic() - begun
        print(f"{module:<14} {count - len(alive):>4} of {count:>4} killed  ({spent:.0f} s)")
        for mutant in alive:
            reason = accepted.get(module, {}).get(mutant.name)
            unexplained += reason is None
            if reason is None or show:
                print(f"  line {mutant.line}: {mutant.name}  [{reason or 'NO REASON'}]")
        sys.stdout.flush()
    score = killed / total if total else 1.0
    print(f"score {score:.1%} ({killed} of {total}), {unexplained} survivors without a reason")
    return score >= LEAST_SCORE and not unexplained


def plainest(module: str) -> Mutant:
    """A mutant that no test of the module can overlook.

    Raises:
        SystemExit: the function that ``PLAIN`` names is gone.
    """
    mine = [m for m in Source(module).mutants if m.name.startswith(f"{PLAIN[module]} |")]
    if not mine:
        raise SystemExit(f"{module} has no {PLAIN[module]} any more: name another one in PLAIN")
    return next((mutant for mutant in mine if mutant.name.endswith("gives None")), mine[0])


def check(modules: list[str], accepted: Accepted, jobs: int) -> bool:
    """Whether one mutant of each module is killed, and what changes nothing is not."""
    is_well = True
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        for module in modules:
            mutant = plainest(module)
            alive = survivors(in_front_of_all(module, [mutant], Path(name)), jobs)
            print(f"{module:<14} {'ALIVE' if alive else 'killed'}: {mutant.name}", flush=True)
            is_well = is_well and not alive
        [equal, *_] = [module for module in modules if module in accepted]
        mutants = [m for m in Source(equal).mutants if m.name in accepted[equal]]
        alive = survivors(in_front_of_all(equal, mutants, Path(name)), jobs)
        print(f"{equal:<14} {len(alive)} of {len(mutants)} live that change nothing", flush=True)
    is_well = is_well and len(alive) == len(mutants)
    return is_well and measure([SHORT_WHOLE], accepted, jobs=jobs, sample=0, show=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", default=list(MODULES), metavar="MODULE")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sample", type=int, default=0, help="only so many mutants a module")
    parser.add_argument("--show", action="store_true", help="show the accepted survivors too")
    parser.add_argument("--short", action="store_true", help="one mutant a module")
    given = parser.parse_args()
    accepted: Accepted = json.loads(ACCEPTED.read_text("utf-8"))
    gone = stale(accepted)
    for name in gone:
        print(f"accepted, and no mutant any more: {name}")
    preload()
    os.chdir(ROOT)  # tests are named relative to it; one that is not found would count as a kill
    if given.short:
        is_well = check(given.modules, accepted, given.jobs)
    else:
        is_well = measure(
            given.modules, accepted, jobs=given.jobs, sample=given.sample, show=given.show
        )
    return 0 if is_well and not gone else 1


if __name__ == "__main__":
    sys.exit(main())
