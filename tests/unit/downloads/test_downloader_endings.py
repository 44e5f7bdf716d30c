"""How downloads end, also on broken disks."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from seedream_api.downloads import downloader as downloads
from seedream_api.downloads.downloader import Download, Downloader
from seedream_api.downloads.partial_file import PartialFile
from seedream_api.errors import (
    InvalidRequest,
    LedgerFailed,
    UnsafeURL,
)
from seedream_api.ledger.image_store import ImageStore
from seedream_api.network.throttle import Throttle
from seedream_api.network.transport import StreamedResponse, Transport
from support.download_kit import (
    LARGE,
    PNG,
    PRIVATE,
    FakeTime,
    Fetcher,
    encoded,
)
from support.hostile_server import HELD, Server, answer, cut_after

# ---- ends ----


def test_urls_that_are_none_are_refused_before_anything(fetch: Fetcher) -> None:
    assert type(fetch.refused("file:///etc/passwd")) is InvalidRequest
    assert type(fetch.refused("http://user:pw@example.com/")) is UnsafeURL


def test_cancelled_download_leaves_no_file(
    fetch: Fetcher, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve([cut_after(LARGE, 1_500_000), HELD])

    async def cancel_halfway() -> None:
        half_way = asyncio.Event()

        class Telling(PartialFile):
            async def flush(self) -> None:
                await super().flush()
                half_way.set()

        monkeypatch.setattr(downloads, "PartialFile", Telling)
        transport = Transport()
        downloader = Downloader(transport, throttle=fetch.gate)
        task = asyncio.ensure_future(downloader.fetch(server.url, fetch.target, policy=PRIVATE))
        await half_way.wait()
        assert fetch.target.exists()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not fetch.target.exists()
        await transport.close()

    asyncio.run(cancel_halfway())


def test_full_disk_is_reported_as_such(tmp_path: Path, serve: Callable[..., Server]) -> None:
    fetch = Fetcher(tmp_path / "missing")
    error = fetch.refused(serve(answer(PNG)).url)
    assert isinstance(error, LedgerFailed)


def test_gate_bounds_the_downloads_that_run_at_once(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    inside: list[str] = []
    most: list[int] = []

    class Counting(Transport):
        @asynccontextmanager
        async def open(self, url: str, **how: Any) -> AsyncIterator[StreamedResponse]:
            inside.append(url)
            most.append(len(inside))
            async with super().open(url, **how) as given:
                yield given
            inside.remove(url)

    time = FakeTime()
    server = serve(answer(PNG))

    async def fetch_six() -> list[Download]:
        transport = Counting()
        gate = Throttle(2, clock=time.as_clock())
        downloader = Downloader(transport, throttle=gate, clock=time.as_clock())
        fetches = [
            downloader.fetch(server.url, tmp_path / f"{n}.part", policy=PRIVATE) for n in range(6)
        ]
        try:
            return await asyncio.gather(*fetches)
        finally:
            await transport.close()

    assert len(asyncio.run(fetch_six())) == 6
    assert max(most) == 2


# ---- disks that are full or broken ----


FULL = Path("/dev/full")


needs_full_device = pytest.mark.skipif(not FULL.exists(), reason="only Linux has /dev/full")


@needs_full_device
@pytest.mark.parametrize("image", [PNG, encoded("GIF", 1), LARGE], ids=["small", "tiny", "large"])
def test_full_disk_is_reported_whatever_the_size(
    fetch: Fetcher, serve: Callable[..., Server], image: bytes
) -> None:
    fetch.target.symlink_to(FULL)
    server = serve(answer(image))
    error = fetch.refused(server.url)
    assert isinstance(error, LedgerFailed) and "No space left" in str(error)
    assert len(server.requests) == 1 and not fetch.target.is_symlink()


@needs_full_device
def test_full_disk_is_reported_for_bytes_inside_a_response(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial = tmp_path / "a.part"
    partial.symlink_to(FULL)
    store = ImageStore(tmp_path / "home")
    monkeypatch.setattr(store, "new_partial", lambda: partial)
    with pytest.raises(LedgerFailed, match="No space left"):
        store.add_bytes(PNG)
    assert not partial.is_symlink()


def test_disk_that_fails_to_sync_is_reported(
    fetch: Fetcher, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    server = serve(answer(PNG))
    monkeypatch.setattr("seedream_api.downloads.partial_file.os.fsync", fail)
    error = fetch.refused(server.url)
    assert isinstance(error, LedgerFailed) and "Input/output error" in str(error)
