"""When a task is looked at again, and what ends the looking. Time is a number here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from hypothesis import given, strategies as st

from seedream_api.errors import Charge, NotSent, ReadFailed, TaskNotFound, WaitTimedOut
from seedream_api.network.clock import Clock
from seedream_api.network.retry import READING
from seedream_api.service.polling import (
    FASTEST_S,
    NOT_FOUND_S,
    SLOWEST_S,
    PollSchedule,
    wait_for_task,
)
from seedream_api.service.statuses import TaskStatus
from seedream_api.service.task import Task
from support.polling_kit import not_found, read_failed, task

AGES = st.floats(0, 1e6)


TYPICAL = st.none() | st.floats(0, 1e5)


Look = Callable[[float], Task | Exception]
"""What a poll at a moment returns, or raises."""


class Waited:
    """A wait in made-up time: when the looks were, and how it ended."""

    def __init__(
        self,
        look: Look,
        *,
        timeout_s: float = 1800.0,
        age_s: float = 0.0,
        typical_s: float | None = None,
        is_known: bool = True,
    ) -> None:
        self.now = 50.0
        self.looks: list[float] = []
        self.told: list[str] = []
        self.slept: list[float] = []

        async def one_look() -> Task:
            self.looks.append(self.now - 50.0)
            assert len(self.looks) < 10_000
            found = look(self.now - 50.0)
            if isinstance(found, Exception):
                raise found
            return found

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            self.now += seconds

        wait = wait_for_task if is_known else partial(wait_for_task, is_known=False)
        self.wait = wait(
            one_look,
            task_id="task-1",
            schedule=PollSchedule(typical_s, jitter=lambda: 0.5),
            timeout_s=timeout_s,
            clock=Clock(lambda: self.now, sleep),
            age_s=age_s,
            on_poll=lambda task: self.told.append(task.raw_status),
        )

    def run(self) -> Task:
        return asyncio.run(self.wait)  # type: ignore[arg-type]


def done_at(moment: float, before: str = "processing") -> Look:
    return lambda now: task("completed" if now >= moment else before)


# ---- pace ----


@given(age=AGES, typical=TYPICAL, jitter=st.floats(0, 1))
def test_polls_are_one_to_ten_seconds_apart(
    age: float, typical: float | None, jitter: float
) -> None:
    assert FASTEST_S == 1.0 and SLOWEST_S == 10.0
    assert FASTEST_S <= PollSchedule(typical, lambda: jitter).next_delay_s(age) <= SLOWEST_S


@given(typical=TYPICAL, jitter=st.floats(0, 1))
def test_first_look_of_a_fresh_task_is_followed_soon(typical: float | None, jitter: float) -> None:
    pace = PollSchedule(typical, lambda: jitter)
    if typical is None or typical <= 5:
        assert pace.next_delay_s(0.0) <= 2.2


@given(age=st.floats(0, 1e4), later=st.floats(0, 1e4))
def test_without_experience_looks_only_become_rarer(age: float, later: float) -> None:
    pace = PollSchedule(None, lambda: 0.5)
    assert pace.next_delay_s(age) <= pace.next_delay_s(age + later)


def test_looks_crowd_around_the_time_that_tasks_took_before() -> None:
    pace = PollSchedule(60.0, lambda: 0.5)
    early, due, overdue = pace.next_delay_s(5.0), pace.next_delay_s(60.0), pace.next_delay_s(200.0)
    assert early == SLOWEST_S and due == pytest.approx(3.0) and overdue == SLOWEST_S


@pytest.mark.parametrize("typical", [3.0, 15.0, 45.0, 92.0, 300.0])
def test_typical_task_is_seen_soon_with_few_polls(typical: float) -> None:
    waited = Waited(done_at(typical), typical_s=typical)
    assert waited.run().status is TaskStatus.COMPLETED
    assert waited.looks[-1] - typical <= max(2.0, 0.1 * typical)
    assert len(waited.looks) <= 8 + typical / 9


@pytest.mark.parametrize("moment", [1.0, 10.0, 40.0, 300.0])
def test_unknown_model_is_seen_soon_after_it_is_done(moment: float) -> None:
    waited = Waited(done_at(moment))
    waited.run()
    assert waited.looks[0] == 0.0 and waited.looks[-1] - moment <= max(1.2, 0.2 * moment)


@pytest.mark.parametrize(
    ("typical_s", "age_s", "jitter", "pause_s"),
    [
        (20.0, 8.0, 0.5, 4.0),  # half of what is left until shortly before it is due
        (20.0, 8.0, 0.0, 3.6),
        (20.0, 8.0, 0.25, 3.8),
        (20.0, 8.0, 1.0, 4.4),
        (100.0, 80.0, 0.5, 5.0),  # due: a twentieth of its time
        (100.0, 112.0, 0.5, 5.0),
        (20.0, 30.0, 0.5, 2.5),  # overdue: a quarter of that
        (20.0, 48.0, 0.5, 7.0),
        (None, 20.0, 0.5, 3.0),  # nothing known: a share of its age
    ],
)
def test_pauses_in_figures(
    typical_s: float | None, age_s: float, jitter: float, pause_s: float
) -> None:
    assert PollSchedule(typical_s, lambda: jitter).next_delay_s(age_s) == pytest.approx(pause_s)


# ---- the end ----


def test_finished_task_ends_wait_and_every_poll_is_reported() -> None:
    words = iter(["queued", "processing", "failed"])
    waited = Waited(lambda now: task(next(words)))
    assert waited.run().status is TaskStatus.FAILED
    assert waited.told == ["queued", "processing", "failed"]


def test_deadline_is_kept_and_tells_the_task_and_its_last_word() -> None:
    waited = Waited(lambda now: task("moderating"), timeout_s=100.0)
    with pytest.raises(WaitTimedOut) as caught:
        waited.run()
    error = caught.value
    assert error.task_id == "task-1" and error.charge is Charge.RUNNING and error.exit_code == 5
    assert error.values["word"] == "moderating" and error.values["waited"] == 100
    assert "moderating" in str(error) and "task-1" in str(error)
    assert 100.0 <= waited.looks[-1] <= 100.1


def test_task_that_ends_at_the_very_deadline_is_not_missed() -> None:
    assert Waited(done_at(100.0), timeout_s=100.0).run().status is TaskStatus.COMPLETED


def test_no_time_left_still_polls_once() -> None:
    assert Waited(done_at(0.0), timeout_s=0.0).run().status is TaskStatus.COMPLETED
    waited = Waited(done_at(1.0), timeout_s=0.0)
    with pytest.raises(WaitTimedOut):
        waited.run()
    assert waited.looks == [0.0] and waited.slept == []


def test_last_part_of_a_second_is_waited_too() -> None:
    waited = Waited(done_at(0.5), timeout_s=0.5)
    assert waited.run().status is TaskStatus.COMPLETED and waited.looks == [0.0, 0.5]


def test_task_that_was_never_seen_is_in_an_unknown_state() -> None:
    waited = Waited(lambda now: read_failed(), timeout_s=5.0)
    with pytest.raises(WaitTimedOut) as caught:
        waited.run()
    assert caught.value.values["word"] == "unknown"


# ---- 404 ----


def test_new_task_that_is_not_known_yet_is_given_time() -> None:
    waited = Waited(lambda now: not_found() if now < 30 else task("completed"))
    assert waited.run().status is TaskStatus.COMPLETED
    forever = Waited(lambda now: not_found())
    with pytest.raises(TaskNotFound):
        forever.run()
    assert NOT_FOUND_S == 60.0
    assert NOT_FOUND_S < forever.looks[-1] <= NOT_FOUND_S + SLOWEST_S


@pytest.mark.parametrize("age_s", [0.0, NOT_FOUND_S + 1, 1e9])
@pytest.mark.parametrize("first_s", [0.0, 100.0, 400.0])
def test_known_task_survives_a_minute_of_404_at_any_age(age_s: float, first_s: float) -> None:
    spans = [(first_s, first_s + NOT_FOUND_S - SLOWEST_S)]
    assert Waited(failing(not_found, spans), age_s=age_s).run().status is TaskStatus.COMPLETED
    gone = Waited(lambda now: task("queued") if now < first_s else not_found(), age_s=age_s)
    with pytest.raises(TaskNotFound):
        gone.run()
    assert gone.looks[-1] <= first_s + NOT_FOUND_S + 2 * SLOWEST_S


def test_404s_apart_are_not_added_up() -> None:
    spans = [(start, start + 30.0) for start in range(0, 500, 60)]
    assert Waited(failing(not_found, spans)).run().status is TaskStatus.COMPLETED


def test_blip_between_404s_does_not_begin_them_again() -> None:
    waited = Waited(lambda now: read_failed() if 20 < now < 30 else not_found())
    with pytest.raises(TaskNotFound):
        waited.run()
    assert waited.looks[-1] <= NOT_FOUND_S + SLOWEST_S


def test_typed_id_that_is_not_found_ends_at_once() -> None:
    waited = Waited(lambda now: not_found(), is_known=False)
    with pytest.raises(TaskNotFound):
        waited.run()
    assert waited.looks == [0.0]


def test_typed_id_that_was_seen_is_known_from_then_on() -> None:
    waited = Waited(failing(not_found, [(5.0, 50.0)]), is_known=False)
    assert waited.run().status is TaskStatus.COMPLETED


# ---- blips ----


def failing(error: Callable[[], Exception], spans: Sequence[tuple[float, float]]) -> Look:
    def look(now: float) -> Task | Exception:
        if any(start <= now < end for start, end in spans):
            return error()
        return task("completed" if now > 500 else "processing")

    return look


@pytest.mark.parametrize(
    "error", [read_failed, lambda: NotSent("not_sent", host="h", reason="refused")]
)
def test_blips_are_survived_and_each_has_the_whole_budget(error: Callable[[], Exception]) -> None:
    spans = [(start, start + 0.7 * READING.total_s) for start in (10.0, 150.0, 300.0)]
    waited = Waited(failing(error, spans))
    assert waited.run().status is TaskStatus.COMPLETED
    assert min(waited.slept) >= FASTEST_S


def test_unreachable_service_ends_wait_within_budget() -> None:
    waited = Waited(lambda now: read_failed())
    with pytest.raises(ReadFailed):
        waited.run()
    assert 0.8 * READING.total_s < waited.looks[-1] <= READING.total_s


def test_what_the_service_asks_for_is_waited() -> None:
    waited = Waited(lambda now: read_failed(40.0) if now == 0.0 else task("completed"))
    waited.run()
    assert 40.0 <= waited.looks[1] <= 41.0


def test_retry_after_zero_keeps_the_shortest_interval() -> None:
    waited = Waited(lambda now: read_failed(0.0) if now < 20 else task("completed"))
    waited.run()
    assert min(waited.slept) >= FASTEST_S


def test_failure_at_deadline_is_timeout_with_last_status() -> None:
    waited = Waited(lambda now: task("processing") if now < 5 else read_failed(), timeout_s=20.0)
    with pytest.raises(WaitTimedOut) as caught:
        waited.run()
    assert caught.value.values["word"] == "processing"
