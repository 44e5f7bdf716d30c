"""When to look at a task again, and the loop that does. Clock and sleep are passed in.

A look costs the service a question to its provider, so looks are early at first, seldom while the
task surely still runs, close together around the time that this model took before, and then ever
rarer: never faster than 1 s nor slower than 10 s.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from .errors import NotSent, ReadFailed, TaskNotFound, WaitTimedOut
from .models import Task
from .retries import READING, Patience

FASTEST_S = 1.0
SLOWEST_S = 10.0
NEW_TASK_S = 60.0
"""A task this young may not be known yet everywhere at the service: its 404 is given time."""


@dataclass(frozen=True)
class Pace:
    """How often to look.

    Args:
        typical_s: how long this model's tasks took before, ``None`` where none is known.
        jitter: gives a number from 0 to 1.
    """

    typical_s: float | None = None
    jitter: Callable[[], float] = random.random

    def pause_s(self, age_s: float) -> float:
        """Seconds until the next look at a task of this age."""
        if self.typical_s is None:
            step = age_s * 0.15
        elif age_s < 0.8 * self.typical_s:
            # Half of what is left: sure to arrive a little before it is due.
            step = (0.8 * self.typical_s - age_s) / 2
        else:
            step = max(0.05 * self.typical_s, (age_s - self.typical_s) * 0.25)
        return min(SLOWEST_S, max(FASTEST_S, step * (0.9 + 0.2 * self.jitter())))


async def wait_for_task(
    look: Callable[[], Awaitable[Task]],
    *,
    task_id: str,
    pace: Pace,
    timeout_s: float,
    clock: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
    age_s: float = 0.0,
    on_look: Callable[[Task], None] = lambda task: None,
) -> Task:
    """Look until the task is completed or failed, or until ``timeout_s`` from now.

    Args:
        look: one free request for the task.
        age_s: how old the task is now.
        on_look: told of every look.

    Raises:
        WaitTimedOut: it still runs.
        ReadFailed, NotSent: every look failed for longer than blips are given.
        TaskNotFound: the service does not know it, and it is not new.
    """
    begun = clock()
    patience = Patience(clock)
    word = "unknown"
    while True:
        age = age_s + clock() - begun
        try:
            task = await look()
            patience, word = Patience(clock), task.word
            on_look(task)
            if task.status.is_terminal:
                return task
            pause = pace.pause_s(age)
        except TaskNotFound:
            if age > NEW_TASK_S:
                raise
            pause = pace.pause_s(age)
        except (ReadFailed, NotSent) as error:
            wanted = error.retry_after_s if isinstance(error, ReadFailed) else None
            again = patience.pause(READING, wanted)
            if again is None:
                raise
            pause = max(FASTEST_S, again)
        left = timeout_s - (clock() - begun)
        if left <= 0:
            raise WaitTimedOut(
                "wait_timed_out", task_id=task_id, word=word, waited=round(timeout_s)
            )
        await sleep(min(pause, max(left, 0.001)))
