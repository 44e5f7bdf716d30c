"""The bucket of ``SEEDREAM_STORE``, which holds the stored files for every machine.

A file is complete in the data folder, and recorded, before it is put into the bucket under its
hash. A machine that lacks a file reads it from there and compares the hash. So the data folder is a
cache, bounded by ``SEEDREAM_STORE_GB``. A failure of the bucket fails no request: what it does not
hold is put there when it is next delivered, and by every round of recovery.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import uuid
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from ..config.settings import Settings
from ..config.store_url import split_store_url
from ..errors import ConfigurationError
from ..ledger.image_store import ImageStore, StoredFile
from ..ledger.ledger import Ledger
from ..messages import Text
from ..network.clock import Clock
from ..uploads.bucket import Bucket, BucketFailed
from ..uploads.concurrency import gather_or_cancel

log: logging.Logger = logging.getLogger("seedream")

TIMEOUT_S = 120.0
MAX_RETRIES = 2
RETRY_S = 20.0
PAUSE_S = 60.0
"""After a failure the bucket is left alone for so long: a paid image must not wait for it again."""
MAX_TRANSFERS = 4
"""Concurrent ones per session; each holds an image in memory."""
ROUND_S = 60.0
"""After so many seconds a round of recovery leaves further files to the next one."""


def build_bucket(settings: Settings) -> Bucket:
    """Build the bucket of the settings, without a connection.

    Raises:
        ConfigurationError: a setting is invalid, or obstore is not installed.
    """
    name, prefix = split_store_url(settings.text("SEEDREAM_STORE"))
    return Bucket(
        settings, name, prefix, timeout_s=TIMEOUT_S, max_retries=MAX_RETRIES, retry_s=RETRY_S
    )


class SharedStore:
    """The bucket, and the data folder that caches its files.

    Raises:
        ConfigurationError: see :func:`build_bucket`.
    """

    def __init__(self, settings: Settings, ledger: Ledger, store: ImageStore, clock: Clock) -> None:
        self._bucket = build_bucket(settings)
        self._ledger = ledger
        self._store = store
        self._clock = clock
        self._places = asyncio.Semaphore(MAX_TRANSFERS)
        self._paused_until = float("-inf")
        self._reason = ""
        self._bytes_read = 0

    async def share_images(self, row_id: int) -> tuple[str, ...]:
        """Put the stored images of a job into the bucket; return a note if that failed."""
        images = await self._ledger.list_images(row_id)
        reason = await self.share([
            StoredFile(image.file, image.sha256, image.bytes, image.media_type)
            for image in images
            if image.file is not None and image.sha256 is not None
        ])  # fmt: skip
        return () if reason is None else (Text("not_shared", reason=reason),)

    async def restore_images(self, row_id: int, sha256: str | None = None) -> str | None:
        """Read the images of a job that this machine lacks; see :meth:`restore`.

        Args:
            sha256: of the only image to read; by default all.
        """
        absent = await self._ledger.list_absent_images(row_id)
        return await self.restore([file for file in absent if sha256 in (None, file.sha256)])

    async def restore_references(self, row_id: int) -> None:
        """Read the copies of a job's reference images that this machine lacks."""
        await self.restore(await self._ledger.list_absent_references(row_id))

    async def restore_url(self, url: str) -> None:
        """Read the image that was downloaded from a result URL, if this machine lacks it."""
        await self.restore(await self._ledger.find_absent_image(url))

    def take_bytes_read(self) -> int:
        """Return how many bytes were added to the data folder since the last call."""
        count, self._bytes_read = self._bytes_read, 0
        return count

    async def share(self, files: Sequence[StoredFile]) -> str | None:
        """Put files into the bucket that it does not hold; return why that failed."""
        unshared = await self._ledger.list_unshared([file.sha256 for file in files])
        distinct = {file.sha256: file for file in files if file.sha256 in unshared}
        return await self._transfer(self._put, list(distinct.values()))

    async def share_rest(self) -> tuple[int, int]:
        """Put what this machine stored and the bucket lacks there, for about ``ROUND_S``.

        Returns:
            How many files the bucket got, and how many it still lacks.
        """
        files, begun, shared = await self._ledger.list_files_to_share(), self._clock.monotonic(), 0
        for first in range(0, len(files), MAX_TRANSFERS):
            if self._clock.monotonic() - begun > ROUND_S:
                break
            some = files[first : first + MAX_TRANSFERS]
            reason = await self.share(some)
            unshared = await self._ledger.list_unshared([file.sha256 for file in some])
            shared += len(some) - len(unshared)
            if reason is not None:
                break
        return shared, len(files) - shared

    async def restore(self, files: Sequence[StoredFile]) -> str | None:
        """Read files from the bucket into the data folder; return why the bucket cannot be read.

        A file that the bucket lacks, or holds with other bytes, is left out.

        Raises:
            LedgerFailed: a file cannot be stored.
        """
        return await self._transfer(self._get, files)

    async def _transfer(
        self,
        transfer: Callable[[StoredFile], Coroutine[Any, Any, None]],
        files: Sequence[StoredFile],
    ) -> str | None:
        if not files:
            return None
        try:
            self._check_pause()
            await gather_or_cancel([transfer(file) for file in files])
        except (BucketFailed, ConfigurationError):
            return self._reason
        return None

    def _check_pause(self) -> None:
        if self._clock.monotonic() < self._paused_until:
            raise BucketFailed(self._reason)

    @asynccontextmanager
    async def _place(self) -> AsyncGenerator[None]:
        """Wait for a place, unless the bucket fails meanwhile; a failure in it begins the pause."""
        async with self._places:
            self._check_pause()
            try:
                yield
            except (BucketFailed, ConfigurationError) as error:
                self._paused_until = self._clock.monotonic() + PAUSE_S
                is_ours = isinstance(error, BucketFailed)
                self._reason = error.reason if is_ours else error.summary_text
                log.warning("the shared store cannot be used: %s", self._reason)
                raise

    async def _put(self, file: StoredFile) -> None:
        async with self._place():
            data = await asyncio.to_thread(_read_intact, file)
            if data is not None:  # a damaged file is fetched again before it is delivered
                await self._bucket.put(self._name_of(file), data, file.media_type)
                await self._ledger.record_shared(file.sha256)

    async def _get(self, file: StoredFile) -> None:
        async with self._place():
            name = self._name_of(file)
            data = await self._bucket.get(name, file.bytes)
            if data is None or await asyncio.to_thread(_digest, data) != file.sha256:
                log.warning("the shared store has no intact copy of %s", name)
                await self._ledger.forget_shared(file.sha256)
                return
            await asyncio.to_thread(self._store.add_bytes, data, file.media_type)
            self._bytes_read += len(data)

    def _name_of(self, file: StoredFile) -> str:
        return file.path.relative_to(self._store.folder).as_posix()


def _read_intact(file: StoredFile) -> bytes | None:
    try:
        data = file.path.read_bytes()
    except OSError:
        return None
    return data if _digest(data) == file.sha256 else None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def try_bucket(bucket: Bucket) -> str | None:
    """Put an object into the bucket, read it and delete it; return why it cannot be deleted.

    Raises:
        BucketFailed: it cannot be written or read, or other bytes arrived.
    """
    name, data = f"probe-{uuid.uuid4().hex}", os.urandom(64)
    await bucket.put(name, data, "application/octet-stream")
    try:
        if await bucket.get(name, len(data)) != data:
            raise BucketFailed(Text("store_differs"))
    finally:
        undeleted = await _delete(bucket, name)
    return undeleted


async def _delete(bucket: Bucket, name: str) -> str | None:
    try:
        await bucket.delete(name)
    except BucketFailed as error:
        return error.reason
    return None
