"""Brings reference images to where the service can read them: encoded, uploaded once, and proven.

What is uploaded already is not uploaded again while its URL lives; two who bring the same picture
at once share one upload. A URL that is new is fetched once before anything is paid for it.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..catalog import AIMED_REFERENCE_BYTES, MAX_REFERENCE_BYTES
from ..downloads.transfer import LinkExpired
from ..errors import LedgerFailed, ResultUnavailable, UnsafeURL, UploadFailed
from ..images.decode import probe
from ..images.encode import EncodedImage
from ..ledger.upload_cache import UploadedReference, get, invalidate, put, to_uploaded_reference
from ..messages import Text
from ..network.retry import UPLOAD_PROPAGATION, RetryBudget
from ..network.throttle import Throttle
from ..network.url_guard import FetchPolicy
from ..service.references import PictureReference, Reference, UrlReference
from .http import UploadRejected, check_public
from .inline_budget import encode_for_one_body

if TYPE_CHECKING:
    from ..jobs.session import Session
    from . import HostedUrl, UploadTarget

log = logging.getLogger("seedream")

T = TypeVar("T")
MAX_UPLOADS = 8
"""At once in one process; more do not make a line faster."""
PROOF_DEADLINE_S = 60.0


@dataclass(frozen=True)
class ResolvedReferences:
    """References as the request's body names them, and what was done to them on the way."""

    urls: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(eq=False)
class _Upload:
    task: asyncio.Task[UploadedReference]
    waiters: int = 0


