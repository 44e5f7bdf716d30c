"""The sessions on the pack's loop: one for the present settings, and earlier ones still in use."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...seedream_api.config.settings import load_settings
from ..web.settings import home_folder

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
        """Whether a node or a route uses it, or work is under way in it."""
        is_telling = self.live is not None and self.live.is_telling
        return bool(self.users or self.session.running_jobs or is_telling)

    @property
    def sandbox_url(self) -> str | None:
        """Where the built-in sandbox serves the links of this session; they end with its last."""
        is_built_in = self.session.settings.is_built_in_sandbox
        return self.session.client.base_url if is_built_in else None


class SessionPool:
    """Lends sessions; on one event loop.

    A session's settings are fixed, so a change of the settings makes another one. Work that was
    begun in the one before goes on there; it is closed once nothing of it is in use.

    Args:
        follow: given a session that was just opened; gives what tells browsers of it, if anything.
    """

    def __init__(self, follow: Callable[[Session], TaskEvents | None]) -> None:
        self._follow = follow
        self._opening = asyncio.Lock()
        self._lent: list[_Lease] = []
        """Open ones; the last is that of the present settings."""
        self._closing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def lease(self) -> AsyncGenerator[Session]:
        """The session of the present settings, open for as long as the block lasts.

        Raises:
            SeedreamError: a setting is not allowed, or the home folder cannot be used.
        """
        async with self._opening:
            lent = await self._present()
            lent.users += 1
        try:
            yield lent.session
        finally:
            lent.users -= 1
            self._close_idle()

    async def _present(self) -> _Lease:
        await asyncio.to_thread(_import_client)
        from ...seedream_api.jobs.session import Session

        settings = await asyncio.to_thread(load_settings, home_folder())
        for lent in self._lent:
            if lent.session.settings == settings and not lent.session.ledger.is_unusable:
                self._lent.remove(lent)
                self._lent.append(lent)
                return lent
        session = await Session(settings).__aenter__()
        self._lent.append(_Lease(session, self._follow(session)))
        return self._lent[-1]

    def _close_idle(self) -> None:
        """Close what is of earlier settings and not in use; of a sandbox, one session stays."""
        for lent in [one for one in self._lent[:-1] if not one.is_in_use]:
            others = {one.sandbox_url for one in self._lent if one is not lent}
            if lent.sandbox_url is not None and lent.sandbox_url not in others:
                continue
            self._lent.remove(lent)
            closing = asyncio.create_task(lent.session.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def close(self, *, patience_s: float) -> None:
        """Close all; see ``Session.close``."""
        every, self._lent = self._lent, []
        for lent in every:
            await lent.session.close(patience_s=patience_s)
        await asyncio.gather(*self._closing, return_exceptions=True)


def _import_client() -> None:
    """Everything that the nodes' work imports, which takes half a second the first time."""
    for module in ("collect", "generate", "load_urls", "session", "upload_references"):
        importlib.import_module(f"...seedream_api.jobs.{module}", __package__)
