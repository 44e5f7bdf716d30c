"""Parse an HTTP response of the service into a :class:`ServiceResponse`."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from ..images.media_types import HEAD_BYTES, has_end_mark, media_type_of
from ..network.bodies import read_body
from ..network.compression import decompress
from ..network.transport import HttpResponse
from ..redaction import REDACTED
from .responses import ServiceResponse, parse_response
from .result_items import ItemReader, ResultItem
from .stated_errors import parse_redirect

_ALWAYS_ENDED = ("image/png", "image/webp")
"""Formats that every program writes with an end mark: without it, they were cut off."""
INLINE_BYTES = 128 * 1024
"""Smaller responses are parsed on the event loop, where no cancellation can interrupt it."""


async def parse_off_loop(
    response: HttpResponse, reader: ItemReader, secret: str
) -> ServiceResponse:
    """Parse a response; a large one in a thread, so that the event loop stays responsive."""
    if len(response.body) < INLINE_BYTES:
        return parse_http_response(response, reader, secret)
    return await asyncio.shield(asyncio.to_thread(parse_http_response, response, reader, secret))


def parse_http_response(response: HttpResponse, reader: ItemReader, secret: str) -> ServiceResponse:
    """Parse a response; never raise.

    Args:
        secret: the key, which is removed from the bytes that are kept.
    """
    plain = decompress(response.body, response.headers)
    body = read_body(plain)
    parsed = parse_response(body, reader)
    media_type = media_type_of(plain[:HEAD_BYTES])
    is_sound = response.cut is None and media_type not in _ALWAYS_ENDED
    if media_type and (is_sound or has_end_mark(plain, media_type)):  # an image instead of JSON
        item = ResultItem(0, data=plain)
        parsed = ServiceResponse(items=(item,), names_results=True)
    if 300 <= response.status < 400:
        parsed = replace(
            parsed, envelope_error=parse_redirect(response.headers.get("location", ""))
        )
    return replace(
        parsed,
        is_whole=body.is_whole and (bool(body.values) or response.cut is None),
        http=response.status,
        cut=response.cut,
        request_id=response.request_id,
        body=plain.replace(secret.encode(), REDACTED.encode()) if secret else plain,
    )
