"""Read a response of the service: from its bytes to what it says."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from ..images.media_types import HEAD_BYTES, media_type_of
from ..network.bodies import read_body
from ..network.compression import plain_bytes
from ..network.transport import HttpResponse
from ..redaction import REDACTED
from .responses import ServiceResponse, parse_response
from .result_items import ItemReader, ResultItem
from .stated_errors import read_redirect

INLINE_BYTES = 128 * 1024
"""Smaller responses are read at once, where no cancellation can come between."""


async def parse_off_loop(
    response: HttpResponse, reader: ItemReader, secret: str
) -> ServiceResponse:
    """Read a response; a large one in a thread, so that the loop stays free for others."""
    if len(response.body) < INLINE_BYTES:
        return parse_http_response(response, reader, secret)
    return await asyncio.shield(asyncio.to_thread(parse_http_response, response, reader, secret))


def parse_http_response(response: HttpResponse, reader: ItemReader, secret: str) -> ServiceResponse:
    """Read a response. Never raises.

    Args:
        secret: the key, which is taken out of the bytes that are kept.
    """
    plain = plain_bytes(response.body, response.headers)
    body = read_body(plain)
    answer = parse_response(body, reader)
    if response.cut is None and media_type_of(plain[:HEAD_BYTES]):  # the image in place of JSON
        item = ResultItem(0, data=plain)
        answer = ServiceResponse(items=(item,), names_results=True)
    if 300 <= response.status < 400:
        answer = replace(answer, said=read_redirect(response.headers.get("location", "")))
    return replace(
        answer,
        is_whole=body.is_whole and (bool(body.values) or response.cut is None),
        http=response.status,
        cut=response.cut,
        request_id=response.request_id,
        body=plain.replace(secret.encode(), REDACTED.encode()) if secret else plain,
    )
