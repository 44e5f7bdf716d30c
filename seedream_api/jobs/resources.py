"""The resources that the jobs of a session share: client, ledger, store, downloader, uploader."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ..config.settings import Settings
from ..downloads.downloader import Downloader
from ..ledger.image_store import ImageStore
from ..ledger.ledger import Ledger
from ..ledger.records import JobRecord
from ..ledger.states import key_fingerprint
from ..messages import Text
from ..network.clock import Clock
from ..network.throttle import Throttle
from ..network.url_guard import FetchPolicy, is_local_host, is_public, parse_ip_literal, resolve
from ..service.client import SeedreamClient
from ..service.polling import PollThrottle
from ..uploads.uploader import Uploader
from .shared_store import SharedStore

log: logging.Logger = logging.getLogger("seedream")

CHECK_SHARE = 0.01
"""The fraction of its size limit by which the store may grow before its size is checked."""


@dataclass(eq=False)
class Resources:
    """The open resources of one session for one profile.

    Args:
        settings: with the key and address of the profile.
        poll: polls a task by its id; all jobs of the session use it.
        shared: the bucket that machines share; ``None`` if there is none.
    """

    settings: Settings
    client: SeedreamClient
    ledger: Ledger
    store: ImageStore
    downloader: Downloader
    uploader: Uploader
    poll: PollThrottle
    clock: Clock
    shared: SharedStore | None
    _service_is_private: bool | None = None
    _bytes_since_check: float = field(default=float("inf"))
    """Bytes that may have been added to the store since its size was checked."""

    async def disconnect(self) -> None:
        """Close the connections; the ledger, which other profiles share, stays open."""
        await self.client.__aexit__(None, None, None)

    async def close(self) -> None:
        """Close the connections, then the ledger."""
        try:
            await self.disconnect()
        finally:
            await asyncio.to_thread(self.ledger.close)

    async def open_profile(self, settings: Settings) -> Resources:
        """Open connections for another profile that uses the same ledger and store."""
        client = await SeedreamClient(settings, clock=self.clock).__aenter__()
        return _build_resources(settings, client, self.ledger, self.store, self.clock, self.shared)

    def has_key_of(self, row: JobRecord) -> bool:
        """Return whether the row was made with this key, or with one that is not recorded."""
        mine = key_fingerprint(self.settings.key.get_secret_value())
        return row.key_fingerprint in (None, mine)

    async def take_profile(self, row: JobRecord) -> JobRecord:
        """Record that this profile will send a request that another one has intended."""
        if self.has_key_of(row):
            return row
        key = key_fingerprint(self.settings.key.get_secret_value())
        return await self.ledger.set_profile(row.id, key, self.settings.profile or None)

    async def prune_if_needed(self, more_bytes: int) -> str | None:
        """Remove the oldest delivered images while the store exceeds its size limit.

        Args:
            more_bytes: bytes that were just stored. Computing the size of a large store takes
                milliseconds, so it is only done again after ``CHECK_SHARE`` of the limit.

        Returns:
            A note on what was removed; ``None`` if nothing was.
        """
        limit = int(self.settings.number("SEEDREAM_STORE_GB") * 1e9)
        read = self.shared.take_bytes_read() if self.shared else 0
        self._bytes_since_check += more_bytes + read
        if self._bytes_since_check <= limit * CHECK_SHARE:
            return None
        stored = await self.ledger.sum_stored_bytes()
        self._bytes_since_check = 0
        if stored <= limit:
            return None
        pruned = await self.ledger.prune(self.store, keep_bytes=limit)
        if not pruned.images:
            return None
        size = f"{pruned.bytes / 1e6:.0f}"
        if self.shared is not None:
            return Text("pruned_cache", count=pruned.images, size=size)
        return Text("pruned", count=pruned.images, size=size)

    def workflow_policy(self) -> FetchPolicy:
        """Build the policy for URLs from workflows and the command line."""
        allowed = self.settings.allowed_hosts
        if self.settings.is_built_in_sandbox:
            # The built-in sandbox serves its images at an address of this process.
            allowed |= {urlsplit(self.client.base_url).netloc}
        return FetchPolicy(allowed_hosts=allowed, may_be_private=False)

    async def result_policy(self) -> FetchPolicy:
        """Build the policy for result URLs, which may be private only if the service's host is."""
        is_private = self._service_is_private
        if is_private is None:
            # Name resolution that failed now may succeed next time.
            is_private = self._service_is_private = await self._is_service_private()
        return FetchPolicy(
            allowed_hosts=self.settings.allowed_hosts, may_be_private=bool(is_private)
        )

    async def _is_service_private(self) -> bool | None:
        """Return whether the service's host is private; ``None`` if it cannot be resolved."""
        base = urlsplit(self.client.base_url)
        host = base.hostname or ""
        address = parse_ip_literal(host)
        if is_local_host(host) or address is not None:
            return address is None or not is_public(address)
        if self.client.transport.find_proxy(self.client.base_url) is not None:
            return False
        try:
            found = await resolve(host, base.port or 443)
        except OSError as error:
            log.debug("the service's host was not resolved: %s", error)
            return None
        return not all(is_public(one) for one in found)


async def open_resources(settings: Settings, clock: Clock) -> Resources:
    """Open the resources of a session.

    Raises:
        LedgerFailed: the data folder or the ledger cannot be used.
        ConfigurationError: the bucket of ``SEEDREAM_STORE`` cannot be used with these settings.
    """
    ledger = await asyncio.to_thread(Ledger.open, settings, clock.now)
    try:
        store = ImageStore(settings.home, ledger.owner, ledger.name)
        shared = SharedStore(settings, ledger, store, clock) if settings.store_place else None
        await asyncio.to_thread(store.remove_stale_partials, ledger.is_owner_alive)
        client = await SeedreamClient(settings, clock=clock).__aenter__()
    except BaseException:
        # An owner that stays alive blocks its rows for every other process.
        await asyncio.shield(asyncio.to_thread(ledger.close))
        raise
    return _build_resources(settings, client, ledger, store, clock, shared)


def _build_resources(
    settings: Settings,
    client: SeedreamClient,
    ledger: Ledger,
    store: ImageStore,
    clock: Clock,
    shared: SharedStore | None,
) -> Resources:
    max_downloads = int(settings.number("SEEDREAM_MAX_DOWNLOADS"))
    downloader = Downloader(
        client.transport,
        throttle=Throttle(max_downloads, clock=clock),
        clock=clock,
        service_host=urlsplit(client.base_url).hostname,
    )
    return Resources(
        settings=settings,
        client=client,
        ledger=ledger,
        store=store,
        downloader=downloader,
        uploader=Uploader(settings, ledger, store, downloader, clock=clock),
        poll=PollThrottle(client.get_task, clock=clock),
        clock=clock,
        shared=shared,
    )
