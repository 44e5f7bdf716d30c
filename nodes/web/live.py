"""Send browsers the changes of this process's jobs, live."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...seedream_api.errors import LedgerFailed
from .panel import job_json
from .settings import log

if TYPE_CHECKING:
    from ...seedream_api.jobs.job import Job
    from ...seedream_api.jobs.session import Session

EVENT = "seedream.task"
RECOVERED_EVENT = "seedream.recovered"
"""Sent once per round of recovery that fetched images or found ended tasks. Its data are ``id``,
``tasks`` (numbers of the jobs whose images came), ``images`` (their count), ``running``, ``ended``,
``waiting``, ``other_key`` and ``other_address`` (numbers of jobs), and ``failed``: a text in ``en``
and ``zh`` by the number of the job."""
PAUSE_S = 0.2
"""Between two rounds: progress arrives in bursts, faster than a person can read."""


class TaskEvents:
    """Reads the rows that have changed and sends them, each once per round.

    Args:
        send: takes the event's name and its JSON; must not block.
    """

    def __init__(self, session: Session, send: Callable[[str, dict[str, Any]], None]) -> None:
        self._session = session
        self._send = send
        self._changed: dict[int, Job] = {}
        self._round: asyncio.Task[None] | None = None

    @property
    def is_sending(self) -> bool:
        """Whether changes are still to be read and sent."""
        return self._round is not None and not self._round.done()

    def note_change(self, job: Job) -> None:
        """Note that a job has changed its row or made progress; call it on the session's loop."""
        if job.row is None:
            return
        self._changed[job.row.id] = job
        if not self.is_sending:
            self._round = asyncio.create_task(self._send_changes())

    async def _send_changes(self) -> None:
        ledger = self._session.ledger
        while self._changed and not self._session.is_closing:
            jobs, self._changed = self._changed, {}
            for row_id, job in jobs.items():
                if self._session.is_closing:
                    return
                try:
                    found = await ledger.get_job(row_id)
                except LedgerFailed as failed:
                    log.debug("a change was not sent to browsers: %s", failed.key)
                    continue
                if found is not None:
                    self._send(EVENT, job_json(found, job.latest))
            await asyncio.sleep(PAUSE_S)
