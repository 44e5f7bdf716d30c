"""How many claims a second several processes make in one PostgreSQL ledger, beside pgbench.

    python benchmarks/claims.py [--seconds 5] [--processes 1 8 32]

A claim inserts the row of a new request and waits for the disk; the row is released afterwards, as
a job does. pgbench runs its own small transaction (``--builtin=tpcb-like`` without the tables that
all clients update: ``--skip-some-updates``) with as many clients on the same server: its figure
shows what the disk and the processors allow. Prints both and their ratio, and how many processors
the claiming processes used themselves: where those and the server's use all there are, more
processes claim no more. Exits with 1 if 8 processes do not claim more than one does.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.postgres_server import PostgresServer  # noqa: E402

_CLAIM = """
import sys, time, uuid
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from pydantic import SecretStr
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.states import JobSpec
ledger, count = SyncLedger(Path(sys.argv[2]), SecretStr(sys.argv[3])), 0
print("ready", flush=True)
sys.stdin.readline()
begun, used = time.monotonic(), time.process_time()
while (elapsed := time.monotonic() - begun) < float(sys.argv[4]):
    spec = JobSpec(uuid.uuid4().hex, "evolink", "Seedream-4.5", "sandbox", "", "a", {}, (), 0, 1)
    ledger.release(ledger.claim(spec, "key").id)
    count += 1
used = time.process_time() - used
print(count / elapsed, used / elapsed, flush=True)
ledger.close()
"""


def measure_claims(url: str, home: Path, processes: int, seconds: float) -> tuple[float, float]:
    """Start the processes, let them begin together, and add up what they did.

    Returns:
        Claims per second, and how many processors the clients used.
    """
    command = [sys.executable, "-c", _CLAIM, str(ROOT), str(home), url, str(seconds)]
    started = [
        subprocess.Popen(  # noqa: S603 - ourselves
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(processes)
    ]
    for one in started:
        assert one.stdout and one.stdout.readline() == "ready\n"
    for one in started:
        assert one.stdin
        one.stdin.write("\n")
        one.stdin.flush()
    figures = [map(float, one.communicate()[0].split()) for one in started]
    claims, busy = map(sum, zip(*figures, strict=True))
    return claims, busy


def pgbench_per_second(server: PostgresServer, clients: int, seconds: float) -> float:
    output = server.pgbench("-N", "-c", str(clients), "-j", "2", "-T", str(max(1, int(seconds))))
    found = re.search(r"tps = ([\d.]+)", output)
    assert found, output
    return float(found[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 8, 32])
    given = parser.parse_args()
    figures = dict[int, float]()
    with PostgresServer(fsync=True) as server, tempfile.TemporaryDirectory() as name:
        server.pgbench("-i", "-q")
        for count in given.processes:
            home = Path(name) / "home"
            figures[count], busy = measure_claims(server.url(), home, count, given.seconds)
            possible = pgbench_per_second(server, count, given.seconds)
            share = figures[count] / possible
            print(f"{count:>3} processes: {figures[count]:7.0f} claims/s, "
                  f"pgbench {possible:7.0f} transactions/s, ratio {share:.2f}; "
                  f"the clients used {busy:.1f} of {os.cpu_count()} processors")  # fmt: skip
    return 0 if figures.get(8, 1.0) >= figures.get(1, 0.0) else 1


if __name__ == "__main__":
    sys.exit(main())
