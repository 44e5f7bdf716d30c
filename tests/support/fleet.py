"""Many images through Celery on several machines with one ledger, under kills and lost connections.

``tests/recovery/test_fleet.py`` runs a short night, ``tools/fleet.py`` a long one.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

from .celery_worker import Worker, open_client, wait_for
from .postgres_server import PostgresServer
from .redis_server import RedisServer
from .workflows import evolink, preferential

MODELS = ("Seedream-4.0", "Seedream-4.5-Preferential")
Event = Callable[[], object]


@dataclass
class Fleet:
    """One night of a studio.

    Args:
        workers: machines, each with a data folder.
        processes: of each worker, one task each.
        kills: how often processes are killed: a whole machine and a single process in turns.
        cuts: how often all connections to the database are cut; the first time its server stops.
        stop_s: for how long it stops.
        redelivery_s: after how many seconds the broker delivers a task again that is not finished.
    """

    folder: Path
    postgres: PostgresServer
    redis: RedisServer
    intents: int
    workers: int
    processes: int
    kills: int
    cuts: int
    seed: int
    stop_s: float = 0.5
    redelivery_s: int = 3
    patience_s: float = 60.0
    has_store: bool = False
    """Whether the machines share a bucket for their images."""
    outcomes: Counter[str] = field(default_factory=Counter[str])
    """Of the tasks: ``fetched``, ``unknown``, or the name of the error."""
    posts: Counter[str] = field(default_factory=Counter[str])
    """By prompt."""

    objects: int = 0
    """In the bucket; equal images are one object."""
    unshared: set[str] = field(default_factory=set[str])
    """Files of the machines that are not in the bucket, although they share one."""

    module, task = "celery_task", "make_image"

    def run(self) -> None:
        from seedream_api.sandbox import results

        from .fake_service import FakeService

        self.dice = random.Random(self.seed)  # noqa: S311 - a repeatable night
        self.ledger, broker = self.postgres.new_ledger(), self.redis.new_url()
        service = FakeService(self.folder / "service", preferential_seconds=0.2, task_seconds=0.5)
        drawing = patch.object(results, "compute_pixels", lambda tier, ratio: (16, 16))
        with (
            drawing,
            service,
            self._open_store() as store,
            ExitStack() as running,
            open_client(broker) as client,
        ):
            environ = {
                **store,
                "DEEPSPACE_BASE_URL": service.url, "DEEPSPACE_API_KEY": "sk-sandbox-free",
                "SEEDREAM_LEDGER": self.ledger, "BROKER_URL": broker, "RESULT_URL": broker,
            }  # fmt: skip
            self.machines = self._start(environ, running)
            calls = [self._arguments(number) for number in range(self.intents)]
            sent = [client.send_task(self.task, args=one) for one in calls]
            wait_for(sent, self._plan_events(), self.patience_s)
            self.outcomes = Counter(self._judge(one.result) for one in sent)
            self.posts = Counter(post.json["prompt"] for post in service.posts)
            self.keys = {post.headers.get("idempotency-key") for post in service.posts}

    @contextmanager
    def _open_store(self) -> Iterator[dict[str, str]]:
        """Open a bucket; yield the settings that name it."""
        if not self.has_store:
            yield {}
            return
        from .s3_kit import make_bucket
        from .s3_server import KEY_ID, SECRET, S3Server

        credentials = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}
        with patch.dict(os.environ, credentials), S3Server() as server:
            make_bucket(server, "fleet")
            yield {
                **credentials,
                "SEEDREAM_STORE": "s3://fleet/images",
                "SEEDREAM_UPLOAD_S3_ENDPOINT": server.url,
                "SEEDREAM_UPLOAD_S3_REGION": "us-east-1",
            }
            shared = {Path(path).name for path in server.of("PUT") if "/images/" in path}
        files = self.folder.glob("machine_*/home/images/[0-9a-f][0-9a-f]/*")
        self.objects, self.unshared = len(shared), {file.name for file in files} - shared

    def _start(self, environ: dict[str, str], running: ExitStack) -> list[Worker]:
        machines = [
            Worker(
                self.folder / f"machine_{number}",
                self.module,
                environ,
                self.processes,
                self.redelivery_s,
            )
            for number in range(self.workers)
        ]
        for machine in machines:
            running.callback(machine.kill)
            machine.start()
        return machines

    def _arguments(self, number: int) -> Sequence[Any]:
        return f"Cat {number}", 0, MODELS[number % 2]

    def _judge(self, result: Any) -> str:
        """Name the outcome of one task."""
        if isinstance(result, BaseException):
            return "unknown" if "outcome is unknown" in str(result) else type(result).__name__
        files = self._list_files(result)
        return "fetched" if files and all(file.is_file() for file in files) else "lost"

    def _list_files(self, result: Any) -> list[Path]:
        return [Path(one) for one in result]

    # ---- what goes wrong ----

    def _plan_events(self) -> list[Event]:
        kills = [*islice(self._kills(), self.kills)]
        cuts = [self._stop_database, *[self.postgres.cut_connections] * self.cuts][: self.cuts]
        events: list[Event] = [*kills, *cuts]
        self.dice.shuffle(events)
        return events

    def _kills(self) -> Iterator[Event]:
        for whole in cycle((True, False)):
            machine = self.dice.choice(self.machines)
            yield machine.restart if whole else machine.kill_child

    def _stop_database(self) -> None:
        self.postgres.stop()
        time.sleep(self.stop_s)
        self.postgres.start()

    # ---- what is known afterwards ----

    def list_unfinished(self) -> list[str]:
        """List the rows that wait for something, or that a process still owns."""
        from pydantic import SecretStr

        from seedream_api.ledger.ledger import SyncLedger
        from seedream_api.ledger.states import State

        ledger = SyncLedger(self.folder / "machine_0" / "home", SecretStr(self.ledger))
        try:
            rows = ledger.list_records(tuple(State), limit=1_000_000)
        finally:
            ledger.close()
        self.rows = len(rows)
        self.unrecorded = self.keys - {row.idempotency_key for row in rows}
        # Withdrawn: a process lost the ledger before it sent; another row continues the request.
        ended = {State.COMPLETED, State.UNKNOWN, State.WITHDRAWN}
        return [f"{row.state.value} {row.owner}" for row in rows if row.state not in ended]


@dataclass
class ComfyFleet(Fleet):
    """The same night through ComfyUI servers; it kills them in place of the workers."""

    servers: int = 2

    module, task = "celery_comfyui", "run_workflow"

    def _start(self, environ: dict[str, str], running: ExitStack) -> list[Any]:
        from .comfy_launch import free_port
        from .comfy_server import ComfyServer

        booted: list[ComfyServer] = []
        for number in range(self.servers):
            base = self.folder / f"server_{number}"
            here = {**environ, "SEEDREAM_HOME": str(self.folder / f"machine_{number}" / "home")}
            base.mkdir()
            booted.append(ComfyServer(base, environment=here, port=free_port()).start())
            running.callback(booted[-1].kill)
        self.outputs = {one.url: one.base / "output" for one in booted}
        super()._start({**environ, "COMFYUI_SERVERS": " ".join(self.outputs)}, running)
        return booted

    def _arguments(self, number: int) -> Sequence[Any]:
        make = preferential if number % 2 else evolink
        saved = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "f"}}
        return ({"1": make(f"Cat {number}"), "2": saved},)

    def _list_files(self, result: Any) -> list[Path]:
        folder = self.outputs[result["server"]]
        return [folder / one["filename"] for one in result["outputs"]["2"]["images"]]

    def _kills(self) -> Iterator[Event]:
        while True:
            server = self.dice.choice(self.machines)
            yield lambda server=server: (server.kill(), server.start())
