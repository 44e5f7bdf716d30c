"""HTTP: the only module that imports httpx, and the judge of whether the server saw a request.

No httpx type appears in a signature or an error here, so that another HTTP library is a change of
this file alone. Three ways to ask:

* :meth:`Transport.post_once` for what may be charged: a connection of its own (an idle one may be
  dead without either side knowing), one attempt, ``before_first_byte`` awaited at the very moment
  before the first byte of the request leaves. A failure before that moment is :class:`NotSent`,
  any failure after it :class:`OutcomeUnknown`.
* :meth:`Transport.ask` for what costs nothing and has a small answer.
* :meth:`Transport.open` for a body that is streamed, optionally from an address checked before.

Longer than most modules because all of httpx ends here, and nothing but that is in it.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import zlib
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Mapping,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import anyio  # comes with httpx
import httpx

from ._version import __version__
from .errors import ConfigurationError, NotSent, OutcomeUnknown, ReadFailed
from .proxies import proxy_for, trusted_certificates
from .redaction import scrub

USER_AGENT = f"seedream-deepspace/{__version__} (+ComfyUI)"
CONNECT_TIMEOUT_S = 15.0
MAX_ANSWER_BYTES = 256 * 1024 * 1024
"""Base64 answers carry whole images: fifteen of them at 16.8 MP stay below this."""

_NOT_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)
# A record that TLS cannot read comes through httpx as it is.
_BROKEN = (httpx.HTTPError, httpx.StreamError, ssl.SSLError)


@dataclass(frozen=True)
class HttpAnswer:
    """A response whose head arrived.

    Args:
        headers: with lower-case names.
        body: the bytes as they were sent; compression is not undone.
        cut: why reading ended before the response did; ``None`` for a whole response.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: str | None = None

    def json(self) -> Any:
        """Parse the body as JSON, compressed or not.

        Raises:
            ValueError: it is not JSON, or JSON nested beyond what Python reads.
        """
        try:
            return json.loads(_unpacked(self.body))
        except RecursionError:
            raise ValueError("JSON is nested too deeply") from None

    @property
    def request_id(self) -> str | None:
        """The relay's id of this call (new-api: ``X-Oneapi-Request-Id``)."""
        return self.headers.get("x-request-id") or self.headers.get("x-oneapi-request-id")


@dataclass
class _Arrived:
    """What came of a response so far."""

    head: tuple[int, dict[str, str]] | None = None
    body: bytearray = field(default_factory=bytearray)

    def response(self, cut: str | None = None) -> HttpAnswer:
        assert self.head is not None  # noqa: S101
        return HttpAnswer(*self.head, bytes(self.body), cut)


