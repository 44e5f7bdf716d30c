"""Windows of the limits: a run, a local day and a local month."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from seedream_api.errors import LimitReached
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.limits import end_of, start_of
from support.limit_kit import limits, send
from support.wall_clock import Clock


@pytest.fixture
def set_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def choose(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield choose
    monkeypatch.undo()
    time.tzset()


def test_run_limit_counts_one_run_only(ledger: SyncLedger) -> None:
    send(ledger, limits(run="1"), run="prompt 1")
    send(ledger, limits(run="1"), run="prompt 2")
    with pytest.raises(LimitReached, match="per run"):
        send(ledger, limits(run="1"), run="prompt 1")


def test_day_and_month_begin_at_local_midnight(
    ledger: SyncLedger, clock: Clock, set_zone: Callable[[str], None]
) -> None:
    set_zone("Asia/Shanghai")
    both = limits(day="1", month="2")
    clock.set("2026-11-29 23:59:59")
    send(ledger, both)
    with pytest.raises(LimitReached, match="2026-11-30 00:00"):
        send(ledger, both)
    clock.set("2026-11-30 00:00:00")
    send(ledger, both)
    with pytest.raises(LimitReached, match="per day"):
        send(ledger, both)
    clock.set("2026-11-30 23:59:59")
    with pytest.raises(LimitReached, match="2026-12-01 00:00"):
        send(ledger, limits(month="2"))
    clock.set("2026-12-01 00:00:00")
    send(ledger, both)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29 12:00", 23),
        ("Europe/Berlin", "2026-10-25 02:30", 25),
        ("America/Havana", "2026-11-01 00:30", 25),
        ("Africa/Cairo", "2026-04-24 12:00", 23),
        ("Asia/Shanghai", "2026-11-29 00:00", 24),
    ],
)
def test_day_has_its_length_with_daylight_saving(
    set_zone: Callable[[str], None], zone: str, day: str, hours: int
) -> None:
    set_zone(zone)
    first = datetime.fromisoformat(day)
    for moment in (first.replace(fold=0).timestamp(), first.replace(fold=1).timestamp()):
        start, end = start_of("day", moment), end_of("day", moment)
        assert end - start == hours * 3600
        assert start <= moment < end
        assert start_of("day", start - 1) < start == start_of("day", end - 1)


def test_repeated_hour_does_not_open_the_limit_again(
    ledger: SyncLedger, clock: Clock, set_zone: Callable[[str], None]
) -> None:
    set_zone("America/Havana")
    first = datetime.fromisoformat("2026-11-01 00:30")
    for fold in (0, 1):
        clock.now = first.replace(fold=fold).timestamp()
        if fold == 0:
            send(ledger, limits(day="1"))
        with pytest.raises(LimitReached):
            send(ledger, limits(day="1"))


@pytest.mark.parametrize("jump", [-3600, -86_400, -40 * 86_400])
def test_clock_set_back_does_not_open_the_limit(
    ledger: SyncLedger, clock: Clock, jump: int
) -> None:
    send(ledger, limits(day="1", month="1"))
    clock.now += jump
    for window in ("day", "month"):
        with pytest.raises(LimitReached):
            send(ledger, limits(**{window: "1"}))
    clock.now -= jump
    with pytest.raises(LimitReached):
        send(ledger, limits(day="1"))
