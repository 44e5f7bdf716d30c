"""Budgets are total times, and what the service asks for is believed within reason."""

from __future__ import annotations

import email.utils

import pytest
from hypothesis import example, given, strategies as st

from seedream_api.network.retry import (
    CONNECTING,
    DOWNLOADING,
    MAX_RETRY_AFTER_S,
    NO_CHANNEL,
    RATE_LIMITED,
    READING,
    UPLOAD_PROPAGATION,
    UPLOADING,
    RetryBudget,
    RetryPolicy,
    parse_retry_after,
)

POLICIES = [CONNECTING, RATE_LIMITED, NO_CHANNEL, READING, DOWNLOADING]


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


def pauses(
    policy: RetryPolicy, jitter: float, asked: float | None = None
) -> tuple[list[float], float]:
    """The pauses until the budget is used up, and when the last attempt began."""
    clock = Clock()
    patience = RetryBudget(clock, jitter=lambda: jitter)
    taken: list[float] = []
    while (pause := patience.next_delay(policy, asked)) is not None:
        taken.append(pause)
        clock.now += pause
        assert len(taken) < 10_000
    return taken, clock.now - 1_000.0


@pytest.mark.parametrize("policy", POLICIES)
@given(jitter=st.floats(0, 1))
@example(jitter=1.0)  # of RATE_LIMITED the last attempt then begins at the very end of the budget
def test_attempts_end_within_the_total_time_and_use_most_of_it(
    policy: RetryPolicy, jitter: float
) -> None:
    taken, last = pauses(policy, jitter)
    assert taken and last <= policy.total_s
    assert len(taken) == policy.attempts - 1 or last + policy.longest_s > policy.total_s


@pytest.mark.parametrize("policy", POLICIES)
@given(jitter=st.floats(0, 1))
def test_delays_double_up_to_a_limit_and_jitter_shortens(
    policy: RetryPolicy, jitter: float
) -> None:
    taken, _ = pauses(policy, jitter)
    for number, pause in enumerate(taken):
        step = min(policy.longest_s, policy.first_s * 2**number)
        assert step * 0.5 <= pause <= step


def test_time_that_the_attempts_themselves_take_counts() -> None:
    clock = Clock()
    patience = RetryBudget(clock, jitter=lambda: 1.0)
    assert patience.next_delay(CONNECTING) == 0.5
    clock.now += CONNECTING.total_s
    assert patience.next_delay(CONNECTING) is None


def test_number_of_attempts_is_a_bound_too() -> None:
    taken, last = pauses(NO_CHANNEL, 0.0)
    assert len(taken) == NO_CHANNEL.attempts - 1 == 2 and last < NO_CHANNEL.total_s


def test_each_kind_of_failure_has_a_separate_budget() -> None:
    clock = Clock()
    patience = RetryBudget(clock, jitter=lambda: 1.0)
    while patience.next_delay(NO_CHANNEL) is not None:
        pass
    assert patience.next_delay(CONNECTING) == CONNECTING.first_s


def test_budget_counts_from_first_failure_of_its_kind() -> None:
    clock = Clock()
    patience = RetryBudget(clock)
    assert patience.elapsed_s(RATE_LIMITED) == 0
    patience.next_delay(RATE_LIMITED)
    clock.now += 41.6
    assert patience.elapsed_s(RATE_LIMITED) == 42
    assert patience.elapsed_s(CONNECTING) == 0


@given(asked=st.floats(RATE_LIMITED.first_s, 60), jitter=st.floats(0, 1))
def test_services_own_word_is_waited_for_and_little_more(asked: float, jitter: float) -> None:
    patience = RetryBudget(Clock(), jitter=lambda: jitter)
    pause = patience.next_delay(RATE_LIMITED, asked)
    assert pause is not None and asked <= pause <= asked + 1.0


