"""Fetch what was paid for and not delivered, as after a crash; nothing is ever submitted.

A round collects every unfinished row that no live process works on. Each task is polled once per
round, so a round ends soon; the next one continues with what still runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

from ..config.settings import Settings
from ..errors import (
    AuthenticationFailed,
    ConfigurationError,
    LedgerFailed,
    NotSent,
    ReadFailed,
    SeedreamError,
    WaitTimedOut,
)
from ..kept_response import KeptResponse
from ..ledger.records import JobRecord
from ..ledger.states import RECOVERABLE_STATES, STORED_STATES, State, key_fingerprint
from ..messages import Text
from .profiles import find_maker
from .registry import get_or_start
from .resources import Resources
from .results import Origin
from .session import Session
from .sources import JobSource, KnownRow, KnownTask

log: logging.Logger = logging.getLogger("seedream")

RETRY_S = 300.0
"""After the first failure of a row; doubled after each further one."""
LONGEST_RETRY_S = 6 * 3600.0
SPREAD_S = 0.5
"""Rows begin at random moments within this time, so that they do not reach the service at once."""
MAX_UNREACHED = 3
"""After so many rows in a row that could not be asked about, the round ends."""
_UNREACHED = (AuthenticationFailed, ConfigurationError, NotSent, ReadFailed)
"""Errors that other rows of the round would probably have too."""


@dataclass
class Attempts:
    """What earlier rounds of this process tried in vain.

    Args:
        clock: returns monotonic seconds.
    """

    clock: Callable[[], float]
    _failures: dict[int, int] = field(default_factory=dict[int, int])
    _due_at: dict[int, float] = field(default_factory=dict[int, float])

    def is_due(self, row_id: int) -> bool:
        return self.clock() >= self._due_at.get(row_id, float("-inf"))

    def count(self, row_id: int) -> int:
        """Count the failures of a row; those without any are collected first."""
        return self._failures.get(row_id, 0)

    def note_failure(self, row_id: int, *, is_final: bool) -> None:
        """Postpone the next attempt, or rule it out until the process starts again."""
        count = self._failures[row_id] = self._failures.get(row_id, 0) + 1
        pause = min(LONGEST_RETRY_S, RETRY_S * 2.0 ** min(count - 1, 16))
        self._due_at[row_id] = float("inf") if is_final else self.clock() + pause

    def postpone(self, row_id: int) -> None:
        """Postpone the next attempt after an error that says nothing about the row."""
        self._failures[row_id] = self._failures.get(row_id, 0) + 1
        self._due_at[row_id] = self.clock() + RETRY_S

    def note_success(self, row_id: int) -> None:
        self._failures.pop(row_id, None)
        self._due_at.pop(row_id, None)

    def clear(self) -> None:
        """Make every row due, because a person asks for it."""
        self._due_at.clear()


@dataclass(frozen=True)
class Recovered:
    """What a round did, by the numbers of the rows.

    Args:
        images: how many images came.
        running: what the service, or another process, still works on.
        ended: what the service made no image for.
        failed: why nothing could be fetched now.
        waiting: failed before, and not due in this round.
        other_key, other_address: rows of a key, or of an address, that no profile has.
        shared, unshared: how many files the shared store got now, and how many of this machine it
            still lacks.
    """

    stored: tuple[int, ...] = ()
    images: int = 0
    running: tuple[int, ...] = ()
    ended: tuple[int, ...] = ()
    failed: dict[int, SeedreamError] = field(default_factory=dict[int, SeedreamError])
    waiting: tuple[int, ...] = ()
    other_key: tuple[int, ...] = ()
    other_address: tuple[int, ...] = ()
    shared: int = 0
    unshared: int = 0


@dataclass
class _Round:
    """A round in progress."""

    session: Session
    attempts: Attempts
    stored: list[int] = field(default_factory=list[int])
    images: int = 0
    bytes: int = 0
    running: list[int] = field(default_factory=list[int])
    ended: list[int] = field(default_factory=list[int])
    failed: dict[int, SeedreamError] = field(default_factory=dict[int, SeedreamError])
    unreached: dict[str, list[SeedreamError]] = field(
        default_factory=dict[str, list[SeedreamError]]
    )
    """By profile: the errors since the service was last reached."""

    async def collect(self, row: JobRecord) -> None:
        """Collect one row; another process or job that works on it keeps it."""
        session = self.session
        resources = await session.profiles.get(_find_profile(row, session.settings))
        unreached = self.unreached.setdefault(resources.settings.profile, [])
        if len(unreached) >= MAX_UNREACHED:
            self.failed[row.id] = unreached[-1]
            return
        key, source = _to_source(row, resources.settings)
        timeout_s = session.settings.number("SEEDREAM_TIMEOUT_S")
        job, is_joined = get_or_start(session, key, source, resources, timeout_s)
        if is_joined:
            self.running.append(row.id)
            return
        job.add_waiter(None)
        try:
            await asyncio.wait({job.task})
        finally:
            job.remove_waiter(None)
        if job.task.cancelled():
            self.running.append(row.id)
            return
        error = job.task.exception()
        if error is None:
            failures = list(job.download_failures.values())
            error = failures[0] if failures else None
        if isinstance(error, _UNREACHED):
            unreached.append(error)
            self.attempts.postpone(row.id)
            self.failed[row.id] = error
            return
        unreached.clear()
        if error is None:
            await self._note_end(job.task.result(), job.origin)
        elif isinstance(error, SeedreamError):
            await self._note_error(row, error)
        else:
            raise error

    async def _note_end(self, row: JobRecord, origin: Origin) -> None:
        self.attempts.note_success(row.id)
        if origin is not Origin.RESUMED:
            return  # another process was faster
        images = await self.session.ledger.list_images(row.id)
        self.stored.append(row.id)
        self.images += sum(image.file is not None for image in images)
        self.bytes += sum(image.bytes for image in images if image.file is not None)

    async def _note_error(self, row: JobRecord, error: SeedreamError) -> None:
        if isinstance(error, WaitTimedOut):
            self.running.append(row.id)
            return
        state = (await self.session.ledger.get_record(row.id)).state
        if state in RECOVERABLE_STATES or state is State.UNKNOWN:
            self.attempts.note_failure(row.id, is_final=state is State.UNKNOWN)
            self.failed[row.id] = error
        elif state not in STORED_STATES:
            self.ended.append(row.id)


async def recover(session: Session, attempts: Attempts) -> Recovered:
    """Collect every unfinished row once that a profile has the key of, a few at a time.

    Raises:
        LedgerFailed: the ledger cannot be read.
    """
    session.check_usable()
    resources = session.resources
    rows = await resources.ledger.list_recoverable()
    reasons = {row.id: find_reason_left(row, session.settings) for row in rows}
    mine = [row for row in rows if reasons[row.id] is None]
    due = [row for row in mine if attempts.is_due(row.id)]
    due_ids = {row.id for row in due}
    due.sort(key=lambda row: attempts.count(row.id))
    current = _Round(session, attempts)
    places = asyncio.Semaphore(int(session.settings.number("SEEDREAM_MAX_DOWNLOADS")))

    async def collect_one(row: JobRecord) -> None:
        async with places:
            await resources.clock.sleep(random.uniform(0, SPREAD_S))  # noqa: S311 - spreads requests
            try:
                await current.collect(row)
            except (ConfigurationError, LedgerFailed) as error:
                attempts.note_failure(row.id, is_final=False)
                current.failed[row.id] = error

    await asyncio.gather(*map(collect_one, due))
    if current.bytes:
        await resources.prune_if_needed(current.bytes)
    shared, unshared = await _share_rest(resources)
    return Recovered(
        stored=tuple(current.stored),
        images=current.images,
        running=tuple(current.running),
        ended=tuple(current.ended),
        failed=current.failed,
        waiting=tuple(row.id for row in mine if row.id not in due_ids),
        other_key=tuple(one for one, reason in reasons.items() if reason == "other_key"),
        other_address=tuple(one for one, reason in reasons.items() if reason == "other_address"),
        shared=shared,
        unshared=unshared,
    )


async def _share_rest(resources: Resources) -> tuple[int, int]:
    """Put files into the shared store that it lacks, as after a failure; log an unusable ledger."""
    if resources.shared is None:
        return 0, 0
    try:
        return await resources.shared.share_rest()
    except LedgerFailed as failed:
        log.warning("stored files were not shared: %s", failed.summary("en"))
        return 0, 0


def find_reason_left(row: JobRecord, settings: Settings) -> str | None:
    """Find why recovery leaves a row alone: ``other_address`` or ``other_key``; else ``None``."""
    if _find_profile(row, settings) is not None:
        return None
    return "other_key" if row.address in _list_addresses(settings) else "other_address"


def _find_profile(row: JobRecord, settings: Settings) -> str | None:
    """Find the profile with the key and address of a row; a key that is not recorded may be any."""
    if row.key_fingerprint is not None:
        return find_maker(row, settings)
    return settings.profile if settings.address == row.address else None


def _list_addresses(settings: Settings) -> set[str]:
    """List the addresses of all profiles, except those that are not allowed."""
    found = {settings.address}
    for name in settings.profiles:
        with contextlib.suppress(ConfigurationError):
            found.add(settings.for_profile(name).address)
    return found


def has_hint(row: JobRecord, responses: Sequence[KeptResponse]) -> bool:
    """Tell whether something of an *unknown* row can be tried again."""
    return row.task_id is not None or bool(responses)


def describe_search(row: JobRecord) -> Text:
    """Describe what a person can search for at the service, for a row with an unknown outcome."""
    sent = datetime.fromtimestamp(row.sent_at or row.created_at, tz=timezone.utc).astimezone()
    return Text(
        "search_at_service",
        entry=row.id,
        model=row.model or "?",
        when=f"{sent:%Y-%m-%d %H:%M:%S}",
        request_id=row.request_id or "-",
    )


def _to_source(row: JobRecord, settings: Settings) -> tuple[str, JobSource]:
    """Build the key and the source of the job that collects a row."""
    if row.task_id is None:
        return f"entry:{row.id}", KnownRow(row.id, polls_once=True)
    key = row.key_fingerprint or key_fingerprint(settings.key.get_secret_value())
    return f"task:{row.task_id}", KnownTask(row.task_id, row.address, key, polls_once=True)
