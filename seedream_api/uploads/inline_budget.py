"""Share the size of one request body among its images: small ones leave room for large ones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from ..catalog import AIMED_REFERENCE_BYTES, MAX_INLINE_BODY_BYTES, MAX_REFERENCE_BYTES
from ..images.encode import EncodedImage
from ..service.references import PictureReference

_REST_BYTES = 256 * 1024
"""Bytes of the body reserved for everything except images."""
BUDGET_BYTES = (MAX_INLINE_BODY_BYTES.value - _REST_BYTES) * 3 // 4
"""Bytes of all images before base64, which turns three bytes into four characters."""
_LEAST_BYTES = 64 * 1024

Encoder = Callable[[PictureReference, int, int], Awaitable[EncodedImage]]
"""Encodes an image in a thread, given the size to aim at and the largest allowed size in bytes."""


def image_budget(body_refused: int | None) -> int:
    """Return the bytes that all images of a body may have.

    Args:
        body_refused: bytes of a body that the service refused as too large, if a probe found one.
    """
    if body_refused is None:
        return BUDGET_BYTES
    return max(_LEAST_BYTES, min(BUDGET_BYTES, (body_refused // 2 - _REST_BYTES) * 3 // 4))


async def encode_for_one_body(
    images: Sequence[PictureReference], encode: Encoder, budget: int = BUDGET_BYTES
) -> list[EncodedImage]:
    """Encode all images, in order, within ``budget`` bytes in total.

    Raises:
        InvalidRequest: the smallest encoding of an image is larger than its share.
    """
    aim, as_is = AIMED_REFERENCE_BYTES.value, MAX_REFERENCE_BYTES.value
    encoded = list(await asyncio.gather(*(encode(picture, aim, as_is) for picture in images)))
    share = per_image_limit([len(one.data) for one in encoded], budget)
    if share is None:
        return encoded

    async def shrink(picture: PictureReference, one: EncodedImage) -> EncodedImage:
        return one if len(one.data) <= share else await encode(picture, min(aim, share), share)

    return list(
        await asyncio.gather(*(shrink(*pair) for pair in zip(images, encoded, strict=True)))
    )


def per_image_limit(sizes: Sequence[int], budget: int) -> int | None:
    """Compute the most bytes that one image may have; ``None`` if all fit unchanged.

    What the smaller images leave of an even share goes to the larger ones.
    """
    if sum(sizes) <= budget:
        return None
    left = budget
    for place, size in enumerate(sorted(sizes)):
        even = left // (len(sizes) - place)
        if size > even:
            return even
        left -= size
    return left