@pytest.mark.parametrize("policy", POLICIES)
@given(share=st.floats(0, 0.99), jitter=st.floats(0, 1))
def test_short_retry_after_never_shortens_a_pause(
    policy: RetryPolicy, share: float, jitter: float
) -> None:
    asked = share * policy.first_s
    own, _ = pauses(policy, jitter)
    taken, last = pauses(policy, jitter, asked)
    assert last <= policy.total_s and len(taken) <= len(own)
    assert all(pause >= max(asked, one) for pause, one in zip(taken, own, strict=False))


def test_retry_after_may_take_all_the_time_of_the_caller() -> None:
    clock = Clock()
    patience = RetryBudget(clock, jitter=lambda: 0.0)
    for _ in range(5):
        assert patience.next_delay(READING, 130.0, left_s=1_800.0) == 130.0
        clock.now += 130.0
    assert patience.next_delay(READING, None, left_s=1_150.0) == pytest.approx(5.0)
    assert patience.next_delay(READING, 130.0, left_s=129.0) is None


def test_word_beyond_the_budget_ends_the_attempts_at_once() -> None:
    assert RetryBudget(Clock()).next_delay(RATE_LIMITED, RATE_LIMITED.total_s + 1) is None


@pytest.mark.parametrize(("first_s", "longest_s"), [(0.0, 1.0), (-1.0, 1.0), (2.0, 1.0)])
def test_policy_that_would_not_wait_is_a_defect(first_s: float, longest_s: float) -> None:
    with pytest.raises(ValueError, match="waits for no time"):
        RetryPolicy(first_s=first_s, longest_s=longest_s, total_s=10.0)


# ---- Retry-After ----

NOW = 1_790_000_000.0


def date(seconds_from_now: float) -> str:
    return email.utils.formatdate(NOW + seconds_from_now, usegmt=True)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after-ms": "2500"}, 2.5),
        ({"retry-after-ms": "2500", "retry-after": "9"}, 2.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": date(30)}, 30.0),
        ({"retry-after": date(-30)}, 0.0),
        ({"retry-after": date(86_400)}, None),
        ({"retry-after": str(MAX_RETRY_AFTER_S)}, MAX_RETRY_AFTER_S),
        ({"retry-after": "301"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Wed, 99 Foo 2026 99:99:99 GMT"}, None),
    ],
)
def test_retry_after_is_parsed_and_absurd_values_ignored(
    headers: dict[str, str], expected: float | None
) -> None:
    assert parse_retry_after(headers, NOW) == expected


@given(st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms"]), st.text()))
def test_no_header_makes_reading_fail_or_gives_an_odd_number(headers: dict[str, str]) -> None:
    seconds = parse_retry_after(headers, NOW)
    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER_S


# ---- the budgets themselves ----


@pytest.mark.parametrize(
    ("policy", "first_s", "longest_s", "total_s", "attempts"),
    [
        (CONNECTING, 0.5, 8, 20, 1_000),
        (RATE_LIMITED, 2, 30, 180, 1_000),
        (NO_CHANNEL, 2, 10, 30, 3),
        (READING, 1, 10, 120, 1_000),
        (DOWNLOADING, 0.5, 8, 90, 1_000),
        (UPLOADING, 1, 15, 90, 6),
        (UPLOAD_PROPAGATION, 0.5, 2, 6, 1_000),
    ],
)
def test_how_long_a_person_waits_for_what(
    policy: RetryPolicy, first_s: float, longest_s: float, total_s: float, attempts: int
) -> None:
    """Another number here is a decision: people wait for that long before they see it."""
    assert (policy.first_s, policy.longest_s) == (first_s, longest_s)
    assert (policy.total_s, policy.attempts) == (total_s, attempts)


def test_pauses_may_all_be_of_one_length_and_never_run_backwards() -> None:
    assert RetryPolicy(first_s=2.0, longest_s=2.0, total_s=9.0).longest_s == 2.0
    for first_s, longest_s in ((2.0, 1.0), (0.0, 1.0), (-1.0, 1.0)):
        with pytest.raises(ValueError, match="backwards"):
            RetryPolicy(first_s=first_s, longest_s=longest_s, total_s=9.0)
