"""httpx's connection pools, one per proxy, and the certificates that they share."""

from __future__ import annotations

import asyncio
import contextvars
import os
import ssl

import anyio  # comes with httpx
import httpx

from ..errors import ConfigurationError
from ..redaction import redact
from .proxies import find_proxy, load_certificates
from .streams import use_own_connections


class ConnectionPools:
    """Pools by proxy, made when first needed; use them on one event loop and close them there.

    Args:
        proxy: the value of ``SEEDREAM_PROXY``; empty for the environment's proxy.
    """

    def __init__(self, proxy: str) -> None:
        self._proxy = proxy
        # Transports, not clients: a client of httpx logs every URL, even signed ones.
        self._pools: dict[tuple[str | None, bool], httpx.AsyncHTTPTransport] = {}
        self._certificates: asyncio.Future[ssl.SSLContext] | None = None

    def find_proxy(self, url: str) -> str | None:
        return find_proxy(url, self._proxy)

    async def close(self) -> None:
        pools = list(self._pools.values())
        self._pools.clear()
        await asyncio.shield(asyncio.gather(*(pool.aclose() for pool in pools)))

    async def get(self, url: str, *, paid: bool, direct: bool = False) -> httpx.AsyncHTTPTransport:
        """Return the pool for a URL.

        Args:
            paid: use no connection that was idle.
            direct: use no proxy.

        Raises:
            ConfigurationError: the proxy or the certificates cannot be used.
        """
        certificates = await self.get_certificates()
        # Without an await from here on: of two pools made at once, one would never be closed.
        proxy = None if direct else self.find_proxy(url)
        pool = self._pools.get((proxy, paid))
        if pool is None:
            pool = self._pools[proxy, paid] = _make_pool(certificates, proxy, 0 if paid else 8)
        return pool

    async def get_certificates(self) -> ssl.SSLContext:
        """Load the certificates in a thread, once for all callers.

        Raises:
            ConfigurationError: they cannot be loaded; the next caller tries again.
        """
        known = self._certificates
        if known is None or (known.done() and (known.cancelled() or known.exception())):
            known = self._certificates = asyncio.ensure_future(asyncio.to_thread(_prepare))
        return await asyncio.shield(known)


def _make_pool(
    certificates: ssl.SSLContext, proxy: str | None, max_idle: int
) -> httpx.AsyncHTTPTransport:
    try:
        pool = httpx.AsyncHTTPTransport(
            verify=certificates,
            proxy=proxy,
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=max_idle),
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise ConfigurationError("bad_proxy", reason=redact(str(error))) from None
    use_own_connections(pool)
    return pool


def _prepare() -> ssl.SSLContext:
    """Load the certificates, and import what the first connection needs.

    Those imports take a tenth of a second, which would block the event loop.
    """
    certificates = load_certificates(os.environ)
    httpx.AsyncHTTPTransport(verify=certificates)
    # Imports anyio's code for asyncio. Under anyio.run the caller's context says "inside anyio".
    contextvars.Context().run(anyio.run, anyio.sleep, 0)
    return certificates
