"""The hierarchy of errors: as drawn, with what each says about money and its exit code."""

from __future__ import annotations

import copy
import json
import pickle
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

import seedream_api.errors as errors
from seedream_api.errors import (
    ApiRefused,
    AuthenticationFailed,
    Charge,
    OutcomeUnknown,
    SeedreamError,
    WaitTimedOut,
    from_record,
)
from seedream_api.jobs.results import Failure, Origin, Result
from seedream_api.messages import Text
from seedream_api.service.validation import validate_task_id

EXIT_CODES = {
    "SeedreamError": 1, "ConfigurationError": 2, "InvalidRequest": 2, "UnsafeURL": 2,
    "LimitReached": 2, "UploadFailed": 1, "LedgerFailed": 1, "TransportFailed": 1, "NotSent": 1,
    "OutcomeUnknown": 4,
    "ReadFailed": 1, "ApiRefused": 3, "AuthenticationFailed": 3, "InsufficientBalance": 3,
    "ContentRejected": 3, "NotFound": 3, "RateLimited": 3, "ServiceBusy": 3, "TaskFailed": 3,
    "PartialResult": 3, "TaskNotFound": 3, "WaitTimedOut": 5, "CompletedWithoutImages": 3,
    "ResultUnavailable": 1, "Interrupted": 130,
}  # fmt: skip
STATUSES = {
    "OutcomeUnknown": "unknown", "ApiRefused": "refused", "AuthenticationFailed": "refused",
    "InsufficientBalance": "refused", "ContentRejected": "refused", "NotFound": "refused",
    "RateLimited": "refused", "ServiceBusy": "refused", "TaskFailed": "failed",
    "PartialResult": "failed", "TaskNotFound": "failed", "WaitTimedOut": "pending",
    "CompletedWithoutImages": "failed", "Interrupted": "interrupted",
}  # fmt: skip
CHARGES = {
    "OutcomeUnknown": Charge.POSSIBLE, "PartialResult": Charge.MADE,
    "WaitTimedOut": Charge.RUNNING, "CompletedWithoutImages": Charge.POSSIBLE,
}  # fmt: skip


def drawn() -> dict[str, str]:
    """Child to parent, as the module's docstring draws it."""
    assert errors.__doc__ is not None
    parents: dict[str, str] = {}
    stack: list[tuple[int, str]] = []
    for line in errors.__doc__.splitlines():
        match = re.match(r"^([ │├└─]*)([A-Z]\w+(?:  [A-Z]\w+)*)(?:\s{2,}.*)?$", line)
        if match is None or ("Error" not in line and not match[1].strip()):
            continue
        depth, names = len(match[1]), match[2].split("  ")
        while stack and stack[-1][0] >= depth:
            stack.pop()
        for name in names:
            if stack:
                parents[name] = stack[-1][1]
        stack.append((depth, names[0]))
    return parents


def real() -> dict[str, type[SeedreamError]]:
    return {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, SeedreamError)
    }


def test_hierarchy_matches_the_docstring() -> None:
    tree = drawn()
    assert len(tree) == 24
    assert tree == {
        name: error.__bases__[0].__name__
        for name, error in real().items()
        if error is not SeedreamError
    }


@pytest.mark.parametrize("name", sorted(EXIT_CODES))
def test_exit_code_status_and_charge_follow_the_table(name: str) -> None:
    error = real()[name]
    assert error.exit_code == EXIT_CODES[name]
    assert error.status == STATUSES.get(name, "error")
    assert error.charge is CHARGES.get(name, Charge.NONE)


def test_no_error_is_missing_from_the_contract() -> None:
    assert set(real()) == set(EXIT_CODES)


def test_charge_argument_changes_only_that_error() -> None:
    error = SeedreamError("prompt_empty", charge=Charge.POSSIBLE)
    assert error.may_have_been_charged and "may have been charged" in error.message("en")
    assert not SeedreamError("prompt_empty").may_have_been_charged
    assert all(charge is Charge.NONE or SeedreamError("prompt_empty", charge=charge)
               .may_have_been_charged for charge in Charge)  # fmt: skip


@pytest.mark.parametrize("name", sorted(EXIT_CODES))
def test_error_survives_its_record(name: str) -> None:
    error = real()[name](
        "refused_rate",
        charge=Charge.RUNNING,
        task_id="task-1",
        request_id="req-1",
        http=429,
        code="",
        lasting=Text("for_seconds", seconds=17),
        reason="too many",
    )
    again = from_record(json.loads(json.dumps(error.to_record())))
    assert type(again) is type(error) and str(again) == str(error)
    assert (again.task_id, again.request_id, again.charge) == ("task-1", "req-1", Charge.RUNNING)
    assert again.values == error.values and again.to_record() == error.to_record()