@dataclass(frozen=True)
class StreamedAnswer:
    """An answer whose body is still on its way; ``chunks`` are its bytes as they were sent."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]


class Transport:
    """Connections by proxy, made when first needed; use it on one event loop and close it there.

    Args:
        proxy: what ``SEEDREAM_PROXY`` says; empty for the environment's.
    """

    def __init__(self, proxy: str = "") -> None:
        self._proxy = proxy
        # Below httpx's client, which logs every URL, signed ones too, and keeps cookies.
        self._pools: dict[tuple[str | None, bool], httpx.AsyncHTTPTransport] = {}
        self._preparing: asyncio.Future[ssl.SSLContext] | None = None

    def proxy_for(self, url: str) -> str | None:
        """The proxy that a request to this URL goes through. On Windows that may look names up."""
        return proxy_for(url, self._proxy)

    async def close(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()
        self._pools.clear()

    async def post_once(
        self,
        url: str,
        *,
        body: Any,
        headers: Mapping[str, str],
        read_timeout_s: float,
        before_first_byte: Callable[[], Awaitable[None]],
    ) -> HttpAnswer:
        """Send a request that may be charged, once.

        Raises:
            NotSent: no byte left this machine.
            OutcomeUnknown: a byte may have left, and no response head came within the time.
        """
        sent = False

        async def trace(event: str, info: Mapping[str, Any]) -> None:
            nonlocal sent
            # A tunnel through a proxy first sends a CONNECT of its own: that is not ours yet.
            if event.endswith("send_request_headers.started"):
                method: Any = getattr(info.get("request"), "method", b"POST")
                if method == b"POST":
                    if sent:  # another pack's patch of httpx tries again what fails
                        raise _Repeated("something beside this pack tried to send it again")
                    await before_first_byte()
                    sent = True

        content = await asyncio.to_thread(_json, body)
        pool = await self._pool(url, paid=True)
        request = httpx.Request(
            "POST",
            url,
            content=content,
            headers=_sent({"Content-Type": "application/json", **headers}),
            extensions={"trace": trace},
        )
        request.extensions["timeout"] = _timeouts(read_timeout_s)
        arrived = _Arrived()
        try:
            # Not _in_time: a paid answer that meets a cancellation is kept and written down.
            await asyncio.wait_for(self._read(pool, request, arrived), read_timeout_s)
        except (*_BROKEN, asyncio.TimeoutError, _TooLarge, _Repeated) as error:
            if not sent:
                raise _not_sent(url, error) from None
            if arrived.head is None or isinstance(error, _Repeated):
                reason = _reason(error)
                raise OutcomeUnknown("outcome_unknown", reason=reason, entry="ID") from None
            return arrived.response(cut=_reason(error))
        return arrived.response()

    async def ask(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 30.0,
        content: bytes | None = None,
    ) -> HttpAnswer:
        """A request that costs nothing.

        Raises:
            NotSent: the host could not be reached.
            ReadFailed: it was reached, and no response head came in time.
        """
        pool = await self._pool(url, paid=False)
        request = httpx.Request(method, url, headers=_sent(headers or {}), content=content)
        request.extensions["timeout"] = _timeouts(timeout_s)
        arrived = _Arrived()
        try:
            await _in_time(self._read(pool, request, arrived), timeout_s)
        except _NOT_CONNECTED as error:
            raise _not_sent(url, error) from None
        except (*_BROKEN, asyncio.TimeoutError, _TooLarge) as error:
            if arrived.head is None:
                raise ReadFailed("read_failed", reason=_reason(error)) from None
            return arrived.response(cut=_reason(error))
        return arrived.response()

    @asynccontextmanager
    async def open(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        read_timeout_s: float,
        address: str | None = None,
    ) -> AsyncGenerator[StreamedAnswer]:
        """Stream a body; redirects are given back, not followed.

        Args:
            address: the IP address to connect to in place of a second look-up of the URL's host
                (which stays in the Host header and in TLS).

        Raises:
            NotSent: the host could not be reached.
            ReadFailed: it was reached, and sending or reading failed at any later moment.
        """
        target, sent_headers, extensions = url, dict(headers), dict[str, Any]()
        if address is not None:
            target, host, authority = _at_address(url, address)
            sent_headers["Host"] = authority
            extensions["sni_hostname"] = host
        pool = await self._pool(url, paid=True, direct=address is not None)
        request = httpx.Request("GET", target, headers=_sent(sent_headers), extensions=extensions)
        request.extensions["timeout"] = _timeouts(read_timeout_s)
        try:
            answer = await pool.handle_async_request(request)
            try:
                yield StreamedAnswer(answer.status_code, _headers(answer), answer.aiter_raw())
            finally:
                await answer.aclose()
        except _NOT_CONNECTED as error:
            raise _not_sent(url, error) from None
        except _BROKEN as error:
            raise ReadFailed("read_failed", reason=_reason(error)) from None

    async def _read(
        self, pool: httpx.AsyncHTTPTransport, request: httpx.Request, arrived: _Arrived
    ) -> None:
        """Read a response into ``arrived``, which keeps what had come when reading fails."""
        answer = await pool.handle_async_request(request)
        arrived.head = (answer.status_code, _headers(answer))
        try:
            async for chunk in answer.aiter_raw():
                arrived.body += chunk
                if len(arrived.body) > MAX_ANSWER_BYTES:
                    raise _TooLarge(f"the answer has over {MAX_ANSWER_BYTES} bytes")
        finally:
            await answer.aclose()

    async def _pool(
        self, url: str, *, paid: bool, direct: bool = False
    ) -> httpx.AsyncHTTPTransport:
        certificates = await self._certificates()
        # No waiting from here on: of two pools made at once, one would never be closed.
        proxy = None if direct else self.proxy_for(url)
        pool = self._pools.get((proxy, paid))
        if pool is None:
            try:
                pool = httpx.AsyncHTTPTransport(
                    verify=certificates,
                    proxy=proxy,
                    trust_env=False,
                    limits=httpx.Limits(
                        max_connections=None, max_keepalive_connections=0 if paid else 8
                    ),
                )
            except (ValueError, ImportError, httpx.InvalidURL) as error:
                raise ConfigurationError("bad_proxy", reason=scrub(str(error))) from None
            self._pools[proxy, paid] = pool
        return pool

    async def _certificates(self) -> ssl.SSLContext:
        """Read in a thread, once for all who ask at the same time.

        Raises:
            ConfigurationError: they cannot be loaded; the next to ask tries again.
        """
        known = self._preparing
        if known is None or (known.done() and (known.cancelled() or known.exception())):
            known = self._preparing = asyncio.ensure_future(asyncio.to_thread(_prepared))
        return await asyncio.shield(known)


def _prepared() -> ssl.SSLContext:
    """The certificates; and what the first connection would import, a tenth of a second's work, is
    imported here, in a thread."""
    certificates = trusted_certificates(os.environ)
    httpx.AsyncHTTPTransport(verify=certificates)
    anyio.run(anyio.sleep, 0)  # loads what anyio has for asyncio
    return certificates


def _json(body: Any) -> bytes:
    """``body`` as JSON, value by value: in one call, 20 MB of pictures would let no other thread,
    and so no event loop, run for as long as that takes."""
    encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return "".join(encoder.iterencode(body)).encode()


def _sent(headers: Mapping[str, str]) -> dict[str, str]:
    return {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "gzip", **headers}


def _unpacked(body: bytes) -> bytes:
    """Undo gzip where the first bytes say so, up to the size that a response may have."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        return zlib.decompressobj(31).decompress(body, MAX_ANSWER_BYTES)
    except zlib.error as error:
        raise ValueError(f"the body is not gzip ({error})") from None


