"""Processes with one data folder that race for the last images of a limit; some are killed.

Run as a program, this file is one of the processes: it wants many images at once, and prints a word
per outcome.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[2]
MODEL = "Seedream-5.0-Lite-Preferential"
PRICES = {"currency": "CNY", "models": {MODEL: {"2K": "0.22", "reference": "0.06"}}}
LIMIT_IMAGES = 37
LIMITS = {"images": f"{LIMIT_IMAGES} images", "money": "10.37 CNY"}
"""Room for 37 images: at 0.22 and 0.06 for the reference, 10.36 CNY."""
REFUSED = 5
"""How many of the first requests the service refuses, and does not charge."""


@dataclass
class Race:
    """One race.

    Args:
        unit: of the limit, ``images`` or ``money``.
        kills: how many of the processes are killed, each after a random number of outcomes.
        ledger: the address of a shared ledger; empty for a file.
    """

    folder: Path
    unit: str
    processes: int
    intents: int
    kills: int
    seed: int
    ledger: str = ""
    outcomes: Counter[str] = field(default_factory=Counter[str])

    def run(self) -> None:
        """Start all processes and wait for them; one that was killed is started again."""
        from seedream_api.sandbox import results
        from support.fake_service import FakeService, Status

        home = self.folder / "home"
        home.mkdir(mode=0o700)
        (home / "prices.json").write_text(json.dumps(PRICES), "utf-8")
        dice = random.Random(self.seed)  # noqa: S311 - a repeatable race
        killed_after = {number: dice.randint(1, 4) for number in range(self.kills)}
        service = FakeService(self.folder / "service", preferential_seconds=0)
        drawing = patch.object(results, "compute_pixels", lambda tier, ratio: (16, 16))
        with drawing, service, ThreadPoolExecutor(self.processes) as threads:
            service.faults.push("generate", Status(400), times=REFUSED)
            environ = {
                **os.environ,
                "SEEDREAM_HOME": str(home),
                "DEEPSPACE_BASE_URL": service.url,
                "DEEPSPACE_API_KEY": "sk-sandbox-free",
                "SEEDREAM_LIMIT_DAY": LIMITS[self.unit],
                "SEEDREAM_LEDGER": self.ledger,
            }
            ends = [
                threads.submit(self._run_process, number, environ, killed_after.get(number, 0))
                for number in range(self.processes)
            ]
            for end in ends:
                self.outcomes += end.result()
            self.taken = [post.headers.get("idempotency-key") or "" for post in service.posts]

    def _run_process(self, number: int, environ: dict[str, str], kill_after: int) -> Counter[str]:
        command = [sys.executable, __file__, str(number), str(self.intents)]
        found = Counter[str]()
        process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        for line in process.stdout:
            found[line.strip()] += 1
            if kill_after and found.total() == kill_after:
                process.kill()
                found["killed"] += 1
                break
        process.stdout.close()
        code = process.wait(120)
        if kill_after and found["killed"]:
            return found + self._run_process(number, environ, 0)
        assert code == 0
        return found

    def find_breaches(self) -> list[str]:
        """Compare what arrived at the service with the ledger."""
        from pydantic import SecretStr

        from seedream_api.ledger.ledger import SyncLedger
        from seedream_api.ledger.states import State

        ledger = SyncLedger(self.folder / "home", SecretStr(self.ledger))
        try:
            rows = ledger.list_records(tuple(State), limit=100_000)
        finally:
            ledger.close()
        arrived = set(self.taken)
        # A process was killed after it had recorded a request as sending, and before it sent it.
        self.lost = sum(
            row.state in (State.SENDING, State.UNKNOWN) and row.idempotency_key not in arrived
            for row in rows
        )
        breaches = list[str]()
        if len(arrived) != len(self.taken):
            breaches.append("a request arrived twice")
        if len(self.taken) + self.lost != LIMIT_IMAGES:
            breaches.append(f"{len(self.taken)} arrived, and {self.lost} were not sent")
        if self.kills == 0 and self.lost:
            breaches.append(f"{self.lost} were not sent, although no process was killed")
        refused = sum(row.state is State.REFUSED for row in rows)
        if refused > REFUSED:
            breaches.append(f"{refused} were refused")
        return breaches


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def want_images(number: int, intents: int) -> None:
    import numpy as np

    from seedream_api import LimitReached, Request, SeedreamError, Session, generate
    from seedream_api.service.references import pixels_reference

    pixels: Any = np.full((32, 32, 3), 200, np.uint8)

    async def want_one(seed: int, session: Session) -> None:
        references = (pixels_reference(pixels, "grey"),)
        request = Request(model=MODEL, prompt="A cat", seed=seed, references=references)
        try:
            result = await generate(request, session)
        except LimitReached:
            say("limit")
        except SeedreamError as error:
            say(error.status)
        else:
            say(result.origin.value)

    async with Session() as session:
        seeds = range(number * intents, (number + 1) * intents)
        await asyncio.gather(*(want_one(seed, session) for seed in seeds))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    asyncio.run(want_images(int(sys.argv[1]), int(sys.argv[2])))
