"""Failures of HTTP and their descriptions."""

from __future__ import annotations

import asyncio
import ssl
from urllib.parse import urlsplit

import httpx

from ..errors import NotSent, ReadFailed
from ..messages import Text, rewrite, text_of
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


def read_failed_error(error: BaseException | None) -> ReadFailed:
    failed = ReadFailed("read_failed", reason=describe_failure(error))
    is_broken = isinstance(error, httpx.RemoteProtocolError)
    failed.is_malformed = is_broken and "disconnected" not in str(error)  # it may be starting
    return failed


def describe_failure(error: BaseException | None) -> str:
    if error is None:
        return Text("no_status_line")
    if isinstance(error, (httpx.ConnectTimeout, httpx.PoolTimeout)):
        return Text("connect_timed_out")
    if isinstance(error, (httpx.TimeoutException, asyncio.TimeoutError)):
        return Text("no_response_in_time")
    if isinstance(error, httpx.RemoteProtocolError):
        return Text("connection_cut_because", reason=text_of(error))
    if isinstance(error, (httpx.ReadError, httpx.WriteError)):
        return Text("connection_cut")
    text = rewrite(text_of(error), lambda said: redact(said).strip())
    return text or type(error).__name__
