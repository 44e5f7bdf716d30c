"""Every exhibit of the gallery ends with its clear error: in time, within bounds, and nothing
private is reached."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from seedream_api import load_settings
from seedream_api.downloads.downloader import Downloader
from seedream_api.errors import SeedreamError
from seedream_api.images.decode import decode
from seedream_api.jobs.load_urls import load_urls
from seedream_api.network import url_guard
from seedream_api.network.clock import Clock
from seedream_api.network.throttle import Throttle
from support.hostile_cases import GALLERY, MAX_BYTES, Case
from support.hostile_server import Server, answer

HOST = "pictures.example"
OUTSIDE, INSIDE = "127.0.0.2", "127.0.0.1"
LONGEST_S = 900.0
"""Of anything, on the clock that is passed in: all attempts have 300 s, the pauses 90 s a kind."""
MOST_MEMORY = 256 * 1024 * 1024
"""That a case may add to what the process holds: two pictures of 64 megapixels are 512 MiB."""


class FastTime:
    """A clock on which a minute of waiting for bytes takes a second, and a pause nothing."""

    SPEED = 60.0

    def __init__(self) -> None:
        self._skipped = 0.0

    def clock(self) -> float:
        return self._skipped + time.monotonic() * self.SPEED

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.SPEED)

    async def pause(self, seconds: float) -> None:
        self._skipped += seconds
        await asyncio.sleep(0)


@dataclass
class Stage:
    """The public internet at 127.0.0.2, and this machine's own server at the same port."""

    case: Case
    folder: Path
    vault: Server
    public: Server
    release: threading.Event
    asked: list[str] = field(default_factory=list)
    time: FastTime = field(default_factory=FastTime)

    def names(self, host: str, port: int) -> Any:
        self.asked.append(host)
        found = self.case.names[min(len(self.asked), len(self.case.names)) - 1]
        if "hangs" in found:
            self.release.wait(20)
        if not found:
            raise OSError(f"no such name: {host}")
        return found

    def url(self) -> str:
        return filled(self.case.url, self.public.port)

    async def load(self) -> SeedreamError | None:
        """As Load URL Images does it: fetched, then decoded. The error, or None for a picture."""
        from seedream_api import Session

        settings = load_settings(environ={
            "SEEDREAM_HOME": str(self.folder / "home"),
            "DEEPSPACE_BASE_URL": "https://api.example.com",
            "DEEPSPACE_API_KEY": "sk-gallery",
        })  # fmt: skip
        fast = self.time
        async with Session(settings, clock=fast.clock, sleep=fast.pause) as session:
            session.resources.downloader = Downloader(
                session.client.transport,
                throttle=Throttle(2, clock=Clock(fast.clock, fast.pause)),
                clock=Clock(fast.clock, fast.pause), attempt_clock=Clock(fast.clock, fast.wait),
                resolver=self.names,
            )  # fmt: skip
            [loaded] = await load_urls([self.url()], session, self.folder)
        if loaded.error is not None:
            return loaded.error
        try:
            await asyncio.to_thread(decode, loaded.path, name="the picture")
        except SeedreamError as error:
            return error
        return None


def filled(text: str, port: int) -> str:
    return text.replace("{host}", HOST).replace("{port}", str(port))


@pytest.fixture
def stage(request: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    case: Case = request.param
    is_public = url_guard.is_public
    monkeypatch.setattr(
        url_guard, "is_public", lambda address: str(address) == OUTSIDE or is_public(address)
    )
    monkeypatch.setattr("seedream_api.jobs.load_urls.MAX_BYTES", MAX_BYTES)
    monkeypatch.setattr(Downloader.fetch, "__kwdefaults__",
                        {**Downloader.fetch.__kwdefaults__, "max_bytes": MAX_BYTES})  # fmt: skip
    release = threading.Event()
    with Server([[answer(b"the key to everything")]], address=INSIDE) as vault:
        scripts = [served(script, vault.port) for script in case.scripts or [answer(b"never")]]
        with Server(scripts, address=OUTSIDE, port=vault.port) as public:
            if case.proxied:
                monkeypatch.setenv("http_proxy", f"http://{OUTSIDE}:{public.port}")
            yield Stage(case, tmp_path, vault, public, release)
            release.set()


def served(script: Any, port: int) -> Any:
    if isinstance(script, bytes):
        return [script.replace(b"{port}", str(port).encode()).replace(b"{host}", HOST.encode())]
    return script


def most_memory() -> int:
    """The most that this process ever held, in bytes."""
    if sys.platform == "win32":
        return 0
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


@pytest.mark.filterwarnings("ignore:Truncated File Read")
@pytest.mark.parametrize("stage", GALLERY, indirect=True, ids=lambda case: case.name)
def test_case_ends_with_its_error_and_reaches_nothing_private(stage: Stage) -> None:
    case, before, begun = stage.case, most_memory(), stage.time.clock()
    error = asyncio.run(stage.load())
    took = stage.time.clock() - begun
    assert error is not None, "it was taken for a picture"
    assert (error.key, case.words in error.message("en")) == (case.key, True), error.message("en")
    assert stage.vault.requests == [], "it reached the private server"
    assert took < LONGEST_S
    assert most_memory() - before < MOST_MEMORY
    for language in ("en", "zh"):
        said = error.message(language)
        assert len(said) < 700 and "secret" not in said and "Errno" not in said
    if case.key in ("download_failed", "download_no_image", "download_too_large", "link_dead"):
        assert [path.name for path in stage.folder.iterdir()] == ["home"], "it stayed behind"


def test_cases_are_more_than_sixty_with_unique_names() -> None:
    names = [case.name for case in GALLERY]
    assert len(set(names)) == len(names) >= 60
    kinds = {name.partition(":")[0] for name in names}
    assert kinds == {"file", "server", "redirect", "address", "name", "proxy", "data URI"}
