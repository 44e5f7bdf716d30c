"""A batch of many rows against a sandbox in another process: processor and memory per row.

    python benchmarks/batch.py [--rows 1000] [--rounds 2]

Every round runs in a new process with an empty data folder, and takes a batch through
``generate_all`` to stored files; nothing is decoded. Images are tiny, so what is measured is what
the client itself adds. Then the same batch runs again, and everything comes from the data folder.
Ends with 1 if the last quarter of the rows costs over half as much processor time again as the
second one, if memory grows by more than ``MOST_GROWTH_MIB`` from there on, or if the second run
sends anything.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import subprocess
import sys
import tempfile
import time
from contextlib import aclosing
from pathlib import Path
from typing import Any

from ledger import sandbox
from measuring import MIB, resident

from seedream_api import Origin, Request, Result, Session, generate_all, load_settings, plan_batch
from seedream_api.sandbox import SANDBOX_KEY

MOST_TIMES = 1.5
MOST_GROWTH_MIB = 24
MODEL = "Seedream-4.0"


def list_requests(rows: int) -> list[Request]:
    return [Request(model=MODEL, prompt=f"A cat, number {row}", seed=7) for row in range(rows)]


async def run_batch(requests: list[Request], session: Session) -> dict[str, Any]:
    """Run a batch; return seconds of processor time and MiB of memory at each quarter."""
    quarters = [len(requests) * part // 4 for part in (1, 2, 3, 4)]
    begun, cpu, memory, sent = time.process_time(), [0.0], [resident()], 0
    async with aclosing(generate_all(requests, session)) as items:
        async for item in items:
            assert isinstance(item.result, Result) and item.result.status == "completed"
            sent += item.result.origin is Origin.NEW
            if item.index + 1 in quarters:
                cpu.append(time.process_time() - begun)
                memory.append(resident())
    spent = [after - before for before, after in itertools.pairwise(cpu)]
    return {"cpu_s": spent, "mib": [one / MIB for one in memory], "sent": sent}


async def measure(address: str, rows: int) -> dict[str, Any]:
    requests = list_requests(rows)
    with tempfile.TemporaryDirectory() as home:
        environ = {
            "SEEDREAM_HOME": home,
            "DEEPSPACE_BASE_URL": address,
            "DEEPSPACE_API_KEY": SANDBOX_KEY,
            "SEEDREAM_ALLOW_HOSTS": address.removeprefix("http://"),
        }
        async with Session(load_settings(environ=environ)) as session:
            begun = time.process_time()
            await plan_batch(requests, session)
            planned = time.process_time() - begun
            first = await run_batch(requests, session)
            second = await run_batch(requests, session)
    return {"plan_s": planned, "first": first, "second": second}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--measure", metavar="ADDRESS", help="measure one round here")
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(asyncio.run(measure(arguments.measure, arguments.rows))))
        return 0
    command = [sys.executable, __file__, "--rows", str(arguments.rows), "--measure"]
    found: list[dict[str, Any]] = []
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as folder, sandbox(Path(folder)) as address:
            ran = subprocess.run(  # noqa: S603
                [*command, address], check=True, stdout=subprocess.PIPE, text=True
            )
        found.append(json.loads(ran.stdout.splitlines()[-1]))
    best = min(found, key=lambda one: sum(one["first"]["cpu_s"]))
    return report(best, arguments.rows)


def report(best: dict[str, Any], rows: int) -> int:
    first, second = best["first"], best["second"]
    per_row = [1000 * seconds / (rows / 4) for seconds in first["cpu_s"]]
    times = per_row[3] / per_row[1]
    growth = first["mib"][4] - first["mib"][2]
    again = 1000 * sum(second["cpu_s"]) / rows
    print(f"{rows} rows of {MODEL}")
    print(f"plan: {1000 * best['plan_s'] / rows:.2f} ms of processor time per row")
    print("sent: " + ", ".join(f"{one:.1f}" for one in per_row) + " ms per row, by quarters")
    print("memory: " + ", ".join(f"{one:.0f}" for one in first["mib"]) + " MiB, by quarters")
    print(f"run again: {again:.1f} ms per row, {first['sent'] + second['sent']} sent in both runs")
    bounds = [
        ("last quarter, of the second's time", times, MOST_TIMES),
        ("memory from the middle on, in MiB", growth, MOST_GROWTH_MIB),
        ("sent twice", first["sent"] + second["sent"] - rows, 0),
        ("not sent", rows - first["sent"], 0),
    ]
    for what, value, most in bounds:
        print(f"{what:36}{value:7.2f} {'<=' if value <= most else '> '} {most:g}")
    return int(any(value > most for _, value, most in bounds))


if __name__ == "__main__":
    sys.exit(main())
