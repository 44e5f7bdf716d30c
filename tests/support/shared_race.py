"""Processes of two machines with one PostgreSQL ledger that all want the same images.

Some are killed, and their connections are cut. Run as a program, this file is one of the processes:
it wants every image, tries again when the ledger fails, and prints a word per image.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

if TYPE_CHECKING:
    from .fake_service import FakeService
    from .postgres_server import PostgresServer

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("Seedream-4.0", "Seedream-4.5-Preferential")
TRIES = 40


@dataclass
class SharedRace:
    """One race.

    Args:
        kills: how many of the processes are killed and started again.
        cuts: how many times all connections are cut; the first time the server stops for a moment.
    """

    folder: Path
    postgres: PostgresServer
    intents: int
    processes: int
    kills: int
    cuts: int
    seed: int
    outcomes: Counter[str] = field(default_factory=Counter[str])

    def run(self) -> None:
        from seedream_api.sandbox import results

        from .fake_service import FakeService

        dice = random.Random(self.seed)  # noqa: S311 - a repeatable race
        self.environ = {
            **os.environ,
            "DEEPSPACE_API_KEY": "sk-sandbox-free",
            "SEEDREAM_LEDGER": self.postgres.new_ledger(),
        }
        service = FakeService(self.folder / "service", preferential_seconds=0.1, task_seconds=0.1)
        drawing = patch.object(results, "compute_pixels", lambda tier, ratio: (16, 16))
        with drawing, service, ThreadPoolExecutor(self.processes) as threads:
            self.environ["DEEPSPACE_BASE_URL"] = service.url
            deaths = [dice.randint(1, 3) if n < self.kills else 0 for n in range(self.processes)]
            ends = [threads.submit(self._run_process, n, deaths[n]) for n in range(self.processes)]
            self._disturb(service, dice)
            for end in ends:
                self.outcomes += end.result()
            # What was left by the last kills and cuts, as the next round of recovery finds it.
            self.last = self._run_process(self.processes, 0)
            self.posts = Counter(post.json["prompt"] for post in service.posts)
            self.keys = {post.headers.get("idempotency-key") for post in service.posts}

    def _disturb(self, service: FakeService, dice: random.Random) -> None:
        for number in range(self.cuts):
            wanted = (number + 1) * self.intents // (self.cuts + 1)
            ends = time.monotonic() + 60
            while len(service.posts) < wanted and time.monotonic() < ends:
                time.sleep(0.02)
            if number == 0:
                self.postgres.stop()
                time.sleep(0.5)
                self.postgres.start()
            else:
                self.postgres.cut_connections()
            time.sleep(dice.random() / 5)

    def _run_process(self, number: int, dies_after: int) -> Counter[str]:
        command = [sys.executable, __file__, str(number), str(self.intents)]
        home = self.folder / f"machine_{number % 2}"
        environ = {**self.environ, "SEEDREAM_HOME": str(home)}
        found = Counter[str]()
        process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        for line in process.stdout:
            found[line.strip()] += 1
            if found.total() == dies_after:
                process.kill()
                break
        process.stdout.close()
        code = process.wait(120)
        if dies_after:
            return found + Counter(killed=1) + self._run_process(number, 0)
        assert code == 0
        return found


async def want_images(number: int, intents: int) -> None:
    from seedream_api import LedgerFailed, Request, SeedreamError, Session, generate

    async def want_one(intent: int, session: Session) -> str:
        request = Request(model=MODELS[intent % 2], prompt=f"Cat {intent}")
        for _ in range(TRIES):
            try:
                result = await generate(request, session)
            except LedgerFailed:
                await asyncio.sleep(0.25)
            except SeedreamError as error:
                return error.status
            else:
                assert all(image.path.is_file() for image in result.images)
                return result.status
        return "ledger"

    async def want_some(session: Session, mine: list[int]) -> None:
        while mine:
            sys.stdout.write(f"{await want_one(mine.pop(), session)}\n")
            sys.stdout.flush()

    order = list(range(intents))
    random.Random(number).shuffle(order)  # noqa: S311 - a repeatable race
    for _ in range(TRIES):
        try:
            async with Session() as session:
                await asyncio.gather(*(want_some(session, order) for _ in range(4)))
                return
        except LedgerFailed:  # the server is stopped while the session opens
            await asyncio.sleep(0.25)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    asyncio.run(want_images(int(sys.argv[1]), int(sys.argv[2])))
