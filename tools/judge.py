"""Check one invariant on many responses of every kind: the long form of tests/judge.

    python tools/judge.py [--examples 20000] [--seed 1] [--family evolink] [--all] [--show 3]

Prints what was expected and what came, batch by batch with its seed. Ends with 1 at the first
case that breaks the invariant, shrunk; with ``--all`` it tries every case and counts the breaches.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BATCH = 1_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--family", choices=("preferential", "evolink"))
    parser.add_argument("--all", action="store_true", help="try every case, shrink none")
    parser.add_argument("--show", type=int, default=2, help="cases to show of each breach")
    arguments = parser.parse_args()
    # Before this folder, where a module of this name stands.
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    warnings.simplefilter("ignore")
    from judge.grammar import FAMILIES
    from judge.invariant import Broken, examine
    from judge.trial import Bench, memory_folder

    root = memory_folder()
    _trust_little(root)
    bench, begun = Bench(root), time.monotonic()
    seen: Counter[str] = Counter()
    broken: dict[str, list[str]] = {}
    families = (arguments.family,) if arguments.family else FAMILIES
    for batch in range(-(-arguments.examples // BATCH)):
        number = arguments.seed + batch
        count = min(BATCH, arguments.examples - batch * BATCH)
        print(f"seed {number}: {count} examples, {time.monotonic() - begun:.0f} s", flush=True)
        try:
            found = examine(
                bench, examples=count, number=number, families=families, try_all=arguments.all
            )
        except Broken as error:
            print(f"BROKEN by seed {number}:\n{error}", *getattr(error, "__notes__", ()), sep="\n")
            return 1
        seen.update(found.seen)
        for what, which in found.broken.items():
            broken.setdefault(what, []).extend(which)
    bench.close()
    for text, count in sorted(seen.items()):
        print(f"{count:8}  {text}")
    for what, which in broken.items():
        print(f"{len(which):8}  BROKEN: {what}", *which[: arguments.show], sep="\n")
    print(f"{sum(seen.values())} good, {sum(map(len, broken.values()))} broken, "
          f"{time.monotonic() - begun:.0f} s")  # fmt: skip
    return 1 if broken else 0


def _trust_little(root: Path) -> None:
    """Make opening a session 25 ms shorter: a bundle of one CA, no request leaves this machine."""
    import trustme

    trustme.CA().cert_pem.write_to_path(root / "ca.pem")
    os.environ["SSL_CERT_FILE"] = str(root / "ca.pem")


if __name__ == "__main__":
    sys.exit(main())
