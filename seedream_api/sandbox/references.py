"""Reference images as the real service must treat them: fetched or decoded, then measured."""

from __future__ import annotations

import base64
import binascii
import io
import re
import time
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from typing import cast
from urllib.parse import urlsplit

from PIL import Image, ImageOps

from ..catalog import (
    MAX_REFERENCE_BYTES,
    MAX_REFERENCE_PIXELS,
    MAX_REFERENCE_RATIO,
    MIN_REFERENCE_SIDE,
    Family,
)
from ..network.url_guard import is_local_host
from .checks import Order
from .replies import Refusal, invalid_parameter

FORMATS = {
    "JPEG": "jpeg", "MPO": "jpeg", "PNG": "png", "WEBP": "webp",
    "BMP": "bmp", "TIFF": "tiff", "GIF": "gif",
}  # fmt: skip
"""The formats that the service reads (Evolink, Ark), by Pillow's name for them."""

FETCH_SECONDS = 10.0
THUMBNAIL_SIDE = 320
"""Pixels of a thumbnail's long side."""

_DATA_URI = re.compile(r"data:image/([^;,]*);base64,(.*)", re.DOTALL)
_UNREADABLE = (
    OSError, ValueError, SyntaxError, EOFError, OverflowError,
    Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip


class UnreadableImage(ValueError):
    """The bytes are no image of a known format; the text says why."""


def thumbnails_of(order: Order, own_image: Callable[[str], bytes | None]) -> list[bytes]:
    """Fetch and measure every reference of ``order``; small JPEGs to show, in its order.

    ``own_image`` gives the bytes behind a URL of the sandbox's own image host, else None.

    Raises:
        Refusal: 400 naming the reference that could not be used, and why.
    """
    thumbnails: list[bytes] = []
    for place, reference in enumerate(order.references):
        name = f"{order.model.reference_field}[{place}]"
        data = own_image(reference)
        if data is None:
            data = _received(name, reference, order.model.family, place + 1)
        thumbnails.append(_thumbnail(name, data, place + 1))
    return thumbnails


def opened(data: bytes) -> Image.Image:
    """The image behind ``data``, its header read and its pixels not yet.

    Raises:
        UnreadableImage: no image, or of a format that the service does not read.
    """
    try:
        image = Image.open(io.BytesIO(data))
    except _UNREADABLE as error:
        raise UnreadableImage("no image, or one that cannot be decoded") from error
    if image.format not in FORMATS:
        raise UnreadableImage(f"the format {image.format} is not read here")
    return image


def _received(name: str, reference: str, family: Family, number: int) -> bytes:
    scheme = reference.partition(":")[0].lower()
    if scheme in ("http", "https"):
        return _fetched(name, reference, number)
    if scheme == "data" and family is Family.PREFERENTIAL:
        return _decoded(name, reference, number)
    wanted = "a http(s) URL or a data URI" if family is Family.PREFERENTIAL else "a http(s) URL"
    raise _bad_url(name, f"reference {number} must be {wanted}")


def _decoded(name: str, uri: str, number: int) -> bytes:
    found = _DATA_URI.fullmatch(uri)
    if not found or found.group(1) not in FORMATS.values():
        # Ark: the format is written in lower case.
        known = ", ".join(sorted(set(FORMATS.values())))
        shape = f"data:image/<format>;base64,<data> with a format of {known} in lower case"
        raise _bad_url(name, f"reference {number} must look like {shape}")
    try:
        data = base64.b64decode(found.group(2), validate=True)
    except (binascii.Error, ValueError):
        raise _bad_url(name, f"reference {number} is not valid Base64") from None
    _check_bytes(name, len(data), number)
    return data


def _fetched(name: str, url: str, number: int) -> bytes:
    try:
        data = _download(url)
    except (OSError, ValueError, HTTPException) as error:
        # The reason only: a URL may carry a signature.
        reason = f"reference {number} could not be downloaded ({type(error).__name__})"
        raise _bad_url(name, reason) from None
    _check_bytes(name, len(data), number)
    return data


def _download(url: str) -> bytes:
    """The body behind ``url``, cut one byte past the limit. Only http and https are followed."""
    request = urllib.request.Request(url, headers={"User-Agent": "seedream-sandbox"})  # noqa: S310
    ends = time.monotonic() + FETCH_SECONDS
    chunks: list[bytes] = []
    left = MAX_REFERENCE_BYTES.value + 1
    with cast("HTTPResponse", _opener(url).open(request, timeout=FETCH_SECONDS)) as response:
        while left > 0 and (chunk := response.read1(min(left, 256 * 1024))):
            chunks.append(chunk)
            left -= len(chunk)
            if time.monotonic() > ends:
                raise TimeoutError("reference took too long")
        if left > 0 and response.length:
            raise OSError("the connection closed early")
    return b"".join(chunks)


def _opener(url: str) -> urllib.request.OpenerDirector:
    opener = urllib.request.OpenerDirector()  # Bare: no file, ftp or data handler to redirect to.
    for handler in (
        urllib.request.ProxyHandler({} if is_local_host(urlsplit(url).hostname or "") else None),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _check_bytes(name: str, size: int, number: int) -> None:
    if size > MAX_REFERENCE_BYTES.value:
        reason = f"reference {number} is larger than {MAX_REFERENCE_BYTES.value} bytes"
        raise invalid_parameter(name, reason, code="InvalidParameter.OversizedImage")


def _thumbnail(name: str, data: bytes, number: int) -> bytes:
    try:
        image = opened(data)
        _check_sides(name, image.size, number)
        image.draft("RGB", (THUMBNAIL_SIDE, THUMBNAIL_SIDE))  # A JPEG is decoded small.
        return _small_jpeg(image)
    except _UNREADABLE as error:
        known = str(error) if isinstance(error, UnreadableImage) else "it cannot be decoded"
        reason = f"reference {number}: {known}"
        raise invalid_parameter(
            name, reason, code="InvalidParameter.UnsupportedImageFormat"
        ) from None


def _check_sides(name: str, size: tuple[int, int], number: int) -> None:
    short, long = sorted(size)
    if short < MIN_REFERENCE_SIDE.value:
        reason = f"each side needs at least {MIN_REFERENCE_SIDE.value} px"
    elif long > short * MAX_REFERENCE_RATIO.value:
        reason = f"its sides differ by more than {MAX_REFERENCE_RATIO.value} to 1"
    elif long * short > MAX_REFERENCE_PIXELS.value:
        reason = f"it has more than {MAX_REFERENCE_PIXELS.value} pixels"
    else:
        return
    told = f"reference {number} is {size[0]}x{size[1]}: {reason}"
    raise invalid_parameter(name, told, code="InvalidParameter.OversizedImage")


def _small_jpeg(image: Image.Image) -> bytes:
    upright = ImageOps.exif_transpose(image) or image
    upright.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    seen = upright.convert("RGBA")
    ground = Image.new("RGBA", seen.size, "white")
    ground.alpha_composite(seen)
    out = io.BytesIO()
    ground.convert("RGB").save(out, "JPEG", quality=85)
    return out.getvalue()


def _bad_url(name: str, reason: str) -> Refusal:
    return invalid_parameter(name, reason, code="InvalidImageURL.InvalidFormat")
