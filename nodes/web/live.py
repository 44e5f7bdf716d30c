"""Tells browsers what becomes of the entries that this process works on, as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...seedream_api.errors import LedgerFailed
from .panel import entry_json
from .settings import log

if TYPE_CHECKING:
    from ...seedream_api.jobs.job import Job
    from ...seedream_api.jobs.session import Session

EVENT = "seedream.task"
PAUSE_S = 0.2
"""Between two rounds: progress comes in bursts, and a person sees no more."""


class TaskEvents:
    """Reads the rows that have changed and sends them, each once a round.

    Args:
        send: given the event's name and its JSON; must not block.
    """

    def __init__(self, session: Session, send: Callable[[str, dict[str, Any]], None]) -> None:
        self._session = session
        self._send = send
        self._changed: dict[int, Job] = {}
        self._round: asyncio.Task[None] | None = None

    @property
    def is_telling(self) -> bool:
        """Whether something is still to be read and sent."""
        return self._round is not None and not self._round.done()

    def changed(self, job: Job) -> None:
        """A work has moved its row or made progress; on the session's loop."""
        if job.row is None:
            return
        self._changed[job.row.id] = job
        if not self.is_telling:
            self._round = asyncio.create_task(self._rounds())

    async def _rounds(self) -> None:

        ledger = self._session.ledger
        while self._changed and not self._session.is_closing:
            jobs, self._changed = self._changed, {}
            for row_id, work in jobs.items():
                if self._session.is_closing:
                    return
                try:
                    found = await ledger.get_job(row_id)
                except LedgerFailed as failed:
                    log.debug("a change was not told to browsers: %s", failed.key)
                    continue
                if found is not None:
                    self._send(EVENT, entry_json(found, work.latest))
            await asyncio.sleep(PAUSE_S)
