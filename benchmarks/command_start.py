"""What the command line takes to start, beside a Python that does nothing.

    python benchmarks/command_start.py

The least processor time of several processes each, for other load only adds. Exit code 1 if help
or version adds 100 ms or more to ``python -c pass``.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROUNDS, ALLOWED_MS = 9, 100.0
BARE = ["-c", "pass"]
COMMAND = ["-m", "seedream_api"]
STARTS = {
    "--version": [*COMMAND, "--version"],
    "--help": [*COMMAND, "--help"],
    "generate --help": [*COMMAND, "generate", "--help"],
}


def best_ms(words: list[str]) -> float:
    """Return the least processor time of several processes, in milliseconds."""
    times = list[float]()
    for _ in range(ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(  # noqa: S603
            [sys.executable, *words], cwd=ROOT, stdout=subprocess.DEVNULL, check=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000)
    return min(times)


def main() -> int:
    bare = best_ms(BARE)
    print(f"python -c pass   {bare:6.1f} ms")
    added = dict[str, float]()
    for name, words in STARTS.items():
        spent = best_ms(words)
        added[name] = spent - bare
        print(f"{name:<16} {spent:6.1f} ms, {spent / bare:.1f} x, adds {added[name]:.1f} ms")
    return 0 if max(added.values()) < ALLOWED_MS else 1


if __name__ == "__main__":
    sys.exit(main())
