"""The sessions on the pack's loop: one for the current settings, and earlier ones still in use."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...seedream_api.config.settings import load_settings
from ..web.settings import find_home_folder

if TYPE_CHECKING:
    from ...seedream_api.jobs.session import Session
    from ..web.live import TaskEvents


@dataclass(eq=False)
class _Lease:
    session: Session
    live: TaskEvents | None
    users: int = 0

    @property
    def is_in_use(self) -> bool:
        """Whether a node or a route uses it, or a job is running in it."""
        is_sending = self.live is not None and self.live.is_sending
        return bool(self.users or self.session.running_jobs or is_sending)

    @property
    def sandbox_url(self) -> str | None:
        """Where the built-in sandbox serves this session's URLs; they end with its last session."""
        return self.session.profiles.sandbox_url


class SessionPool:
    """Lends sessions; on one event loop.

    A session's settings are fixed, so changed settings open another session. Jobs that started in
    the former session continue there; it is closed once it is no longer in use.

    Args:
        follow: called with a session that was just opened; returns what sends its changes to
            browsers, if anything does.
    """

    def __init__(self, follow: Callable[[Session], TaskEvents | None]) -> None:
        self._follow = follow
        self._opening = asyncio.Lock()
        self._leases: list[_Lease] = []
        """The open sessions; the last one has the current settings."""
        self._closing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def lease(self) -> AsyncGenerator[Session]:
        """Lend the session of the current settings, open at least for the block.

        Raises:
            SeedreamError: a setting is not allowed, or the data folder cannot be used.
        """
        async with self._opening:
            lease = await self._get_current()
            lease.users += 1
        try:
            yield lease.session
        finally:
            lease.users -= 1
            self._close_idle()

    async def _get_current(self) -> _Lease:
        await asyncio.to_thread(import_client)
        from ...seedream_api.jobs.session import Session

        settings = await asyncio.to_thread(load_settings, find_home_folder())
        for lease in self._leases:
            if lease.session.settings == settings and not lease.session.ledger.is_unusable:
                self._leases.remove(lease)
                self._leases.append(lease)
                return lease
        session = await Session(settings).__aenter__()
        self._leases.append(_Lease(session, self._follow(session)))
        return self._leases[-1]

    def _close_idle(self) -> None:
        """Close sessions of earlier settings that are not in use, but keep one of each sandbox."""
        for lease in [one for one in self._leases[:-1] if not one.is_in_use]:
            others = {one.sandbox_url for one in self._leases if one is not lease}
            if lease.sandbox_url is not None and lease.sandbox_url not in others:
                continue
            self._leases.remove(lease)
            closing = asyncio.create_task(lease.session.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def close(self, *, patience_s: float) -> None:
        """Close all sessions; see ``Session.close``."""
        every, self._leases = self._leases, []
        for lease in every:
            await lease.session.close(patience_s=patience_s)
        await asyncio.gather(*self._closing, return_exceptions=True)


def import_client() -> None:
    """Import all modules that jobs need, which takes half a second the first time."""
    for module in ("collect", "generate", "load_urls", "session", "upload_references"):
        importlib.import_module(f"...seedream_api.jobs.{module}", __package__)
