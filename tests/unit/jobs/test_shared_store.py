"""The shared store over a bucket in memory: what is put, read, refused and tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from seedream_api.jobs import shared_store
from seedream_api.jobs.shared_store import MAX_TRANSFERS, PAUSE_S, SharedStore, try_bucket
from seedream_api.ledger.image_store import ImageStore, StoredFile
from seedream_api.ledger.ledger import Ledger
from seedream_api.network.clock import Clock
from seedream_api.uploads.bucket import BucketFailed
from support.saved_settings import load


class MemoryBucket:
    """A bucket of the test, which fails while ``broken`` is set."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.broken = self.undeletable = False
        self.calls = 0

    def _call(self) -> None:
        self.calls += 1
        if self.broken:
            raise BucketFailed("it is down")

    async def put(self, name: str, data: bytes, media_type: str) -> None:
        self._call()
        self.objects[name] = data

    async def get(self, name: str, size: int) -> bytes | None:
        self._call()
        return self.objects.get(name)

    async def delete(self, name: str) -> None:
        self._call()
        if self.undeletable:
            raise BucketFailed("not allowed")
        del self.objects[name]


class Machine:
    """A data folder with its ledger, its images and a bucket."""

    def __init__(self, home: Path, bucket: MemoryBucket) -> None:
        self.bucket = bucket
        self.seconds = 0.0
        self.images = ImageStore(home)
        self.ledger = Ledger(home, bucket="s3://pics")
        clock = Clock(monotonic=lambda: self.seconds)
        settings = load(home, {}, SEEDREAM_STORE="s3://pics")
        self.store = SharedStore(settings, self.ledger, self.images, clock)

    def add(self, data: bytes) -> StoredFile:
        return self.images.add_bytes(data, "image/png")


Work = Callable[[Machine], Coroutine[Any, Any, None]]


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Work], None]:
    bucket = MemoryBucket()
    monkeypatch.setattr(shared_store, "build_bucket", lambda settings: bucket)

    def run(work: Work) -> None:
        async def whole() -> None:
            machine = Machine(home, bucket)
            try:
                await work(machine)
            finally:
                machine.ledger.close()

        asyncio.run(whole())

    return run


def test_file_is_put_once_and_read_again(run: Any) -> None:
    async def work(machine: Machine) -> None:
        file = machine.add(b"one")
        assert await machine.store.share([file, file]) is None
        assert await machine.store.share([file]) is None
        assert list(machine.bucket.objects.values()) == [b"one"] and machine.bucket.calls == 1
        file.path.unlink()
        assert await machine.store.restore([file]) is None
        assert file.path.read_bytes() == b"one"
        assert machine.store.take_bytes_read() == 3 and machine.store.take_bytes_read() == 0

    run(work)


def test_other_bytes_are_refused_and_put_again(run: Any) -> None:
    async def work(machine: Machine) -> None:
        file = machine.add(b"one")
        await machine.store.share([file])
        [name] = machine.bucket.objects
        machine.bucket.objects[name] = b"two"
        file.path.unlink()
        assert await machine.store.restore([file]) is None
        assert not file.path.exists()
        machine.add(b"one")
        await machine.store.share([file])
        assert machine.bucket.objects[name] == b"one"

    run(work)


def test_damaged_file_is_not_put(run: Any) -> None:
    async def work(machine: Machine) -> None:
        file = machine.add(b"one")
        file.path.write_bytes(b"two")
        assert await machine.store.share([file]) is None
        assert not machine.bucket.objects
        assert await machine.ledger.list_unshared([file.sha256]) == {file.sha256}

    run(work)


def test_failed_bucket_is_left_alone_for_a_while(run: Any) -> None:
    async def work(machine: Machine) -> None:
        file, bucket = machine.add(b"one"), machine.bucket
        bucket.broken = True
        assert await machine.store.share([file]) == "it is down"
        bucket.broken = False
        assert await machine.store.restore([file]) == "it is down" and bucket.calls == 1
        machine.seconds += PAUSE_S
        assert await machine.store.share([file]) is None and len(bucket.objects) == 1

    run(work)


def test_jobs_that_wait_for_a_place_respect_the_pause(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(machine: Machine) -> None:
        bucket, all_places_taken, attempts = machine.bucket, asyncio.Event(), 0

        async def fail_together(name: str, size: int) -> None:
            nonlocal attempts
            attempts += 1
            if attempts == MAX_TRANSFERS:
                all_places_taken.set()
            await all_places_taken.wait()
            raise BucketFailed("it is down")

        monkeypatch.setattr(bucket, "get", fail_together)
        files = [machine.add(bytes([number])) for number in range(3 * MAX_TRANSFERS)]
        found = await asyncio.gather(*(machine.store.restore([file]) for file in files))
        assert found == ["it is down"] * len(files) and attempts == MAX_TRANSFERS
        machine.seconds += PAUSE_S - 1
        assert await machine.store.restore(files) == "it is down" and attempts == MAX_TRANSFERS

    run(work)


def test_round_ends_at_a_failure_and_counts_the_rest(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(machine: Machine) -> None:
        files = [machine.add(bytes([number])) for number in range(2 * MAX_TRANSFERS)]

        lists = 0

        async def owed() -> list[StoredFile]:
            nonlocal lists
            lists += 1
            unshared = await machine.ledger.list_unshared([file.sha256 for file in files])
            return [file for file in files if file.sha256 in unshared]

        monkeypatch.setattr(machine.ledger, "list_files_to_share", owed, raising=False)
        put = machine.bucket.put

        async def fail_later(*args: Any) -> None:
            machine.bucket.broken = len(machine.bucket.objects) == MAX_TRANSFERS
            await put(*args)

        monkeypatch.setattr(machine.bucket, "put", fail_later)
        assert await machine.store.share_rest() == (MAX_TRANSFERS, MAX_TRANSFERS)
        monkeypatch.undo()
        monkeypatch.setattr(machine.ledger, "list_files_to_share", owed, raising=False)
        machine.bucket.broken = False
        machine.seconds += PAUSE_S
        assert await machine.store.share_rest() == (MAX_TRANSFERS, 0)
        assert await machine.store.share_rest() == (0, 0)
        assert lists == 3, "the list of a large ledger takes long: each round needs one"

    run(work)


@pytest.mark.parametrize("undeletable", [False, True])
def test_trial_object_is_written_read_and_deleted(undeletable: bool) -> None:
    bucket = MemoryBucket()
    bucket.undeletable = undeletable
    found: Any = asyncio.run(try_bucket(bucket))  # type: ignore[arg-type]
    assert found == ("not allowed" if undeletable else None)
    assert bucket.calls == 3 and bool(bucket.objects) is undeletable
