"""Encode reference images, upload each once, and verify that its URL serves it.

An image is not uploaded again while its URL is valid, and concurrent requests with the same image
share one upload. A new URL is fetched once before a request that uses it is paid for.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..catalog import AIMED_REFERENCE_BYTES, MAX_REFERENCE_BYTES
from ..config.settings import Settings
from ..downloads.downloader import Downloader
from ..downloads.transfer import LinkExpired
from ..errors import LedgerFailed, ResultUnavailable, UnsafeURL, UploadFailed
from ..images.decode import probe
from ..images.encode import EncodedImage
from ..ledger.image_store import ImageStore
from ..ledger.ledger import Ledger
from ..ledger.upload_cache import UploadedReference, to_uploaded_reference
from ..messages import Text
from ..network.clock import Clock
from ..network.retry import UPLOAD_PROPAGATION, RetryBudget
from ..network.throttle import Throttle
from ..network.url_guard import FetchPolicy
from ..service.references import PictureReference, Reference, UrlReference
from .concurrency import SharedTasks, gather_or_cancel
from .http import UploadRejected, check_public
from .inline_budget import encode_for_one_body, image_budget
from .target import HostedUrl, UploadTarget

log: logging.Logger = logging.getLogger("seedream")

MAX_UPLOADS = 8
"""Concurrent uploads per session; more would not use the connection better."""
PROOF_DEADLINE_S = 60.0


@dataclass(frozen=True)
class ResolvedReferences:
    """References as URLs or data URIs for the request body, and notes on how they were changed."""

    urls: tuple[str, ...]
    notes: tuple[str, ...]


class Uploader:
    """Uploads reference images; the jobs of a session share its limits and running uploads."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        store: ImageStore,
        downloader: Downloader,
        *,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._store = store
        self._downloader = downloader
        self._clock = clock
        self._throttle = Throttle(MAX_UPLOADS, clock=clock)
        self._encoders = asyncio.Semaphore(os.cpu_count() or 1)
        self._uploads: SharedTasks[UploadedReference] = SharedTasks()

    async def resolve_references(
        self,
        references: Sequence[Reference],
        target: UploadTarget | None,
        *,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> ResolvedReferences:
        """Turn every reference into a URL or data URI, in order; upload several at once.

        Args:
            target: where images are uploaded; may be ``None`` if all references are URLs.
            progress: called with the number of uploaded images and of all images.

        Raises:
            UploadFailed: an upload failed; nothing was charged.
            InvalidRequest: the images do not fit into one request body.
        """
        numbered = list(enumerate(references, start=1))
        images = [(number, one) for number, one in numbered if isinstance(one, PictureReference)]
        if not images:
            sent: list[UploadedReference] = []
        else:
            assert target is not None, "selected before the job is recorded"  # noqa: S101
            sent = await self.upload(images, target, progress=progress)
        by_number = dict(zip((number for number, _ in images), sent, strict=True))
        notes = tuple(
            note
            for (_, reference), one in zip(images, sent, strict=True)
            for note in (
                *reference.notes,
                *(Text("note_of", name=reference.name, note=note) for note in one.notes),
            )
        )
        urls = tuple(
            one.url if isinstance(one, UrlReference) else by_number[number].url
            for number, one in numbered
        )
        return ResolvedReferences(urls, notes)

    async def upload(
        self,
        images: Sequence[tuple[int, PictureReference]],
        target: UploadTarget,
        *,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> list[UploadedReference]:
        """Upload images, each given with its position among the references; keep their order.

        Raises:
            UploadFailed: an upload failed; the others are cancelled.
        """
        if target.is_inline:
            return await self._encode_inline([image for _, image in images], target)
        done = 0

        async def upload_one(position: int, image: PictureReference) -> UploadedReference:
            nonlocal done
            try:
                sent = await self._upload_once(image, target)
            except UploadRejected as error:
                raise UploadFailed(
                    "upload_failed", position=position, way=target.name, reason=error.reason
                ) from None
            done += 1
            progress(done, len(images))
            return sent

        return await gather_or_cancel([upload_one(*numbered) for numbered in images])

    async def test_upload(
        self, picture: PictureReference, target: UploadTarget
    ) -> UploadedReference:
        """Upload an image and verify its URL, without reading or writing the cache.

        Raises:
            UploadFailed: the upload failed, or its URL does not serve the image.
        """
        try:
            return await self._upload(picture, target, verify=True)
        except UploadRejected as error:
            raise UploadFailed(
                "upload_failed", position=1, way=target.name, reason=error.reason
            ) from None

    async def invalidate(self, contents: Iterable[str]) -> None:
        """Remove images that the service could not read from the cache."""
        try:
            await self._ledger.forget_uploads(tuple(contents))
        except LedgerFailed as error:
            log.warning("uploads that do not work were not forgotten: %s", error)

    # --- inline ---------------------------------------------------------------------------------

    async def _encode_inline(
        self, images: list[PictureReference], target: UploadTarget
    ) -> list[UploadedReference]:
        encoded = await encode_for_one_body(
            images, self._encode, image_budget(self._settings.facts.body_refused)
        )
        hosted = await gather_or_cancel([target.upload(one) for one in encoded])
        return [
            to_uploaded_reference(one, target=target.name, url=where.url, expires_at=None)
            for one, where in zip(encoded, hosted, strict=True)
        ]

    async def _encode(self, picture: PictureReference, aim: int, as_is: int) -> EncodedImage:
        async with self._encoders:
            return await asyncio.to_thread(picture.encode, aim, as_is)

    # --- uploads --------------------------------------------------------------------------------

    async def _upload_once(
        self, picture: PictureReference, target: UploadTarget
    ) -> UploadedReference:
        """Return a cached upload, wait for a running one, or start one."""
        content = await asyncio.to_thread(picture.identity)
        return await self._uploads.run(
            (content, target.name, target.location),
            lambda: self._get_or_upload(picture, target, content),
        )

    async def _get_or_upload(
        self, picture: PictureReference, target: UploadTarget, content: str
    ) -> UploadedReference:
        ledger = self._ledger
        known = await ledger.find_upload(content, target.name, target.location)
        if known is not None:
            return known
        is_verified = self._settings.is_on("SEEDREAM_VERIFY_UPLOADS")
        sent = await self._upload(picture, target, verify=is_verified)
        await ledger.record_upload(content, target.location, sent)
        return sent

    async def _upload(
        self, picture: PictureReference, target: UploadTarget, *, verify: bool
    ) -> UploadedReference:
        aim, as_is = AIMED_REFERENCE_BYTES.value, MAX_REFERENCE_BYTES.value
        encoded = await self._encode(picture, aim, as_is)
        hosted = await self._upload_with_retries(encoded, target)
        check_public(hosted.url, self._settings)
        if verify:
            await self._verify(hosted.url, encoded, target)
        expires_at = self._compute_expiry(hosted)
        return to_uploaded_reference(
            encoded, target=target.name, url=hosted.url, expires_at=expires_at
        )

    def _compute_expiry(self, hosted: HostedUrl) -> float | None:
        """Return the earlier of the promised lifetime's end and the stated expiry."""
        promised = None if hosted.life_s is None else self._clock.now() + hosted.life_s
        known = [moment for moment in (promised, hosted.expires_at) if moment is not None]
        return min(known, default=None)

    async def _upload_with_retries(self, encoded: EncodedImage, target: UploadTarget) -> HostedUrl:
        """Upload, and retry by the policy of the failure; uploads are free.

        Raises:
            UploadRejected: the failure of the last attempt.
        """
        budget = RetryBudget(self._clock)
        while True:
            try:
                async with self._throttle.slot():
                    return await target.upload(encoded)
            except UploadRejected as error:
                pause = budget.next_delay(error.retry, error.wait_s) if error.retry else None
                if pause is None:
                    raise
                if error.pause_others:
                    self._throttle.pause_for(pause)
            await self._clock.sleep(pause)

    # --- verification ---------------------------------------------------------------------------

    async def _verify(self, url: str, encoded: EncodedImage, target: UploadTarget) -> None:
        """Fetch a URL as the service will, and compare the image's size in pixels.

        Raises:
            UploadRejected: the URL does not serve an image of the same size.
        """
        budget = RetryBudget(self._clock)
        while True:
            try:
                return await self._compare(url, encoded, target)
            except LinkExpired as error:
                reason = error.summary_text
                pause = budget.next_delay(UPLOAD_PROPAGATION)
            except (ResultUnavailable, UnsafeURL) as error:
                reason, pause = error.summary_text, None
            if pause is None:
                raise UploadRejected(Text("upload_not_served", reason=reason))
            await self._clock.sleep(pause)

    async def _compare(self, url: str, encoded: EncodedImage, target: UploadTarget) -> None:
        allowed = self._settings.allowed_hosts | target.hosts
        partial = await asyncio.to_thread(self._store.new_partial)
        try:
            await self._downloader.fetch(
                url,
                partial,
                policy=FetchPolicy(allowed_hosts=allowed),
                max_bytes=MAX_REFERENCE_BYTES.value,
                deadline_s=PROOF_DEADLINE_S,
            )
            served = await asyncio.to_thread(_measure, partial)
        finally:
            await asyncio.to_thread(partial.unlink, missing_ok=True)
        if served != (encoded.width, encoded.height):
            raise UploadRejected(
                Text(
                    "upload_differs",
                    found=f"{served[0]} x {served[1]}",
                    sent=f"{encoded.width} x {encoded.height}",
                )
            )


def _measure(path: Path) -> tuple[int, int]:
    info = probe(path, name="the uploaded picture")
    return info.width, info.height
