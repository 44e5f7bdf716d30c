"""Send many images through Celery to several machines with one ledger, and let all of it fail.

    python tools/fleet.py                                  # 2,000 intents, 2 machines, 6 processes
    python tools/fleet.py --intents 500 --kills 30 --seed 7
    python tools/fleet.py --through comfyui --intents 200  # the same on ComfyUI servers

Processes and whole machines are killed, connections to the database are cut, its server stops, and
the broker delivers again what was not finished. Afterwards the requests that arrived at the service
are counted. Exit code 1 if an intent was paid for twice, an image is missing, or a row is stuck.
Needs PostgreSQL and Redis; this program starts its own servers.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path += [str(ROOT), str(ROOT / "tests")]

if TYPE_CHECKING:
    from support.fleet import Fleet


def main() -> int:
    given = read_arguments()
    from support.fleet import ComfyFleet, Fleet
    from support.postgres_server import PostgresServer
    from support.redis_server import RedisServer

    folder = Path(tempfile.mkdtemp(prefix="fleet-"))
    kind = ComfyFleet if given.through == "comfyui" else Fleet
    with PostgresServer() as postgres, RedisServer() as redis:
        fleet = kind(
            folder, postgres, redis, given.intents, given.machines,
            max(1, given.workers // given.machines), given.kills, given.cuts, given.seed,
            stop_s=given.stop_s, redelivery_s=20, patience_s=180, has_store=given.store,
        )  # fmt: skip
        began = time.monotonic()
        fleet.run()
        good = report(fleet, time.monotonic() - began)
    if good:
        shutil.rmtree(folder)
    else:
        print(f"kept: {folder}")
    return 0 if good else 1


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--through", choices=("celery", "comfyui"), default="celery")
    parser.add_argument("--store", action="store_true", help="share a bucket for the images")
    parser.add_argument("--intents", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=6, help="processes on all machines")
    parser.add_argument("--machines", type=int, default=2)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--cuts", type=int, default=10)
    parser.add_argument("--stop-s", type=float, default=30, help="how long the database stops")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    return parser.parse_args()


def report(fleet: Fleet, seconds: float) -> bool:
    """Print the figures; tell whether every promise was kept."""
    stuck = fleet.list_unfinished()
    most = max(fleet.posts.values(), default=0)
    ended = fleet.outcomes["fetched"] + fleet.outcomes["unknown"]
    print(
        f"{fleet.intents} intents, {fleet.workers} machines with {fleet.processes} processes each, "
        f"{fleet.kills} kills, {fleet.cuts} cuts, seed {fleet.seed}: {seconds:.0f} s\n"
        f"requests that arrived: {fleet.posts.total()}, at most {most} per intent, "
        f"{len(fleet.unrecorded)} without a row\n"
        f"images fetched: {fleet.outcomes['fetched']}, outcome unknown after a kill: "
        f"{fleet.outcomes['unknown']}, others: {fleet.intents - ended}\n"
        f"rows: {fleet.rows}, stuck: {len(stuck)}, objects in the bucket: {fleet.objects}, "
        f"files that are not there: {len(fleet.unshared)}",
        *stuck,
        *(f"{name}: {count}" for name, count in fleet.outcomes.items()),
        sep="\n  ",
        flush=True,
    )
    lost = fleet.unrecorded or (fleet.has_store and fleet.unshared)
    return most <= 1 and ended == fleet.intents and not stuck and not lost


if __name__ == "__main__":
    sys.exit(main())