class Uploader:
    """One for a session, so that its limits and its uploads under way are shared by all."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._throttle = Throttle(MAX_UPLOADS, clock=session.clock, sleep=session.sleep)
        self._encoders = asyncio.Semaphore(os.cpu_count() or 1)
        self._uploads: dict[tuple[str, str, str], _Upload] = {}

    async def resolve_references(
        self,
        references: Sequence[Reference],
        target: UploadTarget | None,
        *,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> ResolvedReferences:
        """Bring every reference to where the service can read it, several at once, in order.

        Args:
            way: how pictures travel; may be ``None`` where all references are URLs.
            progress: told how many of how many pictures have arrived.

        Raises:
            UploadFailed: one did not arrive; nothing was charged.
            InvalidRequest: inline, they do not fit into one request.
        """
        numbered = list(enumerate(references, start=1))
        pictures = [(place, one) for place, one in numbered if isinstance(one, PictureReference)]
        if not pictures:
            sent: list[UploadedReference] = []
        else:
            assert target is not None, "chosen before anything was written down"  # noqa: S101
            sent = await self.upload(pictures, target, progress=progress)
        arrived = dict(zip((place for place, _ in pictures), sent, strict=True))
        notes = tuple(
            note
            for (_, reference), one in zip(pictures, sent, strict=True)
            for note in (
                *reference.notes,
                *(Text("note_of", name=reference.name, note=note) for note in one.notes),
            )
        )
        urls = tuple(
            one.url if isinstance(one, UrlReference) else arrived[place].url
            for place, one in numbered
        )
        return ResolvedReferences(urls, notes)

    async def upload(
        self,
        pictures: Sequence[tuple[int, PictureReference]],
        target: UploadTarget,
        *,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> list[UploadedReference]:
        """Send pictures, each with its place among the references for errors; in order.

        Raises:
            UploadFailed: one did not arrive; the others are given up.
        """
        if target.is_inline:
            return await self._place_inline([picture for _, picture in pictures], target)
        done = 0

        async def one(position: int, picture: PictureReference) -> UploadedReference:
            nonlocal done
            try:
                sent = await self._deduplicated(picture, target)
            except UploadRejected as error:
                raise UploadFailed(
                    "upload_failed", position=position, way=target.name, reason=error.reason
                ) from None
            done += 1
            progress(done, len(pictures))
            return sent

        return await gather_or_cancel([one(*numbered) for numbered in pictures])

    async def test_upload(
        self, picture: PictureReference, target: UploadTarget
    ) -> UploadedReference:
        """Send a picture whether it was sent before or not, and write nothing down.

        Raises:
            UploadFailed: it did not arrive.
        """
        try:
            return await self._upload(picture, target, is_proven=True)
        except UploadRejected as error:
            raise UploadFailed(
                "upload_failed", position=1, way=target.name, reason=error.reason
            ) from None

    async def invalidate(self, contents: Iterable[str]) -> None:
        """The service could not read these pictures: they are uploaded anew next time."""
        try:
            await self._session.ledger.run(invalidate, self._session.ledger, tuple(contents))
        except LedgerFailed as error:
            log.warning("uploads that do not work were not forgotten: %s", error)

    # --- inline ---------------------------------------------------------------------------------

    async def _place_inline(
        self, pictures: list[PictureReference], target: UploadTarget
    ) -> list[UploadedReference]:
        encoded = await encode_for_one_body(pictures, self._encode)
        placed = await gather_or_cancel([target.upload(one) for one in encoded])
        return [
            to_uploaded_reference(one, target=target.name, url=where.url, expires_at=None)
            for one, where in zip(encoded, placed, strict=True)
        ]

    async def _encode(self, picture: PictureReference, aim: int, as_is: int) -> EncodedImage:
        async with self._encoders:
            return await asyncio.to_thread(picture.encoded, aim, as_is)

    # --- uploads --------------------------------------------------------------------------------

    async def _deduplicated(
        self, picture: PictureReference, target: UploadTarget
    ) -> UploadedReference:
        """The picture's upload: an earlier one, one that is under way, or a new one."""
        content = await asyncio.to_thread(picture.identity)
        key = (content, target.name, target.location)
        upload = self._uploads.get(key)
        if upload is None:
            upload = self._uploads[key] = _Upload(
                asyncio.create_task(self._get_or_upload(picture, target, content))
            )
            upload.task.add_done_callback(lambda task: self._forget_upload(key, task))
        upload.waiters += 1
        try:
            return await asyncio.shield(upload.task)
        finally:
            upload.waiters -= 1
            if upload.waiters == 0 and not upload.task.done():
                self._uploads.pop(key, None)
                upload.task.cancel()

    def _forget_upload(
        self, key: tuple[str, str, str], task: asyncio.Task[UploadedReference]
    ) -> None:
        current = self._uploads.get(key)
        if current is not None and current.task is task:
            del self._uploads[key]
        if not task.cancelled():
            task.exception()  # its waiters may all have left

    async def _get_or_upload(
        self, picture: PictureReference, target: UploadTarget, content: str
    ) -> UploadedReference:
        ledger = self._session.ledger
        known = await ledger.run(get, ledger, content, target.name, target.location)
        if known is not None:
            return known
        is_proven = self._session.settings.is_on("SEEDREAM_VERIFY_UPLOADS")
        sent = await self._upload(picture, target, is_proven=is_proven)
        await ledger.run(put, ledger, content, target.location, sent)
        return sent

    async def _upload(
        self, picture: PictureReference, target: UploadTarget, *, is_proven: bool
    ) -> UploadedReference:
        aim, as_is = AIMED_REFERENCE_BYTES.value, MAX_REFERENCE_BYTES.value
        encoded = await self._encode(picture, aim, as_is)
        placed = await self._retry(encoded, target)
        check_public(placed.url, self._session.settings)
        if is_proven:
            await self._verify(placed.url, encoded, target)
        expires_at = self._expiry(placed)
        return to_uploaded_reference(
            encoded, target=target.name, url=placed.url, expires_at=expires_at
        )

    def _expiry(self, placed: HostedUrl) -> float | None:
        """The earlier of the life that is promised and the moment that is named."""
        promised = None if placed.life_s is None else self._session.now() + placed.life_s
        known = [moment for moment in (promised, placed.expires_at) if moment is not None]
        return min(known, default=None)

    async def _retry(self, encoded: EncodedImage, target: UploadTarget) -> HostedUrl:
        """Attempt until it is there: an upload costs nothing.

        Raises:
            NotTaken: the last attempt's failure.
        """
        budget = RetryBudget(self._session.clock)
        while True:
            try:
                async with self._throttle.slot():
                    return await target.upload(encoded)
            except UploadRejected as error:
                pause = budget.next_delay(error.again, error.wait_s) if error.again else None
                if pause is None:
                    raise
                if error.pause_others:
                    self._throttle.pause_for(pause)
            await self._session.sleep(pause)

    # --- proof ----------------------------------------------------------------------------------

    async def _verify(self, url: str, encoded: EncodedImage, target: UploadTarget) -> None:
        """Fetch what a URL serves, as the service will.

        Raises:
            NotTaken: it is no image of the same size in pixels.
        """
        budget = RetryBudget(self._session.clock)
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
            await self._session.sleep(pause)

    async def _compare(self, url: str, encoded: EncodedImage, way: UploadTarget) -> None:
        session = self._session
        allowed = session.settings.allowed_hosts | way.hosts
        target = await asyncio.to_thread(session.store.new_partial)
        try:
            await session.downloader.fetch(
                url,
                target,
                policy=FetchPolicy(allowed_hosts=allowed),
                max_bytes=MAX_REFERENCE_BYTES.value,
                deadline_s=PROOF_DEADLINE_S,
            )
            served = await asyncio.to_thread(_size_of, target)
        finally:
            await asyncio.to_thread(target.unlink, missing_ok=True)
        if served != (encoded.width, encoded.height):
            raise UploadRejected(
                Text(
                    "upload_differs",
                    found=f"{served[0]} x {served[1]}",
                    sent=f"{encoded.width} x {encoded.height}",
                )
            )


def _size_of(path: Path) -> tuple[int, int]:
    info = probe(path, name="the uploaded picture")
    return info.width, info.height


async def gather_or_cancel(coroutines: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """All results in order; the first failure ends the others."""
    tasks = [asyncio.ensure_future(one) for one in coroutines]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
