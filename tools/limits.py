"""Let eight processes race for the 37 images that a limit allows, with random kills.

    python tools/limits.py                    # 20 races, in turns with a limit in images and money
    python tools/limits.py --races 5 --seed 7

Each race has a new data folder and a sandbox, whose first five requests are refused. Afterwards the
requests that arrived there are counted: with those that a killed process had recorded and not sent
they must be exactly 37. One line per race; exit code 1 on any breach, which then keeps the folder.
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
    parser.add_argument("--races", type=int, default=20)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--intents", type=int, default=100, help="of each process")
    parser.add_argument("--kills", type=int, default=4)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    given = parser.parse_args()
    sys.path += [str(ROOT), str(ROOT / "tests")]
    from support.limit_race import LIMIT_IMAGES, Race

    breached = 0
    for number in range(given.races):
        folder = Path(tempfile.mkdtemp(prefix="limits-"))
        unit, seed = ("images", "money")[number % 2], given.seed + number
        race = Race(folder, unit, given.processes, given.intents, given.kills, seed)
        began = time.monotonic()
        race.run()
        breaches = race.find_breaches()
        print(
            f"race {number + 1} in {unit}: {len(race.taken)} of {LIMIT_IMAGES} arrived, "
            f"{race.lost} recorded and not sent, {race.outcomes['killed']} kills, "
            f"{race.outcomes['limit']} refused by the limit; {time.monotonic() - began:.0f} s, "
            f"seed {seed}",
            *breaches,
            sep="\n  ",
            flush=True,
        )
        breached += bool(breaches)
        if breaches:
            print(f"  kept: {folder}")
        else:
            shutil.rmtree(folder)
    print(f"limits: {given.races} races, {breached} with a breach")
    return 1 if breached else 0


if __name__ == "__main__":
    sys.exit(main())
