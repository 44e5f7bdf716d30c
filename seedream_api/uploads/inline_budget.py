"""References that travel in one body share its size by need: small ones leave room to large."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from ..catalog import AIMED_REFERENCE_BYTES, MAX_INLINE_BODY_BYTES, MAX_REFERENCE_BYTES
from ..images.encode import EncodedImage
from ..service.references import PictureReference

_REST_BYTES = 256 * 1024
"""Of the body, for everything that is no picture."""
BUDGET_BYTES = (MAX_INLINE_BODY_BYTES.value - _REST_BYTES) * 3 // 4
"""All pictures together before Base64, which makes four characters of three bytes."""

Encoder = Callable[[PictureReference, int, int], Awaitable[EncodedImage]]
"""Encodes off the loop, with the bytes to aim at and those up to which a file goes as it is."""


async def encode_for_one_body(
    pictures: Sequence[PictureReference], encode: Encoder, budget: int = BUDGET_BYTES
) -> list[EncodedImage]:
    """Every picture encoded, in order, all together within ``budget`` bytes.

    Raises:
        InvalidRequest: even the smallest encoding of one is larger than its share.
    """
    aim, as_is = AIMED_REFERENCE_BYTES.value, MAX_REFERENCE_BYTES.value
    encoded = list(await asyncio.gather(*(encode(picture, aim, as_is) for picture in pictures)))
    share = per_image_limit([len(one.data) for one in encoded], budget)
    if share is None:
        return encoded

    async def shrunk(picture: PictureReference, one: EncodedImage) -> EncodedImage:
        return one if len(one.data) <= share else await encode(picture, min(aim, share), share)

    return list(
        await asyncio.gather(*(shrunk(*pair) for pair in zip(pictures, encoded, strict=True)))
    )


def per_image_limit(sizes: Sequence[int], budget: int) -> int | None:
    """The most bytes that one may take, so that all fit; ``None`` if they fit as they are.

    Whatever the smaller ones leave of an even share goes to the larger ones.
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
