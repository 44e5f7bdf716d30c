"""Many users at once: workers that share one data folder, and what happens to them.

One worker, the elder, is never killed: what a process holds on to is measured in it. The others
are killed at random moments and started again.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .intents import Intent, call_for, next_call

WORKER = Path(__file__).with_name("worker.py")
CALLS = 6
"""The most nodes in one prompt."""
PATIENCE_S = 90.0
"""A prompt that has not ended by then never will; its worker is killed, and it counts as stuck."""
DUPLICATED, CANCELLED, KILLED, STRICT = 0.12, 0.12, 0.18, 0.25
"""Shares: of intents run in two places at once; of prompts with a Cancel; of a mortal's
prompts that kill its process; of prompts that end with their first failure, as ComfyUI's do."""


class Worker:
    """A worker process, started again after it was killed."""

    def __init__(self, name: str, environ: dict[str, str], log: Path) -> None:
        self.name = name
        self._environ = environ
        self._log = log.open("ab")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def ask(self, job: dict[str, Any], kill_s: float | None = None) -> dict[str, Any] | None:
        """What the worker makes of a prompt; None: it was killed on the way."""
        process = self._running()
        assert process.stdin and process.stdout
        was_killed = threading.Event()

        def kill() -> None:
            was_killed.set()
            process.kill()

        death = threading.Timer(PATIENCE_S if kill_s is None else kill_s, kill)
        death.start()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(job).encode() + b"\n")
            process.stdin.flush()
        line = process.stdout.readline()
        death.cancel()
        death.join()
        is_whole = line.endswith(b"\n")
        if was_killed.is_set() or not is_whole:
            self._bury(process)
        if not is_whole and kill_s is None:
            raise RuntimeError(f"{self.name} ended before its prompt did")
        return json.loads(line) if is_whole else None

    def end(self) -> int | None:
        """Let it close what it has open, as ComfyUI's end does; gives its exit code."""
        process, self._process = self._process, None
        code = None
        if process is not None:
            assert process.stdin and process.stdout
            process.stdin.close()
            code = process.wait(60)
            process.stdout.close()
        self._log.close()
        return code

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            command = [sys.executable, "-W", "always::ResourceWarning", str(WORKER)]
            self._process = subprocess.Popen(
                command, env=self._environ, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=self._log,
            )  # fmt: skip
        return self._process

    def _bury(self, process: subprocess.Popen[bytes]) -> None:
        process.wait(30)
        self._process = None
        for pipe in (process.stdin, process.stdout):
            assert pipe
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


@dataclass
class Crowd:
    """Workers that go through intents, each fed by a thread.

    Args:
        environ: of the worker processes.
        mortals: how many workers may be killed.
    """

    seed: int
    environ: dict[str, str]
    folder: Path
    mortals: int = 2
    cancels: int = 0
    kills: int = 0
    calls: int = 0
    samples: list[tuple[int, dict[str, int]]] = field(default_factory=list)
    """By calls that the elder had made: what it held on to."""
    troubles: list[str] = field(default_factory=list)
    _waiting: deque[tuple[Intent, dict[str, Any]]] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _workers: list[Worker] = field(default_factory=list)
    _dice: list[random.Random] = field(default_factory=list)
    _elders_calls: int = 0

    def __post_init__(self) -> None:
        names = ["elder", *(f"mortal_{number}" for number in range(1, self.mortals + 1))]
        for name in names:
            self._workers.append(Worker(name, self.environ, self.folder / f"{name}.log"))
            self._dice.append(random.Random(f"{self.seed} {name}"))

    def go_through(self, wishes: Iterable[Intent]) -> None:
        """Try these intents until their owners are content or have given up."""
        dice = random.Random(f"{self.seed} duplicates {self.calls}")
        for intent in wishes:
            for _ in range(2 if dice.random() < DUPLICATED else 1):
                self._waiting.append((intent, call_for(intent, dice)))
        threads = [
            threading.Thread(target=self._feed, args=(worker, dice), name=worker.name)
            for worker, dice in zip(self._workers, self._dice, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def end(self) -> None:
        for worker in self._workers:
            code = worker.end()
            if code:
                self.troubles.append(f"{worker.name} ended with code {code}")

    def logs(self) -> str:
        """Everything that the workers wrote to stderr."""
        found = sorted(self.folder.glob("*.log"))
        return "".join(log.read_text("utf-8", "replace") for log in found)

    def _feed(self, worker: Worker, dice: random.Random) -> None:
        try:
            while taken := self._take(dice):
                self._one_prompt(worker, taken, dice)
        except Exception as error:  # noqa: BLE001 - a breach, while the others continue
            self.troubles.append(f"{worker.name}: {error!r}")

    def _take(self, dice: random.Random) -> list[tuple[Intent, dict[str, Any]]]:
        with self._lock:
            wanted = min(dice.randint(1, CALLS), len(self._waiting))
            return [self._waiting.popleft() for _ in range(wanted)]

    def _one_prompt(
        self, worker: Worker, taken: list[tuple[Intent, dict[str, Any]]], dice: random.Random
    ) -> None:
        is_elder = worker is self._workers[0]
        cancel_s = dice.uniform(0.0, 0.4) if dice.random() < CANCELLED else None
        is_killed = not is_elder and dice.random() < KILLED
        # Later where the process still has to start.
        kill_s = dice.uniform(0.0, 0.5) + (0.0 if worker.is_running else 0.8) if is_killed else None
        job = {
            "calls": [call for _, call in taken],
            "cancel_s": cancel_s,
            "ends_with_failure": dice.random() < STRICT,
            "sample": is_elder,
        }
        answer = worker.ask(job, kill_s)
        outcomes = answer["outcomes"] if answer else [{"status": "killed"}] * len(taken)
        with self._lock:
            self.calls += len(taken)
            self.cancels += cancel_s is not None
            self.kills += is_killed
            for (intent, call), outcome in zip(taken, outcomes, strict=True):
                if outcome["status"] == "broken":
                    self.troubles.append(f"{worker.name}: an error not of ours: {outcome['error']}")
                # Whether a forgetting that was killed had been written down is not known.
                intent.forgotten += call["do"] == "forget"
                if call["do"] == "forget":
                    outcome = {"status": "forgotten", "task_id": None}
                    intent.task_id = None
                more = next_call(intent, outcome, dice)
                if more is not None:
                    self._waiting.append((intent, more))
            if is_elder and answer is not None:
                self._elders_calls += len(taken)
                if answer["sample"]:
                    self.samples.append((self._elders_calls, answer["sample"]))


def environment(home: Path, address: str, key: str) -> dict[str, str]:
    """A worker's: nothing of the outside's settings, the home folder and the service."""
    kept = {
        name: value for name, value in os.environ.items()
        if not name.startswith(("SEEDREAM_", "DEEPSPACE_")) and "proxy" not in name.lower()
    }  # fmt: skip
    own = {"SEEDREAM_HOME": str(home), "DEEPSPACE_BASE_URL": address, "DEEPSPACE_API_KEY": key}
    return {**kept, **own}
