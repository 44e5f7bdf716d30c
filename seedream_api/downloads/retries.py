"""Decide when a download is retried."""

from __future__ import annotations

from ..network.clock import Clock
from ..network.retry import NEW_LINK, RetryBudget
from .transfer import LinkExpired, RetryDownload, Transfer

_GONE_FOR_GOOD = frozenset({410, 451})
_MAX_EQUAL = 3
"""A faulty body that arrives this many times in the same form is final."""


class DownloadRetries:
    """Counts the failures of one download and computes the delays between its attempts.

    Args:
        settle_s: see ``Downloader.fetch``.
    """

    def __init__(self, clock: Clock, settle_s: float) -> None:
        self._clock = clock
        self._settled_at = clock.monotonic() + settle_s
        self._budget = RetryBudget(clock)
        self._furthest = 0
        self._last: tuple[str, int, int] = ("", 0, 0)
        self._taken = self._equal = 0

    def next_delay(self, transfer: Transfer, failure: RetryDownload | LinkExpired) -> float | None:
        """Return the seconds until the next attempt, ``None`` if this one was the last."""
        if transfer.part.size > self._furthest:
            # A connection that breaks but makes progress gets a new budget.
            self._furthest, self._budget = transfer.part.size, RetryBudget(self._clock)
        if isinstance(failure, LinkExpired):
            is_final = failure.http_status in _GONE_FOR_GOOD
            return None if is_final else self._delay_of_new_link()
        fault = (str(failure), transfer.part.size, transfer.taken - self._taken)
        self._equal = self._equal + 1 if fault == self._last else 1
        self._last, self._taken = fault, transfer.taken
        if failure.is_body and self._equal >= _MAX_EQUAL:
            return self._delay_of_new_link()
        return self._budget.next_delay(failure.policy, failure.wait_s)

    def _delay_of_new_link(self) -> float | None:
        """Return the seconds until a new link, which may not be served yet, is retried."""
        pause = self._budget.next_delay(NEW_LINK)
        is_late = pause is None or self._clock.monotonic() + pause > self._settled_at
        return None if is_late else pause
