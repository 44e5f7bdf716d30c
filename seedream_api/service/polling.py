"""When to poll a task again, and the loop that does.

A poll costs the service a question to its provider. So polls are early at first, rare while the
task definitely still runs, close together around the time that this model took before, and then
ever rarer: never faster than 1 s nor slower than 10 s. :class:`PollThrottle` holds every caller of
a process to that, also those outside the loop.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from ..callbacks import call_back
from ..errors import InvalidRequest, NotSent, ReadFailed, TaskNotFound, WaitTimedOut
from ..messages import Text
from ..network.clock import Clock
from ..network.retry import READING, RetryBudget
from .task import Task

log: logging.Logger = logging.getLogger("seedream")

FASTEST_S = 1.0
SLOWEST_S = 10.0
LONGEST_WAIT_S = 604_800.0
NOT_FOUND_S = 60.0
"""How long a known task may give 404 in a row: a new one may not be known everywhere at the service
yet, and a replica may lag behind. On the monotonic clock."""


@dataclass(frozen=True)
class PollSchedule:
    """How often to poll.

    Args:
        typical_s: how long this model's tasks took before, ``None`` where none is known.
        jitter: gives a number from 0 to 1.
    """

    typical_s: float | None = None
    jitter: Callable[[], float] = random.random

    def next_delay_s(self, age_s: float) -> float:
        """Compute the seconds until the next poll of a task of this age."""
        if self.typical_s is None:
            step = age_s * 0.15
        elif age_s < 0.8 * self.typical_s:
            # Half of what is left: the last poll of these comes a little before the task is due.
            step = (0.8 * self.typical_s - age_s) / 2
        else:
            step = max(0.05 * self.typical_s, (age_s - self.typical_s) * 0.25)
        return min(SLOWEST_S, max(FASTEST_S, step * (0.9 + 0.2 * self.jitter())))


@dataclass
class _Turn:
    """Who may poll one task now."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    last: float = float("-inf")
    """When the latest poll began."""


class PollThrottle:
    """Polls each task one at a time and a second apart, for every caller.

    Args:
        poll: one free request for a task.
    """

    def __init__(self, poll: Callable[[str], Awaitable[Task]], *, clock: Clock) -> None:
        self._poll = poll
        self._clock = clock
        self._turns: dict[str, _Turn] = {}

    async def __call__(self, task_id: str, begins: Callable[[], None] = lambda: None) -> Task:
        """Poll at this caller's turn, calling ``begins`` just before; raise as the poll does."""
        turn = self._turns.setdefault(task_id, _Turn())
        turn.users += 1
        try:
            async with turn.lock:
                while (left := turn.last + FASTEST_S - self._clock.monotonic()) > 0:
                    await self._clock.sleep(left)
                turn.last = self._clock.monotonic()
                begins()
                return await self._poll(task_id)
        finally:
            turn.users -= 1
            self._forget_old()

    def _forget_old(self) -> None:
        old = self._clock.monotonic() - FASTEST_S
        for task_id, turn in list(self._turns.items()):
            if not turn.users and turn.last <= old:
                del self._turns[task_id]


