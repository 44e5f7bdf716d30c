"""Upload an image to a host over HTTP once, and classify the failure."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from ..errors import InvalidRequest, NotSent, ReadFailed
from ..images.encode import EncodedImage
from ..images.media_types import suffix_of
from ..messages import Text, rewrite
from ..messages.page_title import title_of
from ..network.retry import CONNECTING, UPLOADING, RetryPolicy, parse_retry_after
from ..network.url_guard import check_url
from ..redaction import redact
from ..service.references import UrlReference
from ..service.validation import validate_reference_urls

if TYPE_CHECKING:
    from ..config.settings import Settings
    from ..network.transport import HttpResponse
    from ..service.client import SeedreamClient

UPLOAD_TIMEOUT_S = 300.0
"""Enough for 10 MB over a slow connection."""
_BUSY = frozenset({408, 425, 429})
_QUOTED_LENGTH = 200
_PAGE_BYTES = 4096


class UploadRejected(Exception):
    """A host did not accept an image; the text is redacted and can be shown to users.

    Args:
        retry: the policy for another attempt; ``None`` if that would not help.
        wait_s: seconds to wait, as the host requests.
        pause_others: whether the host limits the rate of all uploads.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry: RetryPolicy | None = None,
        wait_s: float | None = None,
        pause_others: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry = retry
        self.wait_s = wait_s
        self.pause_others = pause_others


@dataclass(frozen=True)
class UploadRequest:
    """The HTTP request of an upload.

    Args:
        content: the whole body, whose type is in ``headers``.
        secret: texts that no error may contain.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    secret: tuple[str, ...] = field(default=(), repr=False)


async def post(client: SeedreamClient, upload: UploadRequest) -> HttpResponse:
    """Send an upload and return the host's response.

    Raises:
        UploadRejected: the host could not be reached, did not respond in full, or is busy.
    """
    try:
        response = await client.transport.ask(
            upload.url,
            method="POST",
            headers=upload.headers,
            content=upload.content,
            timeout_s=UPLOAD_TIMEOUT_S,
        )
    except NotSent as error:
        reason = Text("host_unreachable", host=error.host, reason=_redact(error.reason, upload))
        raise UploadRejected(reason, retry=CONNECTING) from None
    except ReadFailed as error:
        raise UploadRejected(_redact(error.reason, upload), retry=UPLOADING) from None
    if response.cut is not None and response.status < 400:
        raise UploadRejected(_redact(response.cut, upload), retry=UPLOADING)
    if response.status in _BUSY or response.status >= 500:
        raise UploadRejected(
            describe_response(response, upload.secret),
            retry=UPLOADING,
            wait_s=parse_retry_after(response.headers, time.time()),
            pause_others=response.status == 429,
        )
    return response


def _redact(reason: str, request: UploadRequest) -> str:
    return rewrite(reason, lambda text: redact(text, request.secret))


def describe_response(response: HttpResponse, secret: tuple[str, ...]) -> Text:
    """Describe a host's response in one line: its HTTP status and message."""
    message = rewrite(
        _extract_message(response),
        lambda text: redact(" ".join(text.split()), secret)[:_QUOTED_LENGTH].rstrip("."),
    )
    if not message:
        return Text("http_status", status=response.status)
    return Text("http_status_said", status=response.status, said=message)


def _extract_message(response: HttpResponse) -> str:
    try:
        body: Any = response.json()
    except ValueError:
        text = response.body[:2_000].decode("utf-8", "replace").strip()
        if text.startswith("<"):
            return title_of(response.body[:_PAGE_BYTES]) or Text("html_page")
        return text
    while isinstance(body, dict):
        body = cast("dict[str, Any]", body)
        names = ("error", "message", "msg", "detail", "status_txt")
        # ``error`` may be just true or a number, with the message in another field.
        body = next((body[name] for name in names if _has_message(body.get(name))), "")
    return body if isinstance(body, str) else ""


def _has_message(said: Any) -> bool:
    return bool(said) and isinstance(said, (str, dict))


def parse_result_url(url: object, response: HttpResponse, secret: tuple[str, ...]) -> str:
    """Return the URL that a host returned, normalized.

    Raises:
        UploadRejected: it is not a URL.
    """
    if not isinstance(url, str) or not url.strip():
        raise UploadRejected(Text("upload_without_url", said=describe_response(response, secret)))
    try:
        return check_url(url, field="url")
    except InvalidRequest as error:
        reason = error.reason or Text("not_http_url")
        given = redact(str(error.given), secret)
        raise UploadRejected(Text("upload_bad_url", given=given, reason=reason)) from None


def check_public(url: str, settings: Settings) -> None:
    """Refuse a URL that the service cannot reach, before anything is paid.

    Raises:
        UploadRejected: the URL's host is private, and the service's is not.
    """
    try:
        validate_reference_urls((UrlReference(url),), settings)
    except InvalidRequest as error:
        raise UploadRejected(Text("upload_private", host=error.host)) from None


def encode_multipart(
    fields: Mapping[str, str], file_field: str, encoded: EncodedImage
) -> tuple[str, bytes]:
    """Encode a ``multipart/form-data`` body (RFC 7578); call it in a thread.

    Returns:
        The content type with the boundary, and the body.
    """
    boundary = secrets.token_hex(16)
    parts: list[bytes] = []
    for name, value in fields.items():
        parts += [_build_part_head(boundary, f'name="{_quote(name)}"'), value.encode(), b"\r\n"]
    disposition = f'name="{_quote(file_field)}"; filename="{build_file_name(encoded)}"'
    parts += [_build_part_head(boundary, disposition, encoded.media_type), encoded.data, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return f"multipart/form-data; boundary={boundary}", b"".join(parts)


def _build_part_head(boundary: str, disposition: str, media_type: str = "") -> bytes:
    kind = f"Content-Type: {media_type}\r\n" if media_type else ""
    return f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n{kind}\r\n".encode()


def _quote(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def build_file_name(encoded: EncodedImage) -> str:
    """Build a file name from a hash of the content, so that uploads overwrite only equal images.

    Slow for large images: call it in a thread.
    """
    return hashlib.sha256(encoded.data).hexdigest() + suffix_of(encoded.media_type)


def parse_host(url: str) -> str:
    """Return ``host`` or ``host:port`` of a URL, in lower case."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()
