"""Which failures may be retried, when, and within what total time. Nothing here waits.

A paid POST is retried only if it was definitely not accepted; the caller of
:meth:`RetryBudget.next_delay` has checked that. Budgets are total times, because users notice time,
not attempts. They limit when the last attempt may start, and never interrupt one.
"""

from __future__ import annotations

import email.utils
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .clock import Clock

MAX_RETRY_AFTER_S = 300.0
"""A longer ``Retry-After`` is ignored."""


@dataclass(frozen=True)
class RetryPolicy:
    """How long and how often one kind of failure may be retried."""

    first_s: float
    longest_s: float
    total_s: float
    attempts: int = 1_000

    def __post_init__(self) -> None:
        if not 0 < self.first_s <= self.longest_s:
            raise ValueError(f"{self} waits for no time or backwards")


CONNECTING = RetryPolicy(first_s=0.5, longest_s=8.0, total_s=20.0)
RATE_LIMITED = RetryPolicy(first_s=2.0, longest_s=30.0, total_s=180.0)
NO_CHANNEL = RetryPolicy(first_s=2.0, longest_s=10.0, total_s=30.0, attempts=3)
READING = RetryPolicy(first_s=1.0, longest_s=10.0, total_s=120.0)
DOWNLOADING = RetryPolicy(first_s=0.5, longest_s=8.0, total_s=90.0)
NEW_LINK = RetryPolicy(first_s=0.5, longest_s=4.0, total_s=30.0)
"""A new result URL may not work everywhere at first."""
UPLOADING = RetryPolicy(first_s=1.0, longest_s=15.0, total_s=90.0, attempts=6)
UPLOAD_PROPAGATION = RetryPolicy(first_s=0.5, longest_s=2.0, total_s=6.0)
"""The URL of a new upload may not work everywhere at first."""


@dataclass
class RetryBudget:
    """The remaining retry budgets of one request.

    Args:
        jitter: returns a number from 0 to 1; spreads out clients that failed together.
    """

    clock: Clock
    jitter: Callable[[], float] = random.random
    _since: dict[RetryPolicy, float] = field(default_factory=dict[RetryPolicy, float])
    _tries: dict[RetryPolicy, int] = field(default_factory=dict[RetryPolicy, int])

    def next_delay(
        self,
        policy: RetryPolicy,
        retry_after_s: float | None = None,
        left_s: float | None = None,
    ) -> float | None:
        """Return the seconds to wait before the next attempt; ``None`` if the budget is used up.

        Args:
            retry_after_s: the delay that the service asks for. One shorter than the policy's first
                delay has no effect: ``Retry-After: 0`` must not cause hundreds of requests.
            left_s: the time that the caller has left. A delay that the service asks for may take
                all of it, and does not use up the budget.
        """
        now = self.clock.monotonic()
        since = self._since.setdefault(policy, now)
        tries = self._tries[policy] = self._tries.get(policy, 0) + 1
        step = min(policy.longest_s, policy.first_s * 2.0 ** min(tries - 1, 16))
        pause = step * (0.5 + 0.5 * self.jitter())
        is_asked = retry_after_s is not None and retry_after_s >= policy.first_s
        if retry_after_s is not None:
            # A little more than asked, so that not all clients retry at the same time.
            asked = retry_after_s + min(1.0, policy.first_s) * self.jitter()
            pause = asked if is_asked else max(asked, pause)
        if tries >= policy.attempts:
            return None
        if is_asked and left_s is not None:
            self._since[policy] = since + pause
            return pause if pause <= left_s else None
        return pause if now - since + pause <= policy.total_s else None

    def elapsed_s(self, policy: RetryPolicy) -> int:
        """Return the whole seconds since the first failure of this kind."""
        return round(self.clock.monotonic() - self._since.get(policy, self.clock.monotonic()))


def parse_retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Parse ``retry-after-ms`` or ``Retry-After`` (seconds or HTTP date) to seconds from ``now``.

    Args:
        headers: with lower-case names.
        now: wall-clock seconds since the epoch.
    """
    millis = _parse_number(headers.get("retry-after-ms"))
    seconds = millis / 1000 if millis is not None else _parse_number(headers.get("retry-after"))
    if seconds is None and headers.get("retry-after"):
        try:
            seconds = email.utils.parsedate_to_datetime(headers["retry-after"]).timestamp() - now
        except (ValueError, TypeError, OverflowError):
            return None
        seconds = max(0.0, seconds)
    return seconds if seconds is not None and 0 <= seconds <= MAX_RETRY_AFTER_S else None


def _parse_number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None
