"""What the record adds to one generation, and whether a long record makes that more.

    python benchmarks/ledger.py [--generations 100] [--rounds 4] [--rows 10000]

Generations run from end to end against a sandbox in another process, whose images are tiny.
All time spent waiting for the ledger is summed: every commit with its fsync, every read, and the
switch to the ledger's thread and back. One half has an empty ledger, the other, in turns, one
with many rows. Of several rounds the quietest counts, since other programs' use of processor and
disk only ever adds. Exits with 1 where its median or 99th percentile is not under 10 ms, or where
the long record costs over half as much again. On a machine so busy that bare writes of a file, as
many and by as many hops to a thread, are late themselves, the 99th percentile is held to theirs.

A third ledger is in a PostgreSQL server on loopback, which this program starts. It is a copy of the
long one, and its median must be under 25 ms. Its figure is also printed as a ratio to the file's.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from pydantic import SecretStr  # noqa: E402

from seedream_api import Request, Session, generate, load_settings  # noqa: E402
from seedream_api.ledger.copying import copy_ledger  # noqa: E402
from seedream_api.ledger.ledger import Ledger, SyncLedger  # noqa: E402
from seedream_api.sandbox import SANDBOX_KEY  # noqa: E402
from support.postgres_server import PostgresServer  # noqa: E402

MOST_MS = 10.0
MOST_SHARED_MS = 25.0
MOST_TIMES = 1.5
LASTING_COMMITS = {"preferential": 3, "evolink": 4}
"""Commits of one generation that wait for the disk: sending, accepted, *answered*, an image."""
FAMILIES = {"preferential": "Seedream-4.5-Preferential", "evolink": "Seedream-4.0"}
_SANDBOX = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from seedream_api.sandbox import Sandbox, results
results.compute_pixels = lambda tier, ratio: (64, 64)
with Sandbox(Path(sys.argv[2]), preferential_seconds=0, task_seconds=0) as sandbox:
    print(sandbox.url, flush=True)
    sys.stdin.read()
"""


class Waited:
    """Seconds that one generation has waited for the ledger, and for how many calls."""

    def __init__(self) -> None:
        self.seconds, self.calls = 0.0, 0

    def listen(self, ledger: Ledger) -> None:
        run = ledger.database.run

        async def timed(call: Any, *args: Any, **kwargs: Any) -> Any:
            begun = time.perf_counter()
            try:
                return await run(call, *args, **kwargs)
            finally:
                self.seconds += time.perf_counter() - begun
                self.calls += 1

        ledger.database.run = timed  # type: ignore[method-assign]

    def take(self) -> float:
        seconds, self.seconds, self.calls = self.seconds, 0.0, 0
        return seconds


class BareFile:
    """The floor: a file that is written and synced as often as the ledger's, by a thread."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._thread = ThreadPoolExecutor(1)

    async def seconds(self, hops: int, writes: int) -> float:
        loop, begun = asyncio.get_running_loop(), time.perf_counter()
        for hop in range(hops):
            await loop.run_in_executor(self._thread, self._write if hop < writes else int)
        return time.perf_counter() - begun

    def _write(self) -> None:
        self._file.write(b"x" * 8192)
        os.fsync(self._file.fileno())


@contextlib.contextmanager
def sandbox(folder: Path) -> Iterator[str]:
    """Yield the address of a sandbox in another process."""
    with subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-c", _SANDBOX, str(ROOT), str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout and process.stdin
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), "the sandbox did not start"
        yield url
        process.stdin.close()


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Yield the address of a server that writes to the disk as an installed one does."""
    with PostgresServer(fsync=True) as server:
        yield server.url()


def fill(home: Path, rows: int) -> None:
    """A record of so many delivered requests, as the ledger itself would have written them."""
    ledger = SyncLedger(home)
    now = time.time() - rows * 60.0
    models = list(FAMILIES.values())
    with ledger.database.write(durable=False):
        for number in range(rows):
            at = now + number * 60.0
            ledger.database.execute(
                "INSERT INTO requests (state, fingerprint, family, model, address, key_print, "
                "prompt, fields, refs, seed, asked, notes, idempotency_key, task_id, created_at, "
                "updated_at, sent_at, accepted_at, answered_at, finished_at, delivered_at) VALUES "
                "('completed', ?, 'evolink', ?, 'https://api.deepspaceai.net', 'print', ?, ?, "
                "'[]', ?, 1, '[]', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    f"{number:064x}", models[number % 2], f"A cat, number {number}, on a roof",
                    json.dumps({"size": "1:1", "quality": "2K", "n": 1}), str(number),
                    f"{number:032x}", f"task-{number:012x}", at, at, at, at + 1, at + 31, at + 33,
                    at + 33,
                ),
            )  # fmt: skip
            digest = f"{number:064x}"
            ledger.database.execute(
                "INSERT INTO images (request, position, url, url_seen_at, sha256, file, bytes, "
                "media_type, width, height) VALUES (?, 0, ?, ?, ?, ?, 900000, 'image/jpeg', 2048, "
                "2048)",
                (
                    number + 1, f"https://cdn.example.com/{digest}.jpeg", at, digest,
                    f"images/{digest[:2]}/{digest}.jpg",
                ),
            )  # fmt: skip
    ledger.close()


