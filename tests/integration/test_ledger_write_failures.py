"""A record that cannot be written: nothing is sent on it, and what was paid for is reported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from seedream_api import Charge, OutcomeUnknown, Request, SeedreamError, generate
from seedream_api.errors import ApiRefused, CompletedWithoutImages, LedgerFailed, TaskFailed
from seedream_api.jobs.job import WRITE_DOWN_S
from seedream_api.ledger.states import State
from support.fake_service import DropAfterReceipt, Json, Status, Truncated, rate_limited
from support.sample_requests import BOTH, LATER_40, NOW_5, cat

FOREVER = 1_000_000


def full(session: Any, method: str, state: State | None = None, *, times: int = 1) -> None:
    """The disk is full for the next writes of this kind; as the ledger itself would tell it."""
    real, left = getattr(session.ledger, method), [times]

    def write(*args: Any, **options: Any) -> Any:
        if left[0] and state in (None, *args):
            left[0] -= 1
            raise LedgerFailed("ledger_unwritable", path=session.ledger.path, reason="disk full")
        return real(*args, **options)

    setattr(session.ledger, method, write)


async def failure(request: Request, session: Any) -> SeedreamError:
    with pytest.raises(SeedreamError) as caught:
        await generate(request, session)
    return caught.value


def run(api_client: Any, model: str, *prepare: Callable[[Any], None]) -> SeedreamError:
    """How a request ends in a new session, in which something was prepared."""

    async def road(session: Any) -> SeedreamError:
        for one in prepare:
            one(session)
        return await failure(cat(model), session)

    return api_client.run(road)


def answering(model: str) -> tuple[str, State | None]:
    """What is written when the service responds: images at once, or a task."""
    return ("record_response", None) if model == NOW_5 else ("move", State.ACCEPTED)


# ---- before the first byte ----


@BOTH
def test_what_cannot_be_written_down_is_not_sent_and_not_charged(
    api_client: Any, model: str
) -> None:
    async def road(session: Any) -> Any:
        full(session, "reserve")
        error = await failure(cat(model), session)
        assert isinstance(error, LedgerFailed) and error.key == "ledger_unwritable"
        assert error.charge is Charge.NONE and api_client.sent == 0
        return await generate(cat(model), session)

    assert len(api_client.run(road).images) == 1
    assert api_client.sent == 1 and api_client.states == ["withdrawn", "completed"]


@BOTH
def test_unrecorded_refusal_was_not_charged(api_client: Any, model: str) -> None:
    api_client.sandbox.faults.push("generate", rate_limited())
    error = run(api_client, model, lambda session: full(session, "move", State.INTENDED))
    assert isinstance(error, LedgerFailed) and error.charge is Charge.NONE
    assert api_client.sent == 1 and api_client.states == ["withdrawn"]
    assert len(api_client.generate(model=model).images) == 1 and api_client.sent == 2


# ---- a response that is paid for ----


@BOTH
def test_response_is_recorded_as_soon_as_there_is_space(api_client: Any, model: str) -> None:
    method, state = answering(model)

    async def road(session: Any) -> Any:
        full(session, method, state, times=20)
        return await generate(cat(model), session)

    result = api_client.run(road)
    assert len(result.images) == 1 and result.charged_images == 1 and api_client.sent == 1
    assert api_client.clock.pauses[:20] == [1.0] * 20 and api_client.states == ["completed"]


@BOTH
def test_unrecordable_response_is_reported_with_its_task(
    api_client: Any, model: str, caplog: pytest.LogCaptureFixture
) -> None:
    method, state = answering(model)
    error = run(api_client, model, lambda session: full(session, method, state, times=FOREVER))
    assert isinstance(error, LedgerFailed) and error.charge is Charge.POSSIBLE
    assert error.key == ("answer_unrecorded" if model == NOW_5 else "task_unrecorded")
    assert bool(error.task_id) is (model == LATER_40) and api_client.sent == 1
    assert api_client.clock.pauses == [1.0] * (int(WRITE_DOWN_S) + 1)
    for language, words in (("en", "cannot be written"), ("zh", "无法写入")):
        assert error.message(language).count(words) == 1
        assert error.message(language).count("disk full") == 1
    told = [record.getMessage() for record in caplog.records if record.name == "seedream"]
    assert any("not written down yet" in one and "cannot be written" in one for one in told)


@BOTH
def test_record_that_is_gone_is_not_waited_for(api_client: Any, model: str) -> None:
    method, _ = answering(model)

    def gone(session: Any) -> None:
        real = getattr(session.ledger, method)

        def write(*args: Any, **options: Any) -> Any:
            if method == "record_response" or State.ACCEPTED in args:
                session.ledger.path.unlink()
            return real(*args, **options)

        setattr(session.ledger, method, write)

    error = run(api_client, model, gone)
    assert isinstance(error, LedgerFailed) and error.charge is Charge.POSSIBLE
    assert bool(error.task_id) is (model == LATER_40)
    assert api_client.clock.pauses == [] and api_client.sent == 1


def test_unrecordable_truncated_response_reports_its_task(api_client: Any) -> None:
    api_client.sandbox.faults.push("generate", Truncated(0.5))
    error = run(
        api_client, LATER_40, lambda session: full(session, "move", State.ACCEPTED, times=FOREVER)
    )
    assert error.key == "task_unrecorded" and error.task_id and error.charge is Charge.POSSIBLE


def test_unrecordable_task_found_later_is_paid_for(
    api_client: Any,
) -> None:
    api_client.sandbox.faults.push("generate", Truncated(0.5))
    api_client.sandbox.faults.push("task", Status(502))
    assert isinstance(run(api_client, LATER_40), OutcomeUnknown)
    error = run(api_client, LATER_40, lambda session: full(session, "move", State.ACCEPTED))
    assert error.key == "task_unrecorded" and error.charge is Charge.POSSIBLE
    assert error.task_id == api_client.rows[0].task_id
    assert len(api_client.generate().images) == 1 and api_client.sent == 1


# ---- an end that could not be written ----


def test_unrecorded_unknown_outcome_stays_unknown_in_process(
    api_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def road(session: Any) -> list[SeedreamError]:
        api_client.sandbox.faults.push("generate", DropAfterReceipt())
        full(session, "move", State.UNKNOWN)
        return [await failure(cat(), session) for _ in range(3)]

    errors = api_client.run(road)
    assert all(isinstance(error, OutcomeUnknown) for error in errors)
    assert [error.key for error in errors] == ["outcome_unknown", *["outcome_unknown_crash"] * 2]
    assert {error.charge for error in errors} == {Charge.POSSIBLE} and api_client.sent == 1
    assert api_client.states == ["unknown"]
    [told] = [one for one in caplog.records if "was not written down" in one.getMessage()]
    assert told.name == "seedream" and "cannot be written" in told.getMessage()


def test_refusal_is_reported_if_it_cannot_be_recorded(api_client: Any) -> None:
    api_client.sandbox.faults.push("generate", Status(400))
    error = run(api_client, NOW_5, lambda session: full(session, "move", State.REFUSED))
    assert isinstance(error, ApiRefused) and error.charge is Charge.NONE


def test_stored_result_with_unreadable_row_charges_nothing(api_client: Any) -> None:
    api_client.generate()
    error = run(api_client, LATER_40, lambda session: full(session, "list_images"))
    assert error.key == "ledger_unwritable" and error.charge is Charge.NONE
    assert len(api_client.generate().images) == 1 and api_client.sent == 1


def test_images_are_returned_though_row_cannot_be_released(api_client: Any) -> None:
    async def road(session: Any) -> Any:
        full(session, "release", times=FOREVER)
        await generate(cat(), session)
        return await generate(cat(), session)

    assert len(api_client.run(road).images) == 1 and api_client.sent == 1


# ---- what was written by hand, or by a version that wrote less ----


def entry(api_client: Any, state: State, task_id: str | None = None) -> None:
    """The row of the request is in ``state``, without a recorded reason."""

    async def road(session: Any) -> None:
        from seedream_api.jobs.generate import build_spec
        from seedream_api.service.validation import validate_request

        wish = await build_spec(validate_request(cat(), session.settings.models), session.resources)
        row = await session.ledger.claim(wish, "key")
        await session.ledger.move(row.id, State.SENDING)
        if state is State.FAILED:
            await session.ledger.move(row.id, State.ACCEPTED, task_id=task_id)
        await session.ledger.move(row.id, state, task_id=task_id)

    api_client.run(road)


def test_unknown_outcome_without_reason_is_still_unknown(api_client: Any) -> None:
    entry(api_client, State.UNKNOWN)
    error = run(api_client, LATER_40)
    assert isinstance(error, OutcomeUnknown) and error.key == "outcome_unknown_crash"
    assert "--forget 1" in str(error) and api_client.sent == 0


def test_failed_task_without_a_reason_is_failed_all_the_same(api_client: Any) -> None:
    from seedream_api import collect

    entry(api_client, State.FAILED, "task-000000000001")
    with pytest.raises(SeedreamError) as caught:
        api_client.run(lambda session: collect("task-000000000001", session))
    assert caught.value.key == "stored_error" and "failed" in str(caught.value)


# ---- what is written down of an end ----


def test_relays_id_of_a_call_is_written_down_however_it_ends(api_client: Any) -> None:
    for fault in (Status(400), Json([1])):
        api_client.sandbox.faults.push("generate", fault)
        assert run(api_client, NOW_5).request_id
    api_client.generate(model=NOW_5, seed=1)
    api_client.generate(seed=1)
    ids = [row.request_id for row in api_client.rows]
    assert all(ids) and len(set(ids)) == 4


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"status": "failed"}, "failed"),
        ({"status": "failed", "error": {"code": "odd", "message": "too many cats"}}, "too many"),
        (
            {"status": "completed", "results": [{"error": {"message": f"no {i}"}} for i in "ab"]},
            "no a",
        ),
    ],
)
def test_task_without_images_is_reported_in_service_words(
    api_client: Any, answer: dict[str, Any], reason: str
) -> None:
    api_client.sandbox.faults.push("task", Json({"id": "x", **answer}))
    error = run(api_client, LATER_40)
    assert isinstance(error, TaskFailed) and error.key == "task_failed"
    assert error.values["reason"].startswith(reason) and api_client.states == ["failed"]
    assert error.charge is Charge.NONE and api_client.sent == 1


def test_unknown_outcome_says_why(api_client: Any) -> None:
    api_client.sandbox.faults.push("generate", Status(502, "<h1>Bad gateway</h1>"))
    error = run(api_client, NOW_5)
    assert "HTTP 502" in error.message("en") and "HTTP 502" in error.message("zh")
    assert f"--forget {api_client.rows[0].id}" in str(error)


def test_response_without_images_is_not_paid_for_again(api_client: Any) -> None:
    api_client.sandbox.faults.push("generate", Json({"data": []}))
    for _ in range(2):
        error = run(api_client, NOW_5)
        assert isinstance(error, CompletedWithoutImages) and "--forget 1" in str(error)
    assert api_client.sent == 1 and api_client.states == ["empty"]
