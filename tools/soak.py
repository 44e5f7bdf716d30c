"""Run long under load and faults: nothing lost, nothing paid twice, nothing leaked.

    python tools/soak.py                    # 1 000 intents, about two minutes
    python tools/soak.py --intents 20000 --seed 7

Several worker processes share one home folder and go through intents of both families as people
do, with duplicates, Cancel and second thoughts, against a sandbox that fails at random in every way
it knows; workers are killed at random moments and started again. Afterwards the service's books are
held against the record and the disk. One line of figures; exit code 1 on any breach, which then
keeps the folder.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--intents", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--faults", type=float, default=0.25, help="share of all requests, 0 to 1")
    given = parser.parse_args()
    sys.path += [str(ROOT), str(ROOT / "tests")]
    from soaking.run import Soak

    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    began = time.monotonic()
    soak = Soak(folder, given.seed, given.intents, given.faults)
    findings = soak.run()
    breaches = findings.all()
    for breach in breaches[:40]:
        print(breach)
    figures = (
        f"soak: {given.intents} intents, {soak.crowd.calls} calls, {sum(soak.faults.values())} "
        f"faults, {soak.crowd.kills} kills, {soak.crowd.cancels} cancels, {len(soak.posts)} POSTs, "
        f"{soak.stored} images; {len(findings.lost)} lost, {len(findings.paid_twice)} paid twice, "
        f"{len(findings.leaked)} leaked, {len(findings.stuck)} stuck; "
        f"{time.monotonic() - began:.0f} s, seed {given.seed}"
    )
    print(figures)
    print("growth of the elder:", ", ".join(f"{k} {v:+g}" for k, v in soak.growth.items()))
    if breaches:
        print(f"kept: {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
