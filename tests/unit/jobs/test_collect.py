"""Several tasks at once: order, what failed beside what came, and what an empty id reports."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from seedream_api.config.settings import load_settings
from seedream_api.errors import (
    Charge,
    InvalidRequest,
    PartialResult,
    SeedreamError,
    TaskFailed,
    WaitTimedOut,
)
from seedream_api.jobs import collect
from seedream_api.jobs.cancellation import interruption_of
from seedream_api.jobs.collect import collect_all
from seedream_api.jobs.results import Failure, Origin, Result, StoredImage
from seedream_api.ledger.ledger import Ledger, SyncLedger
from seedream_api.ledger.states import JobSpec, State

Outcomes = dict[str, Result | BaseException]


@pytest.fixture
def session(home: Path) -> Iterator[Any]:
    """A session whose tasks come to what the test says; no network at all."""
    opened = Ledger(home)
    yield SimpleNamespace(
        ledger=opened, settings=load_settings(), running_jobs={}, check_usable=lambda: None
    )
    opened.close()


def image(task_id: str) -> StoredImage:
    path = Path(f"/{task_id}.png")
    return StoredImage(path, 0, f"https://e.com/{task_id}", 1, 1, 1, "image/png", "", task_id)


def result(task_id: str, status: str = "completed", **changed: Any) -> Result:
    images = (image(task_id),) if status in ("completed", "partial") else ()
    known: dict[str, Any] = {"images": images, "asked": 1, "seconds": 2.0, **changed}
    return Result(status, 1, Origin.RESUMED, "Seedream-4.5", task_id, **known)


def failed(task_id: str) -> TaskFailed:
    return TaskFailed("task_failed", task_id=task_id, reason=f"no {task_id}")


def running(task_id: str) -> WaitTimedOut:
    return WaitTimedOut("wait_timed_out", task_id=task_id, word="queued", waited=5)


def gathered(
    session: Any, monkeypatch: pytest.MonkeyPatch, outcomes: Outcomes, *ids: str
) -> Result:
    async def one(task_id: str, *args: Any, **options: Any) -> Result:
        await asyncio.sleep(0)
        outcome = outcomes[task_id]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    monkeypatch.setattr(collect, "collect", one)
    return asyncio.run(collect_all(ids or [*outcomes], session))


def test_images_come_in_the_order_of_the_ids(session: Any, monkeypatch: Any) -> None:
    outcomes: Outcomes = {name: result(name) for name in ("task-a", "task-b", "task-c")}
    got = gathered(session, monkeypatch, outcomes, "task-c", " task-a ", "", "task-b", "task-c")
    assert [one.task_id for one in got.images] == ["task-c", "task-a", "task-b"]
    assert got.task_id == "task-c\ntask-a\ntask-b"
    assert got.status == "completed" and got.asked == 3 and got.failures == ()


def test_what_failed_stands_beside_what_came(session: Any, monkeypatch: Any) -> None:
    got = gathered(session, monkeypatch, {"task-a": failed("task-a"), "task-b": result("task-b")})
    assert got.status == "partial" and [one.task_id for one in got.images] == ["task-b"]
    (failure,) = got.failures
    assert failure.task_id == "task-a" and "no task-a" in failure.reason
    assert isinstance(failure.error, TaskFailed)


def test_failed_images_of_a_task_make_the_whole_partial(session: Any, monkeypatch: Any) -> None:
    part = result("task-a", "partial", failures=(Failure("no", 1, "task-a"),))
    got = gathered(session, monkeypatch, {"task-a": part, "task-b": result("task-b")})
    assert got.status == "partial" and len(got.images) == 2 and len(got.failures) == 1


def test_whole_is_pending_while_any_task_runs(session: Any, monkeypatch: Any) -> None:
    for still in (running("task-b"), result("task-b", "pending")):
        got = gathered(session, monkeypatch, {"task-a": result("task-a"), "task-b": still})
        assert got.status == "pending" and len(got.images) == 1


def test_if_nothing_came_the_first_reason_is_raised(session: Any, monkeypatch: Any) -> None:
    with pytest.raises(TaskFailed, match="no task-a"):
        gathered(session, monkeypatch, {"task-a": failed("task-a"), "task-b": running("task-b")})
    with pytest.raises(WaitTimedOut):
        gathered(session, monkeypatch, {"task-a": running("task-a")})


def test_partial_fail_keeps_results_and_reports_rest(
    session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEDREAM_PARTIAL", "fail")
    session.settings = load_settings()
    outcomes: Outcomes = {"task-a": result("task-a"), "task-b": failed("task-b")}
    with pytest.raises(PartialResult) as caught:
        gathered(session, monkeypatch, outcomes)
    assert caught.value.charge is Charge.MADE
    assert caught.value.values["failed"] == 1 and caught.value.values["total"] == 2
    outcomes["task-b"] = running("task-b")
    assert gathered(session, monkeypatch, outcomes).status == "pending"


def test_defect_is_raised_and_not_a_failed_task(session: Any, monkeypatch: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        gathered(session, monkeypatch, {"task-a": result("task-a"), "task-b": ZeroDivisionError()})


def test_notes_are_listed_once(session: Any, monkeypatch: Any) -> None:
    outcomes: Outcomes = {
        "task-a": result("task-a", notes=("one", "two")),
        "task-b": result("task-b", notes=("two", "three"), seconds=9.0),
    }
    got = gathered(session, monkeypatch, outcomes)
    assert got.notes == ("one", "two", "three") and got.seconds == 9.0


def test_every_step_says_whose_it_is(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def one(task_id: str, *args: Any, progress: Any, **options: Any) -> Result:
        progress(f"step of {task_id}")
        return result(task_id)

    told: list[tuple[str, Any]] = []
    monkeypatch.setattr(collect, "collect", one)
    asyncio.run(
        collect_all(
            ["task-a", "task-b"], session, progress=lambda name, step: told.append((name, step))
        )
    )
    assert sorted(told) == [("task-a", "step of task-a"), ("task-b", "step of task-b")]


def test_cancelling_tells_which_tasks_still_run(
    session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    async def forever(task_id: str, *args: Any, **options: Any) -> Result:
        begun.append(task_id)
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(collect, "collect", forever)

    async def run() -> None:
        task = asyncio.create_task(collect_all(["task-a", "task-b"], session))
        while len(begun) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError) as caught:
        asyncio.run(run())
    told = interruption_of(caught.value)
    assert "task-a" in str(told) and "task-b" in str(told)
    assert told.charge is Charge.RUNNING and told.exit_code == 130


# ---- ids ----


def accepted(ledger: SyncLedger, name: str) -> int:
    wish = JobSpec(name, "evolink", "Seedream-4.5", "sandbox", "print", name, {}, (), 0, 1)
    row = ledger.claim(wish, "key")
    ledger.move(row.id, State.SENDING)
    ledger.move(row.id, State.ACCEPTED, task_id=f"task-{name}")
    return row.id


@pytest.mark.parametrize("ids", [[], [""], [" ", "\n"]])
def test_empty_id_lists_the_unfinished_tasks(
    session: Any, ledger: SyncLedger, ids: list[str]
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        asyncio.run(collect_all(ids, session))
    assert caught.value.key == "task_id_empty" and "Unfinished" not in str(caught.value)
    for name in "ab":
        accepted(ledger, name)
    ledger.record_response(accepted(ledger, "done"), (), {})
    ledger.move(3, State.COMPLETED)
    with pytest.raises(InvalidRequest) as caught:
        asyncio.run(collect_all(ids, session))
    for language in ("en", "zh"):
        text = caught.value.message(language)
        assert "task-a" in text and "task-b (Seedream-4.5)" in text and "task-done" not in text


def test_malformed_task_id_stops_all_before_any_request(session: Any, monkeypatch: Any) -> None:
    with pytest.raises(SeedreamError) as caught:
        gathered(session, monkeypatch, {"task-a": result("task-a")}, "task-a", "no id!")
    assert caught.value.key == "task_id_malformed"
