"""Reference images as the service treats them: downloaded or decoded, then measured."""

from __future__ import annotations

import base64
import binascii
import io
import re
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
)
from ..network.hosts import is_local_host
from .exchange import Refusal, invalid_parameter
from .request_fields import GenerationRequest

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
    """The bytes are not an image of a known format; the text says why."""


def make_thumbnails(
    asked: GenerationRequest,
    read_own_url: Callable[[str], bytes | None],
    *,
    takes_inline: bool,
) -> list[bytes]:
    """Read and measure every reference; return small JPEGs in the request's order.

    ``read_own_url`` returns the image at a URL of the sandbox's own image host, else None;
    ``takes_inline`` says whether the family takes data URIs.

    Raises:
        Refusal: 400 naming the reference that cannot be used, and why.
    """
    thumbnails: list[bytes] = []
    for number, reference in enumerate(asked.references, 1):
        name = f"{asked.model.reference_field}[{number - 1}]"
        data = read_own_url(reference)
        if data is None:
            data = _read_reference(name, reference, takes_inline, number)
        thumbnails.append(_make_thumbnail(name, data, number))
    return thumbnails


def open_image(data: bytes) -> Image.Image:
    """Open an image and read its header, not its pixels.

    Raises:
        UnreadableImage: not an image, or not of a format that the service reads.
    """
    try:
        image = Image.open(io.BytesIO(data))
    except _UNREADABLE as error:
        raise UnreadableImage("not an image, or it cannot be decoded") from error
    if image.format not in FORMATS:
        raise UnreadableImage(f"the format {image.format} is not supported")
    return image


def _read_reference(name: str, reference: str, takes_inline: bool, number: int) -> bytes:
    scheme = reference.partition(":")[0].lower()
    if scheme in ("http", "https"):
        data = _download(name, reference, number)
    elif scheme == "data" and takes_inline:
        data = _decode(name, reference, number)
    else:
        also = " or a data URI" if takes_inline else ""
        raise _bad_url(name, f"reference {number} must be an http(s) URL{also}")
    if len(data) > MAX_REFERENCE_BYTES.value:
        reason = f"reference {number} is larger than {MAX_REFERENCE_BYTES.value} bytes"
        raise invalid_parameter(name, reason, code="InvalidParameter.OversizedImage")
    return data


def _decode(name: str, uri: str, number: int) -> bytes:
    found = _DATA_URI.fullmatch(uri)
    if not found or found.group(1) not in FORMATS.values():
        # Ark requires the format in lower case.
        known = ", ".join(sorted(set(FORMATS.values())))
        shape = f"data:image/<format>;base64,<data> with a format of {known} in lower case"
        raise _bad_url(name, f"reference {number} must have the form {shape}")
    try:
        return base64.b64decode(found.group(2), validate=True)
    except (binascii.Error, ValueError):
        raise _bad_url(name, f"reference {number} is not valid Base64") from None


def _download(name: str, url: str, number: int) -> bytes:
    """Download a reference, at most one byte over the limit, by http and https only."""
    limit = MAX_REFERENCE_BYTES.value
    try:
        request = urllib.request.Request(  # noqa: S310
            url, headers={"User-Agent": "seedream-sandbox"}
        )
        with cast("HTTPResponse", _build_opener(url).open(request, timeout=FETCH_SECONDS)) as got:
            data = got.read(limit + 1)
            is_cut = bool(got.length) and len(data) <= limit
    except (OSError, ValueError, HTTPException) as error:
        # The error's name only, since a URL may contain a signature.
        reason = f"reference {number} could not be downloaded ({type(error).__name__})"
        raise _bad_url(name, reason) from None
    if is_cut:
        raise _bad_url(name, f"reference {number} could not be downloaded whole")
    return data


def _build_opener(url: str) -> urllib.request.OpenerDirector:
    opener = urllib.request.OpenerDirector()  # No redirects to files, FTP or data URIs.
    is_local = is_local_host(urlsplit(url).hostname or "")
    opener.add_handler(urllib.request.ProxyHandler({} if is_local else None))
    for handler in (
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    return opener


def _make_thumbnail(name: str, data: bytes, number: int) -> bytes:
    try:
        image = open_image(data)
        _check_size(name, image.size, number)
        image.draft("RGB", (THUMBNAIL_SIDE, THUMBNAIL_SIDE))  # Decodes a JPEG at a smaller size.
        upright = ImageOps.exif_transpose(image) or image
        upright.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        seen = upright.convert("RGBA")
        ground = Image.new("RGBA", seen.size, "white")
        ground.alpha_composite(seen)
        out = io.BytesIO()
        ground.convert("RGB").save(out, "JPEG", quality=85)
        return out.getvalue()
    except _UNREADABLE as error:
        known = str(error) if isinstance(error, UnreadableImage) else "it cannot be decoded"
        code = "InvalidParameter.UnsupportedImageFormat"
        raise invalid_parameter(name, f"reference {number}: {known}", code=code) from None


def _check_size(name: str, size: tuple[int, int], number: int) -> None:
    short, long = sorted(size)
    if short < MIN_REFERENCE_SIDE.value:
        reason = f"each side needs at least {MIN_REFERENCE_SIDE.value} px"
    elif long > short * MAX_REFERENCE_RATIO.value:
        reason = f"its sides differ by more than {MAX_REFERENCE_RATIO.value} to 1"
    elif long * short > MAX_REFERENCE_PIXELS.value:
        reason = f"it has more than {MAX_REFERENCE_PIXELS.value} pixels"
    else:
        return
    text = f"reference {number} is {size[0]}x{size[1]}: {reason}"
    raise invalid_parameter(name, text, code="InvalidParameter.OversizedImage")


def _bad_url(name: str, reason: str) -> Refusal:
    return invalid_parameter(name, reason, code="InvalidImageURL.InvalidFormat")
