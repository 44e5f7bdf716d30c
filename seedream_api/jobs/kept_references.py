"""Keep copies of the local reference images of a request, to restore its inputs later."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from ..errors import LedgerFailed, SeedreamError
from ..service.references import PictureReference, Reference
from .resources import Resources

log: logging.Logger = logging.getLogger("seedream")

MAX_COPY_BYTES = 64 * 1024 * 1024
"""A larger image is not copied; its hash identifies it."""


@asynccontextmanager
async def keeping_copies(
    resources: Resources, references: Sequence[Reference]
) -> AsyncGenerator[None]:
    """Copy the images into the store while the block runs; a failure is only logged.

    A round of recovery puts the copies into the bucket of ``SEEDREAM_STORE``: a paid result does
    not wait for that. A block that is cancelled leaves the rest uncopied.
    """
    images = [one for one in references if isinstance(one, PictureReference)]
    if not images or not resources.settings.is_on("SEEDREAM_KEEP_REFERENCES"):
        yield
        return
    copying = asyncio.create_task(_copy_all(resources, images))
    try:
        yield
        await asyncio.wait({copying})
    except SeedreamError:
        await asyncio.wait({copying})
        raise
    finally:
        copying.cancel()


async def _copy_all(resources: Resources, images: Sequence[PictureReference]) -> None:
    """Copy one image after the other, because encoding takes a processor."""
    try:
        by_content = {await asyncio.to_thread(image.identity): image for image in images}
        kept = await resources.ledger.note_reference_use(by_content)
        for content in by_content.keys() - kept:
            await _copy(resources, content, by_content[content])
    except LedgerFailed as failed:
        log.warning("copies of reference images were not kept: %s", failed.summary("en"))


async def _copy(resources: Resources, content: str, image: PictureReference) -> None:
    copy = await asyncio.to_thread(image.copy_lossless, MAX_COPY_BYTES)
    if copy is None:
        return
    file = await asyncio.to_thread(resources.store.add_bytes, copy.data)
    await resources.ledger.record_reference_file(content, file, (copy.width, copy.height))
    await resources.prune_if_needed(len(copy.data))
