"""When to look at a task again, and the loop that does. Clock and sleep are passed in.

A look costs the service a question to its provider, so looks are early at first, seldom while the
task surely still runs, close together around the time that this model took before, and then ever
rarer: never faster than 1 s nor slower than 10 s. :class:`Looks` holds everybody of a process to
that, also those who come from outside the loop.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from ..callbacks import call_back
from ..errors import InvalidRequest, NotSent, ReadFailed, TaskNotFound, WaitTimedOut
from ..messages import Text
from ..network.retry import READING, RetryBudget
from .models import Task

FASTEST_S = 1.0
SLOWEST_S = 10.0
LONGEST_WAIT_S = 604_800.0
NOT_FOUND_S = 60.0
"""How long a task that is known to exist may be answered with 404 in a row: a new one may not be
known yet everywhere at the service, and a replica may lag behind. On the monotonic clock."""


@dataclass(frozen=True)
class PollSchedule:
    """How often to look.

    Args:
        typical_s: how long this model's tasks took before, ``None`` where none is known.
        jitter: gives a number from 0 to 1.
    """

    typical_s: float | None = None
    jitter: Callable[[], float] = random.random

    def next_delay_s(self, age_s: float) -> float:
        """Seconds until the next look at a task of this age."""
        if self.typical_s is None:
            step = age_s * 0.15
        elif age_s < 0.8 * self.typical_s:
            # Half of what is left: sure to arrive a little before it is due.
            step = (0.8 * self.typical_s - age_s) / 2
        else:
            step = max(0.05 * self.typical_s, (age_s - self.typical_s) * 0.25)
        return min(SLOWEST_S, max(FASTEST_S, step * (0.9 + 0.2 * self.jitter())))


@dataclass
class _Turn:
    """Whose turn it is to look at one task."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    last: float = float("-inf")
    """When the latest look began."""


class PollThrottle:
    """Reads of tasks: of one task one at a time and a second apart, whoever asks.

    Args:
        look: one free request for a task.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        poll: Callable[[str], Awaitable[Task]],
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._poll = poll
        self._clock = clock
        self._sleep = sleep
        self._turns: dict[str, _Turn] = {}

    async def __call__(self, task_id: str, begins: Callable[[], None] = lambda: None) -> Task:
        """Look once it is our turn, which ``begins`` is told; raises what the look raises."""
        turn = self._turns.setdefault(task_id, _Turn())
        turn.users += 1
        try:
            async with turn.lock:
                while (left := turn.last + FASTEST_S - self._clock()) > 0:
                    await self._sleep(left)
                turn.last = self._clock()
                begins()
                return await self._poll(task_id)
        finally:
            turn.users -= 1
            self._forget_old()

    def _forget_old(self) -> None:
        old = self._clock() - FASTEST_S
        for task_id, turn in list(self._turns.items()):
            if not turn.users and turn.last <= old:
                del self._turns[task_id]


class PollSignal:
    """What others want of a wait that is under way: a look now, and what it saw.

    Args:
        sleep: of the wait.
    """

    def __init__(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._sleep = sleep
        self._asked = asyncio.Event()
        self._next = self._future()
        self._under_way = self._future()
        self._is_blind = False

    @staticmethod
    def _future() -> asyncio.Future[bool]:
        return asyncio.get_running_loop().create_future()

    def request_poll(self) -> asyncio.Future[bool]:
        """Whether the task still runs, as the next look sees it that begins, which is soon now.

        While the service does not answer, nobody looks sooner: then it is taken to run.
        """
        if self._is_blind:
            blind = self._future()
            blind.set_result(True)
            return blind
        self._asked.set()
        return self._next

    def poll_started(self) -> None:
        """A look begins: it answers all who have asked until now."""
        self._under_way, self._next = self._next, self._future()
        self._asked.clear()

    def poll_finished(self, *, still_runs: bool) -> None:
        """The look under way has ended."""
        if not self._under_way.done():
            self._under_way.set_result(still_runs)
        self._is_blind = False

    def poll_failed(self) -> None:
        """It has failed; the next one comes when the service may answer again."""
        self.poll_finished(still_runs=True)
        self._is_blind = True

    def polled_elsewhere(self) -> None:
        """Somebody else works on the task: nobody looks here, and it is taken to run."""
        self.poll_started()
        self.poll_finished(still_runs=True)

    async def sleep_until_woken(self, seconds: float) -> None:
        """Pause between two looks, until somebody asks for one."""
        pauses = [
            asyncio.ensure_future(self._sleep(seconds)),
            asyncio.ensure_future(self._asked.wait()),
        ]
        try:
            await asyncio.wait(pauses, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pause in pauses:
                pause.cancel()


def wait_limit_s(timeout_s: float | None, default_s: float) -> float:
    """How long to wait, as the caller says or by default.

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
    clock: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
    sleep_until_woken: Callable[[float], Awaitable[None]] | None = None,
    age_s: float = 0.0,
    is_known: bool = True,
    on_poll: Callable[[Task], None] = lambda task: None,
) -> Task:
    """Look until the task is completed or failed, or until ``timeout_s`` from now.

    Args:
        look: one free request for the task.
        doze: pauses between two looks that went well, and may be cut short; by default ``sleep``.
        age_s: how old the task is now.
        is_known: whether the task is known to exist, ours or seen before; the id of any other may
            be a typing error, which its first 404 settles.
        on_look: told of every look.

    Raises:
        WaitTimedOut: it still runs.
        ReadFailed, NotSent: every look failed for longer than blips are given.
        TaskNotFound: the service does not know it, for a known task for ``NOT_FOUND_S`` in a row.
    """
    begun = clock()
    budget = RetryBudget(clock)
    word = "unknown"
    missing_since: float | None = None
    while True:
        age = age_s + clock() - begun
        rest = sleep_until_woken or sleep
        try:
            task = await poll()
            budget, word = RetryBudget(clock), task.raw_status
            is_known, missing_since = True, None
            call_back(on_poll, task)
            if task.status.is_terminal:
                return task
            pause = schedule.next_delay_s(age)
        except TaskNotFound:
            missing_since = clock() if missing_since is None else missing_since
            if not is_known or clock() - missing_since > NOT_FOUND_S:
                raise
            pause = schedule.next_delay_s(age)
        except (ReadFailed, NotSent) as error:
            wanted = error.retry_after_s if isinstance(error, ReadFailed) else None
            again = budget.next_delay(READING, wanted, timeout_s - (clock() - begun))
            if again is None:
                raise
            pause, rest = max(FASTEST_S, again), sleep
        left = timeout_s - (clock() - begun)
        if left <= 0:
            raise WaitTimedOut(
                "wait_timed_out", task_id=task_id, word=word, waited=round(timeout_s)
            )
        await rest(min(pause, max(left, 0.001)))