def copy(source: Path, url: str) -> None:
    """Copy the ledger of a data folder into a database."""
    with tempfile.TemporaryDirectory() as home:
        ledgers = SyncLedger(source), SyncLedger(Path(home), SecretStr(url))
        copy_ledger(ledgers[0].database, ledgers[1].database)
        for ledger in ledgers:
            ledger.close()


async def measured(
    homes: list[Path], shared: str, url: str, family: str, seeds: range
) -> list[list[float]]:
    """Milliseconds of each generation: the homes', taking turns, and last a bare file's.

    The last home uses the shared ledger.
    """
    model, bare, hops = FAMILIES[family], BareFile(homes[0].with_name("bare")), 0
    environ = {"DEEPSPACE_BASE_URL": url, "DEEPSPACE_API_KEY": SANDBOX_KEY}
    times: list[list[float]] = [[] for _ in (*homes, bare)]
    async with contextlib.AsyncExitStack() as stack:
        sessions = [
            await stack.enter_async_context(
                Session(load_settings(home, {**environ, "SEEDREAM_LEDGER": ledger}))
            )
            for home, ledger in zip(homes, (*[""] * (len(homes) - 1), shared), strict=True)
        ]
        waits = [Waited() for _ in homes]
        for session, waited in zip(sessions, waits, strict=True):
            waited.listen(session.ledger)
        for seed in seeds:
            for session, waited, found in zip(sessions, waits, times, strict=False):
                result = await generate(Request(model=model, prompt="A cat", seed=seed), session)
                assert result.status == "completed" and result.charged_images == 1
                hops = waited.calls
                found.append(waited.take() * 1000)
            times[-1].append(await bare.seconds(hops, LASTING_COMMITS[family]) * 1000)
    # A session's first two weigh the store and warm it; the ones that follow stand for its life.
    return [found[2:] for found in times]


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def figures(name: str, rounds: list[list[float]]) -> tuple[float, float]:
    """Median and 99th percentile of the quietest round; prints them."""
    late, median = min((percentile(times, 0.99), statistics.median(times)) for times in rounds)
    every = ", ".join(f"{percentile(times, 0.99):.1f}" for times in rounds)
    print(f"  {name:<13} median {median:6.2f} ms   p99 {late:6.2f} ms   (p99 by round: {every})")
    return median, late


def is_within(family: str, names: list[str], rounds: list[list[list[float]]]) -> bool:
    """Print a family's figures; whether they are within the bounds."""
    print(f"{FAMILIES[family]}, {len(rounds[0][0])} generations a round")
    empty, full, shared, bare = (
        figures(name, [one[place] for one in rounds]) for place, name in enumerate(names)
    )
    ratio = min(statistics.median(b) / statistics.median(a) for a, b, *_ in rounds)
    print(f"  the long record costs {ratio:.2f} times the empty one")
    print(f"  PostgreSQL costs {shared[0] / empty[0]:.2f} times the empty file")
    most_late = max(MOST_MS, 1.5 * bare[1])
    if most_late > MOST_MS:
        print(f"  bare writes alone are late by {bare[1]:.1f} ms here: p99 is held to them")
    is_shared_quick = shared[0] < MOST_SHARED_MS
    return (
        is_shared_quick
        and ratio <= MOST_TIMES
        and all(median < MOST_MS and late < most_late for median, late in (empty, full))
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generations", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--rows", type=int, default=10_000)
    given = parser.parse_args()
    is_well, step = True, given.generations
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        homes = [folder / "empty", folder / "full", folder / "shared"]
        fill(homes[1], given.rows)
        names = ["empty record", f"{given.rows} rows", "PostgreSQL", "bare writes"]
        with sandbox(folder / "service") as url, postgres() as shared:
            copy(homes[1], shared)
            for family in FAMILIES:
                rounds = [
                    asyncio.run(measured(homes, shared, url, family, range(first, first + step)))
                    for first in range(0, step * given.rounds, step)
                ]
                is_well &= is_within(family, names, rounds)
    print("within the bounds" if is_well else "OVER THE BOUNDS")
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
