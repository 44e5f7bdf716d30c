"""The timer of recovery: when rounds start, and that an empty ledger starts nothing."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


class FakeLoop:
    """Keeps callbacks until the test runs them."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self.planned: list[Callable[[], None]] = []

    def call_later(self, seconds: float, callback: Callable[[], None]) -> None:
        self.pauses.append(seconds)
        self.planned.append(callback)

    def call_soon_threadsafe(self, callback: Callable[..., None], *given: Any) -> None:
        callback(*given)

    def run_in_executor(self, executor: None, check: Callable[[], bool]) -> Any:
        done: Future[bool] = Future()
        done.set_result(check())
        return done

    def run_next(self) -> None:
        self.planned.pop()()


def make_timer(
    recovery: Any, outcomes: list[Any], *, is_needed: bool = True
) -> tuple[FakeLoop, list[int]]:
    loop, rounds = FakeLoop(), list[int]()

    def start_round() -> Future[dict[str, Any]]:
        rounds.append(1)
        outcome = outcomes.pop(0)
        ended: Future[dict[str, Any]] = Future()
        if isinstance(outcome, BaseException):
            ended.set_exception(outcome)
        else:
            ended.set_result({"running": outcome})
        return ended

    timer = recovery.RecoveryTimer(loop, lambda: is_needed, start_round, jitter=lambda: 0.0)
    timer.start()
    return loop, rounds


@pytest.fixture
def recovery(pack: ModuleType) -> Any:
    return importlib.import_module(f"{pack.__name__}.nodes.host.recovery")


def test_timer_waits_longer_while_tasks_run(recovery: Any) -> None:
    loop, rounds = make_timer(recovery, [[1]] * 7 + [[], [1], []])
    for _ in range(10):
        loop.run_next()
    first = recovery.FIRST_PAUSE_S
    assert loop.pauses == [first, 10, 20, 40, 80, 160, 300, 300, 300, 10, 300]
    assert len(rounds) == 10


def test_timer_without_unfinished_jobs_starts_no_round(recovery: Any) -> None:
    loop, rounds = make_timer(recovery, [], is_needed=False)
    for _ in range(3):
        loop.run_next()
    assert rounds == [] and loop.pauses[1:] == [recovery.PERIOD_S] * 3


def test_timer_survives_a_failed_round_and_logs_it_once(recovery: Any, caplog: Any) -> None:
    loop, rounds = make_timer(recovery, [ValueError("no key"), ValueError("no key"), []])
    for _ in range(3):
        loop.run_next()
    assert len(rounds) == 3 and loop.pauses[1:] == [recovery.PERIOD_S] * 3
    assert sum("no key" in record.message for record in caplog.records) == 1


def test_timer_with_jitter_spreads_its_rounds(recovery: Any) -> None:
    loop = FakeLoop()
    recovery.RecoveryTimer(loop, lambda: False, Future, jitter=lambda: 0.5).start()
    loop.run_next()
    assert loop.pauses == [pytest.approx(pause * 1.1) for pause in (recovery.FIRST_PAUSE_S, 300)]


def test_empty_ledger_needs_no_recovery(
    recovery: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEDREAM_HOME", str(home))
    monkeypatch.setattr(recovery.background, "_own", None)
    assert not recovery.is_needed() and not home.exists()
    begun = time.perf_counter()
    recovery.start()
    assert not recovery.is_needed() and time.perf_counter() - begun < 0.02
    assert recovery.background._own is None, "the pack's loop was started"


@pytest.mark.parametrize(("switch", "expected"), [("on", True), ("off", False)])
def test_recovery_is_off_by_its_setting(
    recovery: Any, home: Path, monkeypatch: pytest.MonkeyPatch, switch: str, expected: bool
) -> None:
    monkeypatch.setenv("SEEDREAM_HOME", str(home))
    monkeypatch.setenv("SEEDREAM_RECOVER", switch)
    home.mkdir()
    (home / "ledger.sqlite").write_bytes(b"not a ledger, so that opening it says why")
    assert recovery.is_needed() is expected
