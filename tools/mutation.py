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

_LEDGER = (
    "unit/ledger/test_claims.py", "unit/ledger/test_database.py", "unit/ledger/test_queries.py",
    "unit/ledger/test_transitions.py", "unit/ledger/test_opening.py",
    "unit/service/test_link_expiry.py", "integration/test_tasks.py",
)  # fmt: skip
_BROKEN = tuple(
    f"recovery/test_broken_disks.py::{name}" for name in (
        "test_a_home_that_cannot_be_made", "test_a_ledger_that_breaks_in_use",
        "test_a_broken_ledger_that_another_process_moved_already", "test_values_that_nobody_wrote",
        "test_a_ledger_that_is_deleted_in_use",
    )
)  # fmt: skip
_RACES = tuple(
    f"recovery/test_races.py::{name}" for name in (
        "test_request_cancelled_while_claimed_blocks_no_other",
        "test_close_before_first_byte_leaves_nothing_unknown",
        "test_waiter_on_other_process_is_told_when_it_stops",
    )
)  # fmt: skip
_PAID_REQUEST = (
    "integration/test_progress_events.py", "integration/test_ledger_write_failures.py",
    "integration/test_cancellation.py", "integration/test_generation.py",
    "integration/test_deduplication.py",
    *(f"integration/test_fault_matrix.py::{name}" for name in (
        "test_a_prompt_that_fails", "test_the_task_that_a_torn_answer_named_is_looked_for_again",
        "test_late_images_are_fetched_and_not_paid_for_again",
    )),
    *(f"integration/test_faults_after_payment.py::{name}" for name in (
        "test_polling_that_never_works_says_that_the_task_runs",
        "test_a_task_that_is_no_longer_shown_is_not_paid_for_again",
        "test_one_image_of_a_group_that_cannot_be_fetched",
    )),
    *(f"integration/test_uploads.py::{name}" for name in (
        "test_a_url_that_the_service_cannot_read_is_forgotten",
        "test_a_refusal_for_other_reasons_keeps_the_upload",
    )),
    *_RACES,
)  # fmt: skip
_LOCKS = (
    "unit/ledger/test_database.py::test_folder_and_files_belong_to_their_owner_alone",
    "recovery/test_races.py::test_a_sweep_never_takes_the_file_of_a_living_owner",
)
MODULES: dict[str, tuple[str, ...]] = {
    "network.retry": ("unit/network/test_retry.py",),
    "service.polling": ("unit/service/test_polling.py", "integration/test_deduplication.py"),
    **dict.fromkeys(("network.transport", "network.pools"), (
        "unit/network/test_transport_requests.py", "unit/network/test_transport.py",
        "unit/network/test_transport_responses.py",
        "unit/network/test_proxies.py", "unit/network/test_transport_tls.py",
        "unit/network/test_transport_readiness.py",
    )),
    "network.proxies": (
        "unit/config/test_settings_proxy.py", "unit/network/test_proxies.py",
        "unit/network/test_transport_tls.py", "unit/network/test_transport_requests.py",
    ),
    **dict.fromkeys(
        ("ledger.claims", "ledger.queries", "ledger.statements", "ledger.transitions"), _LEDGER
    ),
    **dict.fromkeys(("ledger.records", "ledger.database", "ledger.schema"), (*_LEDGER, *_BROKEN)),
    "service.link_expiry": ("unit/service/test_link_expiry.py",),
    "ledger.states": ("unit/ledger/test_states.py", *_LEDGER[:4]),
    "network.throttle": ("unit/network/test_throttle.py",),
    "ledger.owner_lock": ("unit/ledger/test_owner_lock.py", "unit/ledger/test_windows.py", *_LOCKS),
    **dict.fromkeys(("jobs.steps", "jobs.job", "jobs.runner"), _PAID_REQUEST),
    "service.verdicts": ("unit/service/test_verdicts.py",),
    "service.refusals": ("unit/service/test_refusal_list.py", "unit/service/test_refusals.py"),
    "service.responses": (
        "unit/service/test_responses_tasks.py", "unit/service/test_responses.py",
        "unit/service/test_responses_tolerance.py",
    ),
    "service.task": (
        "unit/service/test_responses_tasks.py", "unit/service/test_responses.py",
        "unit/service/test_responses_tolerance.py",
    ),
    "service.task_fields": ("unit/service/test_task_fields.py",),
    "service.statuses": ("unit/service/test_statuses.py",),
    "service.result_items": ("unit/service/test_result_items.py",),
    "service.inline_images": ("unit/service/test_inline_images.py",),
    "network.bodies": ("unit/network/test_bodies.py",),
    "network.compression": ("unit/network/test_compression.py",),
    "service.stated_errors": ("unit/service/test_stated_errors.py",),
    "service.reading": ("unit/service/test_reading.py",),
    "service.failures": ("unit/service/test_failures.py",),
}  # fmt: skip

PLAIN = {
    "network.retry": "RetryBudget.next_delay",
    "service.polling": "PollSchedule.next_delay_s",
    "network.transport": "_lower_header_names",
    "network.pools": "ConnectionPools.get",
    "network.proxies": "load_certificates",
    "ledger.claims": "claim",
    "ledger.queries": "get_record",
    "ledger.statements": "list_values",
    "ledger.transitions": "move",
    "ledger.records": "parse_row",
    "ledger.database": "Database.owner",
    "ledger.schema": "open_database",
    "service.link_expiry": "link_expiry",
    "ledger.states": "fingerprint",
    "network.throttle": "Throttle.pause_for",
    "ledger.owner_lock": "is_alive",
    "jobs.steps": "_record_submission",
    "jobs.job": "Job.current_row",
    "jobs.runner": "_acquire_row",
    "service.verdicts": "judge_submission",
    "service.refusals": "build_refusal",
    "service.responses": "parse_response",
    "service.task_fields": "find_ids",
    "service.task": "to_task",
    "service.statuses": "parse_progress",
    "service.result_items": "ItemReader.read_items",
    "service.inline_images": "decode_image",
    "network.bodies": "read_body",
    "network.compression": "decompress",
    "service.stated_errors": "find_fallback_error",
    "service.reading": "parse_http_response",
    "service.failures": "to_unknown",
}
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
    """Return the accepted changes that are not mutants any more."""
    known = {module: {mutant.name for mutant in Source(module).mutants} for module in accepted}
    return [
        f"{module}: {name}"
        for module, names in accepted.items() for name in names if name not in known[module]
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