class PollSignal:
    """Wakes a wait for its next poll, and passes on what that poll showed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._woken = asyncio.Event()
        self._requests: list[asyncio.Future[bool]] = []
        self._served: list[asyncio.Future[bool]] = []
        """Requests that the poll under way serves."""
        self._is_failing = False

    def request_poll(self) -> asyncio.Future[bool]:
        """Request a poll now; the future tells whether the task still runs.

        While polls fail, none is made earlier, and the task counts as running.
        """
        request: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if self._is_failing:
            request.set_result(True)
        else:
            self._requests.append(request)
            self._woken.set()
        return request

    def poll_started(self) -> None:
        """Let the poll that starts now serve all requests made until now."""
        self._served += self._requests
        self._requests = []
        self._woken.clear()

    def poll_finished(self, *, still_runs: bool) -> None:
        """Pass on what the poll showed."""
        for request in self._served:
            if not request.done():
                request.set_result(still_runs)
        self._served = []
        self._is_failing = False

    def poll_failed(self) -> None:
        """Note a failed poll; the next one comes when the service may respond again."""
        self.poll_finished(still_runs=True)
        self._is_failing = True

    def polled_elsewhere(self) -> None:
        """Note that another job polls the task: it counts as running here."""
        self.poll_started()
        self.poll_finished(still_runs=True)

    async def sleep_until_woken(self, seconds: float) -> None:
        """Sleep between two polls, until a poll is requested."""
        pauses = [
            asyncio.ensure_future(self._clock.sleep(seconds)),
            asyncio.ensure_future(self._woken.wait()),
        ]
        try:
            await asyncio.wait(pauses, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pause in pauses:
                pause.cancel()


def wait_limit_s(timeout_s: float | None, default_s: float) -> float:
    """Return how long to wait: as the caller says, or by default.

    Raises:
        InvalidRequest: it is not a number of seconds above 0.
    """
    if timeout_s is None:
        return default_s
    given: Any = timeout_s
    is_number = isinstance(given, Real) and given is not True
    if is_number and 0 < float(given) <= LONGEST_WAIT_S:
        return float(given)
    raise InvalidRequest(
        "value_malformed",
        field="timeout_s",
        given=given,
        reason=Text("not_seconds"),
        allowed=Text("seconds_range", most=f"{LONGEST_WAIT_S:.0f}"),
    )


async def wait_for_task(
    poll: Callable[[], Awaitable[Task]],
    *,
    task_id: str,
    schedule: PollSchedule,
    timeout_s: float,
    clock: Clock,
    sleep_until_woken: Callable[[float], Awaitable[None]] | None = None,
    age_s: float = 0.0,
    is_known: bool = True,
    on_poll: Callable[[Task], None] = lambda task: None,
) -> Task:
    """Poll until the task is completed or failed, or until ``timeout_s`` from now.

    Args:
        poll: one free request for the task.
        sleep_until_woken: sleeps between two polls that succeeded, and may be cut short; by
            default ``clock.sleep``.
        age_s: how old the task is now.
        is_known: whether the task is known to exist, ours or seen before; the id of any other may
            be mistyped, which its first 404 settles.
        on_poll: called after every poll.

    Raises:
        WaitTimedOut: it still runs.
        ReadFailed, NotSent: every poll failed for longer than blips are given.
        TaskNotFound: the service does not know it, for a known task for ``NOT_FOUND_S`` in a row.
    """
    waiting = _Waiting(clock, clock.monotonic() + timeout_s, is_known)
    begun = clock.monotonic()
    while True:
        age = age_s + clock.monotonic() - begun
        rest = sleep_until_woken or clock.sleep
        try:
            task = await poll()
            waiting.note_task(task)
            call_back(on_poll, task)
            if task.status.is_terminal:
                return task
            pause = schedule.next_delay_s(age)
        except TaskNotFound:
            if waiting.is_gone():
                raise
            pause = schedule.next_delay_s(age)
        except (ReadFailed, NotSent) as error:
            pause, rest = waiting.delay_after(error), clock.sleep
            log.info("task %s: a poll failed; polling again in %.1f s", task_id, pause)
        left = waiting.left_s()
        if left <= 0:
            word, waited = waiting.word, round(timeout_s)
            raise WaitTimedOut("wait_timed_out", task_id=task_id, word=word, waited=waited)
        await rest(min(pause, max(left, 0.001)))


class _Waiting:
    """What the polls of one wait have shown so far."""

    def __init__(self, clock: Clock, ends: float, is_known: bool) -> None:
        self._clock = clock
        self._ends = ends
        self._is_known = is_known
        self._budget = RetryBudget(clock)
        self._missing_since: float | None = None
        self.word = "unknown"

    def left_s(self) -> float:
        return self._ends - self._clock.monotonic()

    def note_task(self, task: Task) -> None:
        self._budget, self.word = RetryBudget(self._clock), task.raw_status
        self._is_known, self._missing_since = True, None

    def is_gone(self) -> bool:
        """Note that the service does not know the task; return whether that is final."""
        now = self._clock.monotonic()
        self._missing_since = now if self._missing_since is None else self._missing_since
        return not self._is_known or now - self._missing_since > NOT_FOUND_S

    def delay_after(self, error: ReadFailed | NotSent) -> float:
        """Return the seconds until the next poll, or raise ``error`` if the retries are used up."""
        wanted = error.retry_after_s if isinstance(error, ReadFailed) else None
        again = self._budget.next_delay(READING, wanted, self.left_s())
        if again is None:
            raise error
        return max(FASTEST_S, again)
