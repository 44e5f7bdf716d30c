"""Helpers for the tests of downloads: images, a fake clock, names, and one fetch."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from seedream_api.downloads.downloader import Download, Downloader
from seedream_api.errors import (
    SeedreamError,
)
from seedream_api.network.clock import Clock
from seedream_api.network.throttle import Throttle
from seedream_api.network.transport import Transport
from seedream_api.network.url_guard import FetchPolicy

from .hostile_server import Server

PRIVATE = FetchPolicy(may_be_private=True)
PUBLIC_ONLY = FetchPolicy()


def encoded(kind: str, side: int = 24) -> bytes:
    noise = bytes(hashlib.shake_128(b"noise").digest(side * side * 3))
    file = io.BytesIO()
    Image.frombytes("RGB", (side, side), noise).save(file, kind)
    return file.getvalue()


PNG = encoded("PNG")
JPEG = encoded("JPEG")
LARGE = encoded("PNG", 800)
"""Over 1 MB, so that it is written in several pieces."""
TAG = 'ETag: "v1"'
PATIENT_S = 20.0
"""Far more than is needed here, and far less than the default of a download."""


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def as_clock(self) -> Clock:
        return Clock(self.clock, self.sleep)


class Names:
    """A resolver that returns each result once and then repeats the last one."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        found = self.answers[min(len(self.asked), len(self.answers)) - 1] if self.answers else ()
        if not found:
            raise OSError(f"no such name: {host}")
        return found


class Fetcher:
    """Fetches into ``target`` with a fake time."""

    def __init__(self, folder: Path) -> None:
        self.target = folder / "picture.part"
        self.time = FakeTime()
        self.gate = Throttle(4, clock=self.time.as_clock())

    def __call__(
        self,
        url: str,
        policy: FetchPolicy = PRIVATE,
        *,
        resolver: Callable[[str, int], Iterable[str]] | None = None,
        service_host: str | None = None,
        make_transport: Callable[[], Transport] = Transport,
        **bounds: Any,
    ) -> Download:
        async def fetch() -> Download:
            transport = make_transport()
            downloader = Downloader(
                transport,
                throttle=self.gate,
                clock=self.time.as_clock(),
                resolver=resolver or Names(),
                service_host=service_host,
            )
            try:
                return await downloader.fetch(url, self.target, policy=policy, **bounds)
            finally:
                await transport.close()

        return asyncio.run(fetch())

    def refused(self, url: str, policy: FetchPolicy = PRIVATE, **bounds: Any) -> SeedreamError:
        """The error of a fetch that must fail, and must leave no file."""
        with pytest.raises(SeedreamError) as caught:
            self(url, policy, **bounds)
        assert not self.target.exists()
        return caught.value


@pytest.fixture
def fetch(tmp_path: Path) -> Fetcher:
    return Fetcher(tmp_path)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Starts a server for some scripts; a bare bytes script is sent as it is."""
    started: list[Server] = []

    def start(*scripts: Any) -> Server:
        steps = [[script] if isinstance(script, bytes) else script for script in scripts]
        started.append(Server(steps).__enter__())
        return started[-1]

    yield start
    for server in started:
        server.__exit__()