class _TooLarge(Exception):
    pass


async def _in_time(call: Coroutine[Any, Any, None], seconds: float) -> None:
    """As ``wait_for``, which before Python 3.12 swallows a cancellation that meets the call's end:
    who is told to stop then would go on asking."""
    task = asyncio.ensure_future(call)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done:
            raise asyncio.TimeoutError
        task.result()
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # told already, or of no interest after a cancellation


class _Repeated(Exception):
    pass


def _at_address(url: str, address: str) -> tuple[str, str, str]:
    """``url`` with its host replaced, the host for TLS, and the authority for the Host header."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    literal = f"[{address}]" if ":" in address else address
    netloc = literal if parts.port is None else f"{literal}:{parts.port}"
    authority = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=netloc).geturl(), host, authority


def _timeouts(read_s: float) -> dict[str, float]:
    connect = min(CONNECT_TIMEOUT_S, read_s)
    return {"connect": connect, "pool": connect, "write": max(60.0, connect), "read": read_s}


def _headers(answer: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}


def _not_sent(url: str, error: BaseException) -> NotSent:
    return NotSent("not_sent", host=urlsplit(url).netloc.rpartition("@")[2], reason=_reason(error))


def _reason(error: BaseException) -> str:
    if isinstance(error, (httpx.ConnectTimeout, httpx.PoolTimeout)):
        return "connecting timed out"
    if isinstance(error, (httpx.TimeoutException, asyncio.TimeoutError)):
        return "no answer in time"
    if isinstance(error, httpx.RemoteProtocolError):
        return f"the connection was cut ({error})"
    text = scrub(str(error)).strip()
    return text or type(error).__name__