def test_values_other_than_json_are_written_as_text() -> None:
    error = SeedreamError("bad_settings_file", path=Path("/p"), reason=ValueError("odd"))
    record = json.loads(json.dumps(error.to_record()))
    assert record["values"] == {"path": str(Path("/p")), "reason": "odd"}
    assert str(from_record(record)) == str(error)


def test_record_of_another_version_gives_an_error() -> None:
    base = AuthenticationFailed("refused_key", http=401, code="", reason="no").to_record()
    assert type(from_record({**base, "type": "GoneError"})) is SeedreamError
    unknown_key = from_record({**base, "key": "no_such_sentence"})
    assert isinstance(unknown_key, ApiRefused)
    assert "no_such_sentence" in str(unknown_key) and unknown_key.key == "stored_error"


@pytest.mark.parametrize("change", [{"charge": "bitcoin"}, {"charge": None}, {"values": {}}])
def test_incomplete_record_still_gives_an_error(
    change: dict[str, object],
) -> None:
    base = AuthenticationFailed("refused_key", http=401, code="", reason="no").to_record()
    error = from_record({**base, **change})
    assert isinstance(error, SeedreamError) and error.message("en") and error.message("zh")


def test_every_error_is_a_seedream_error() -> None:
    with pytest.raises(SeedreamError) as caught:
        raise OutcomeUnknown("outcome_unknown_crash", entry=3)
    assert "tasks --forget 3" in caught.value.message("zh")
    with pytest.raises(SeedreamError):
        raise WaitTimedOut("wait_timed_out", task_id="t", word="queued", waited=1)


@pytest.mark.parametrize("reason", ["HTTP 503", "the link has expired.", "链接已过期。"])
def test_reason_that_is_a_sentence_ends_with_one_stop(reason: str) -> None:
    error = errors.UploadFailed("upload_failed", position=1, way="http", reason=reason)
    bare = reason.rstrip(".。")
    assert f"uploaded to http: {bare}" in error.message("en")
    assert ".." not in error.message("en") and ". Nothing was charged" in error.message("en")
    assert f"上传失败：{bare}。未产生费用" in error.message("zh")


def test_chinese_sentences_are_joined_without_spaces() -> None:
    error = errors.ConfigurationError("no_key", path="settings.json")
    assert "尚未设置 API 密钥。未产生费用。在 ComfyUI" in error.message("zh")
    assert "No API key is set. Nothing was charged. In ComfyUI" in error.message("en")


# ---- pickled and copied ----


class OwnError(errors.TaskFailed):
    """An error of a program that uses the package."""


def with_everything() -> SeedreamError:
    nested = errors.NotSent("not_sent", host="e.com", reason="no answer in time")
    error = errors.UploadFailed("upload_failed", position=1, way=Path("/w"), reason=nested)
    error.with_charge(Charge.POSSIBLE, "task-1").request_id = "req-1"
    return error


def pickled(error: SeedreamError) -> SeedreamError:
    return pickle.loads(pickle.dumps(error))  # noqa: S301


@pytest.mark.parametrize("made_again", [copy.copy, copy.deepcopy, pickled])
@pytest.mark.parametrize("name", [*sorted(EXIT_CODES), "OwnError"])
def test_error_survives_pickle_and_copy(name: str, made_again: Any) -> None:
    known = vars(errors).get(name, OwnError)
    error = known("stored_error", charge=Charge.PAID, task_id="t", request_id="r", reason="odd")
    error.possible_task_id = error.retry_after_s = 2.5
    again = made_again(error)
    assert type(again) is known and vars(again) == vars(error) and str(again) == str(error)
    assert again.message("zh") == error.message("zh") and again.args == error.args


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_error_with_nested_values_survives_pickle(protocol: int) -> None:
    error = with_everything()
    again = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301
    for language in ("en", "zh"):
        assert again.message(language) == error.message(language)
    assert isinstance(again.values["reason"], errors.NotSent) and again.request_id == "req-1"
    assert again.to_record() == error.to_record() and again.charge is Charge.POSSIBLE


def test_results_survive_pickle_and_copy() -> None:
    failure = Failure("no", 1, "t", errors.TaskFailed("task_failed", task_id="t", reason="no"))
    result = Result("partial", 1, Origin.NEW, "m", "t", failures=(failure,))
    for again in (copy.deepcopy(result), pickle.loads(pickle.dumps(result))):  # noqa: S301
        assert again.failures[0].reason == "no" and again.origin is Origin.NEW
        assert str(again.failures[0].error) == str(failure.error)


def test_error_passes_from_a_worker_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert errors.__file__ is not None
    root = str(Path(errors.__file__).parents[2])
    monkeypatch.setattr(sys, "path", [root, *sys.path])  # which the new process takes over
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        with pytest.raises(errors.InvalidRequest, match="no id!"):
            pool.submit(validate_task_id, "no id!").result(60)
        assert pool.submit(abs, -1).result(60) == 1  # the pool still works
