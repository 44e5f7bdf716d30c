"""One attempt to hand a picture to a host over HTTP, and what its failure means."""

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
from ..messages import Text, rewrite
from ..messages.page_title import title_of
from ..network.retry import CONNECTING, UPLOADING, RetryPolicy, retry_after_s
from ..network.url_guard import check_url
from ..redaction import redact
from ..service.references import UrlReference
from ..service.validation import validate_reference_urls

if TYPE_CHECKING:
    from ..config.settings import Settings
    from ..network.transport import HttpResponse
    from ..service.client import SeedreamClient

UPLOAD_TIMEOUT_S = 300.0
"""For 10 MB over a slow line."""
_BUSY = frozenset({408, 425, 429})
_SAID_LENGTH = 200
_PAGE_BYTES = 4096


class UploadRejected(Exception):
    """A host did not take a picture. The text is scrubbed and fit for people.

    Args:
        again: how it may be tried again; ``None``: that would not help.
        wait_s: what the host asks to wait, in seconds.
        hold_back: whether the host wants fewer uploads from all of us.
    """

    def __init__(
        self,
        reason: str,
        *,
        again: RetryPolicy | None = None,
        wait_s: float | None = None,
        hold_back: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again
        self.wait_s = wait_s
        self.pause_others = hold_back


@dataclass(frozen=True)
class UploadRequest:
    """What is sent to a host.

    Args:
        content: the whole body, of the type that ``headers`` name.
        secret: texts that no error may show.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    secret: tuple[str, ...] = field(default=(), repr=False)


async def post(client: SeedreamClient, parcel: UploadRequest) -> HttpResponse:
    """The host's answer, whatever it says but *come back later*.

    Raises:
        NotTaken: it could not be reached, did not answer, is busy, or sends us elsewhere.
    """
    try:
        response = await client.transport.ask(
            parcel.url,
            method="POST",
            headers=parcel.headers,
            content=parcel.content,
            timeout_s=UPLOAD_TIMEOUT_S,
        )
    except NotSent as error:
        reason = Text("host_unreachable", host=error.host, reason=_hide(error.reason, parcel))
        raise UploadRejected(reason, again=CONNECTING) from None
    except ReadFailed as error:
        raise UploadRejected(_hide(error.reason, parcel), again=UPLOADING) from None
    if response.cut is not None and response.status < 400:
        raise UploadRejected(_hide(response.cut, parcel), again=UPLOADING)
    if response.status in _BUSY or response.status >= 500:
        raise UploadRejected(
            describe_response(response, parcel.secret),
            again=UPLOADING,
            wait_s=retry_after_s(response.headers, time.time()),
            hold_back=response.status == 429,
        )
    return response


def _hide(reason: str, request: UploadRequest) -> str:
    return rewrite(reason, lambda text: redact(text, request.secret))


def describe_response(response: HttpResponse, secret: tuple[str, ...]) -> Text:
    """What the host said, in one line, with its HTTP status."""
    said = rewrite(
        _words(response),
        lambda text: redact(" ".join(text.split()), secret)[:_SAID_LENGTH].rstrip("."),
    )
    if not said:
        return Text("http_status", status=response.status)
    return Text("http_status_said", status=response.status, said=said)


def _words(response: HttpResponse) -> str:
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
        # An ``error`` may be a mere true or a number, with the words beside it.
        body = next((body[name] for name in names if _tells(body.get(name))), "")
    return body if isinstance(body, str) else ""


def _tells(said: Any) -> bool:
    return bool(said) and isinstance(said, (str, dict))


def checked_result(url: object, response: HttpResponse, secret: tuple[str, ...]) -> str:
    """The URL that a host gave, in one spelling.

    Raises:
        NotTaken: it is none.
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
        NotTaken: its host is private, and the service's is not.
    """
    try:
        validate_reference_urls((UrlReference(url),), settings)
    except InvalidRequest as error:
        raise UploadRejected(Text("upload_private", host=error.host)) from None


def encode_multipart(
    fields: Mapping[str, str], file_field: str, encoded: EncodedImage
) -> tuple[str, bytes]:
    """A ``multipart/form-data`` body (RFC 7578): its content type, and its bytes.

    Hashes and copies megabytes: call it in a thread.
    """
    boundary = secrets.token_hex(16)
    parts: list[bytes] = []
    for name, value in fields.items():
        parts += [_head(boundary, f'name="{_quoted(name)}"'), value.encode(), b"\r\n"]
    disposition = f'name="{_quoted(file_field)}"; filename="{name_of(encoded)}"'
    parts += [_head(boundary, disposition, encoded.media_type), encoded.data, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return f"multipart/form-data; boundary={boundary}", b"".join(parts)


def _head(boundary: str, disposition: str, media_type: str = "") -> bytes:
    kind = f"Content-Type: {media_type}\r\n" if media_type else ""
    return f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n{kind}\r\n".encode()


def _quoted(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def name_of(encoded: EncodedImage) -> str:
    """A file name by content: equal pictures overwrite each other and nothing else. Hashes: call
    it in a thread."""
    ending = encoded.media_type.rpartition("/")[2].replace("jpeg", "jpg")
    return f"{hashlib.sha256(encoded.data).hexdigest()}.{ending}"


def host_of(url: str) -> str:
    """``host`` or ``host:port`` as the URL spells it, in lower case."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()
