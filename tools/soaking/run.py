"""One soak from the first request to the audit."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from itertools import islice
from pathlib import Path

from seedream_api import Request, SeedreamError, Session, file_reference, generate, load_settings
from seedream_api.catalog import compute_pixels
from seedream_api.jobs.collect import resume
from seedream_api.ledger.states import UNFINISHED_STATES, State
from seedream_api.sandbox import results
from seedream_api.sandbox.tasks import TaskStore
from support.fake_service import SANDBOX_KEY, FakeService

from . import audit
from .crowd import Crowd, environment
from .faults import Script
from .intents import Intent, intents

ROUND = 250
"""Intents between two restarts of the service."""
SHRINK = 32
"""Pictures are drawn so many times smaller: what they show is not the point."""
SPEED = 25.0


def _shrunk_pixels(tier: str, ratio: str) -> tuple[int, int]:
    width, height = compute_pixels(tier, ratio)
    return width // SHRINK, height // SHRINK


class Soak:
    """One run in a new folder."""

    def __init__(self, folder: Path, seed: int, count: int, share: float) -> None:
        self.folder, self.seed, self.share = folder, seed, share
        self.home = folder / "home"
        self.wishes: list[Intent] = list(intents(seed, count, self._pictures()))
        self.posts: list[audit.Post] = []
        self.faults: Counter[tuple[str, str]] = Counter()
        self.stored = 0
        self.growth: dict[str, float] = {}
        results.compute_pixels = _shrunk_pixels

    def run(self) -> audit.Findings:
        script = Script(self.seed, self.share)
        service = self._service(0).start()
        address = service.url
        crowd = self.crowd = Crowd(
            self.seed, environment(self.home, address, SANDBOX_KEY), self.folder
        )
        wishes = iter(self.wishes)
        while round_ := list(islice(wishes, ROUND)):
            service.start()  # at once where it runs already
            script.begin(service)
            crowd.go_through(round_)
            self.faults += script.end(service)
            service.stop()
            self._note_posts(service)
            service = self._service(service.port)
        with service:
            crowd.end()  # what they still wait for they get now
            asyncio.run(self._settle(address))
            self._note_posts(service)
            return self._audited(service)

    def _service(self, port: int) -> FakeService:
        """The service, after its own restart: it still knows all tasks."""
        return FakeService(
            self.folder / "service", port=port, preferential_seconds=0.02, task_seconds=0.1
        )

    def _pictures(self) -> tuple[Path, ...]:
        from PIL import Image

        paths = tuple(self.folder / f"picture_{number}.png" for number in range(4))
        for number, path in enumerate(paths):
            Image.new("RGB", (32, 24 + number), (40 * number, 90, 120)).save(path)
        return paths

    def _note_posts(self, service: FakeService) -> None:
        for request in service.requests:
            if request.method == "POST" and request.path == "/v1/images/generations":
                prompt = request.json["prompt"] if isinstance(request.json, dict) else ""
                key = request.headers.get("idempotency-key", "")
                taken = request.taken
                self.posts.append(audit.Post(prompt, key, request.status, request.fault, taken))

    async def _settle(self, address: str) -> None:
        """Resume what is unfinished and request again what was never sent, without faults.

        Every row must reach its end by that.
        """
        settings = load_settings(environ=environment(self.home, address, SANDBOX_KEY))

        async def sleep(seconds: float) -> None:
            await asyncio.sleep(seconds / SPEED)

        by_prompt = {wish.prompt: wish for wish in self.wishes}
        async with Session(settings, clock=lambda: time.monotonic() * SPEED, sleep=sleep) as quiet:
            open_states = (*UNFINISHED_STATES, State.EMPTY, State.UNKNOWN)
            many = len(self.wishes) * 10
            for row in await quiet.ledger.list_records(open_states, many):
                with contextlib.suppress(SeedreamError):
                    if row.state is not State.INTENDED:
                        await resume(row, quiet)
                        continue
                    wish = by_prompt[row.prompt or ""]
                    picture = (file_reference(Path(wish.picture), 1),) if wish.picture else ()
                    await generate(Request(**wish.request, references=picture), quiet)

    def _audited(self, service: FakeService) -> audit.Findings:
        findings = audit.Findings()
        books = audit.Books(self.home)
        records = list(TaskStore(self.folder / "service" / "sandbox").all())
        dropped = self.faults["generate", "DropBeforeReceipt"]
        audit.audit_money(findings, self.wishes, self.posts, records, books, dropped)
        self.stored = audit.audit_images(findings, records, books, service)
        audit.audit_disk(findings, books)
        audit.audit_rows(findings, books)
        self.growth = audit.audit_processes(
            findings, self.crowd.samples, self.crowd.logs(), SANDBOX_KEY
        )
        findings.stuck += self.crowd.troubles
        return findings
