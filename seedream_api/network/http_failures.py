"""Failures of HTTP and their descriptions."""

from __future__ import annotations

import asyncio
import ssl
from urllib.parse import urlsplit

import httpx

from ..errors import NotSent
from ..redaction import redact

NOT_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)
# httpx passes on the error of an unreadable TLS record.
BROKEN = (httpx.HTTPError, httpx.StreamError, ssl.SSLError)


class TooLarge(Exception):
    """A body has more bytes than a response may have."""


class Repeated(Exception):
    """Something beside this pack sends a paid request a second time."""


def not_sent_error(url: str, error: BaseException | None) -> NotSent:
    return NotSent(
        "not_sent", host=urlsplit(url).netloc.rpartition("@")[2], reason=describe_failure(error)
    )


def describe_failure(error: BaseException | None) -> str:
    if error is None:
        return "the response has no status line"
    if isinstance(error, (httpx.ConnectTimeout, httpx.PoolTimeout)):
        return "connecting timed out"
    if isinstance(error, (httpx.TimeoutException, asyncio.TimeoutError)):
        return "no answer in time"
    if isinstance(error, httpx.RemoteProtocolError):
        return f"the connection was cut ({error})"
    if isinstance(error, (httpx.ReadError, httpx.WriteError)):
        return "the connection was cut"
    text = redact(str(error)).strip()
    return text or type(error).__name__
