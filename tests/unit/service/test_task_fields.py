"""Which objects of a response speak of the task, and the ids, errors and counts in them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from seedream_api.service.stated_errors import NO_ERROR, ServiceError, find_text
from seedream_api.service.task_fields import (
    CARRIERS,
    MAX_ID_CHARACTERS,
    MAX_WRAPPING,
    TASK_FIELDS,
    TASK_ID_PATTERN,
    find_envelope_error,
    find_error,
    find_ids,
    find_list_entries,
    find_records,
    find_status_entry,
    find_status_record,
    has_usage,
    parse_nested,
)


def ids(payload: Any) -> tuple[str | None, str | None, bool]:
    records = list(find_records(payload, MAX_WRAPPING))
    return find_ids(records, find_list_entries(records))


def speaking(payload: Any) -> dict[str, Any]:
    return find_status_record(list(find_records(payload, MAX_WRAPPING)))


# ---- wrappings ----

CARRIER_NAMES = (
    "output", "outputs", "data", "result", "results", "response", "resp", "task", "job", "body",
    "payload", "Result", "Data", "Output",
)  # fmt: skip
TASK_NAMES = ("task_id", "taskId", "taskid", "TaskId", "taskID", "job_id", "jobId")


def test_records_are_found_in_every_wrapping() -> None:
    assert CARRIERS == CARRIER_NAMES and TASK_FIELDS == TASK_NAMES
    for name in CARRIER_NAMES:
        assert list(find_records({name: {"a": 1}}, 1)) == [{name: {"a": 1}}, {"a": 1}], name
        assert find_list_entries([{name: [{"a": 1}, 7, "x"]}]) == [{"a": 1}], name
        assert ids({name: {"task_id": "x-1"}}) == ("x-1", None, True), name
        assert ids({name: [{"task_id": "x-1"}]}) == ("x-1", None, True), name
        assert ids({name: "task-1"}) == ("task-1", None, True), name


def test_records_are_found_only_so_deep() -> None:
    assert MAX_WRAPPING == 4
    payload: Any = {"id": "task-1"}
    for levels in range(1, 7):
        payload = {"data": payload}
        assert len(list(find_records(payload, MAX_WRAPPING))) == min(levels, 4) + 1
    assert list(find_records([], 4)) == list(find_records(None, 4)) == []


def test_records_in_a_text_are_found() -> None:
    inner = json.dumps({"id": "task-1"})
    assert list(find_records({"data": inner}, 4))[-1] == {"id": "task-1"}
    assert list(find_records(json.dumps(inner), 4)) == []
    assert find_list_entries([{"data": json.dumps([{"id": "task-1"}])}]) == [{"id": "task-1"}]
    assert ids({"data": inner}) == ("task-1", None, True)


def test_nested_json_is_parsed_only_so_often() -> None:
    assert parse_nested(' {"a": "line\nline"}') == {"a": "line\nline"}
    assert parse_nested("[1]") == [1]
    for other in ("x", "", '"x"', "{", "[" * 100_000, None, 7, {"a": 1}):
        assert parse_nested(other) == other


def test_listed_objects_are_read_only_so_many() -> None:
    assert len(find_list_entries([{"data": [{"id": str(number)} for number in range(60)]}])) == 50


# ---- which record counts ----


@pytest.mark.parametrize(
    ("payload", "word"),
    [
        ({"status": "a"}, "a"),
        ({"status": "a", "data": {"x": 1}}, "a"),
        ({"status": "a", "data": {"status": "b"}}, "b"),
        ({"status": "a", "id": "1", "data": {"status": "b"}}, "a"),
        ({"status": "a", "id": "1", "data": {"status": "b", "id": "2"}}, "b"),
        ({"status": "a", "task_id": "1", "data": {"status": "b", "id": "2"}}, "a"),
        ({"status": "a", "id": "1", "data": {"status": "b", "task_id": "2"}}, "b"),
        ({"status": "a", "task_id": "1", "data": {"status": "b", "task_id": "2"}}, "a"),
        ({"task_id": "1", "data": {"status": "b"}}, "b"),
        ({"code": 200, "status": 200, "data": {"state": "b"}}, "b"),
    ],
)
def test_record_that_speaks_of_the_task_is_chosen(payload: Any, word: str) -> None:
    record = speaking(payload)
    assert record.get("status", record.get("state")) == word


def test_record_without_a_word_does_not_speak() -> None:
    assert speaking({"id": "task-1", "data": {"url": "x"}}) == {}
    assert find_status_entry([]) == find_status_entry([{"id": "task-1"}]) == {}


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        (["completed", "failed"], "completed"),
        (["failed", "completed"], "completed"),
        (["failed", "completed", "queued"], "queued"),
        (["completed", "processing", "failed"], "processing"),
        (["failed", "moderating"], "moderating"),
        (["failed"], "failed"),
    ],
)
def test_record_of_a_list_that_runs_is_chosen(words: list[str], chosen: str) -> None:
    assert find_status_entry([{"status": word} for word in words])["status"] == chosen


# ---- errors and counts ----


def test_record_error_of_the_outermost_counts() -> None:
    assert find_error([{"x": 1}, {"error": "first"}, {"error": "then"}]) == ServiceError("first")
    assert find_error([{"error": None}, {}]) is None and find_error([]) is None


def test_record_words_beside_are_those_of_the_outermost() -> None:
    fine = {"code": 0, "message": "ok"}
    assert find_envelope_error([fine, {"message": "no"}, {"message": "other"}], {}) == ServiceError(
        "no"
    )
    assert find_envelope_error([fine], {"message": "no"}) is NO_ERROR
    assert find_envelope_error([], "plain words") == ServiceError("plain words")
    assert find_envelope_error([], []) is NO_ERROR


@pytest.mark.parametrize("name", ["generated_images", "image_count", "credits_used"])
def test_record_that_counts_images_says_so(name: str) -> None:
    for amount in (1, 0.5, 4):
        assert has_usage({"usage": {name: amount}})
    for amount in (0, -1, "1", None, [1]):
        assert not has_usage({"usage": {name: amount}})
    assert not has_usage({name: 1})
    for usage in (None, [], 7, {"total_tokens": 4}, {}):
        assert not has_usage({"usage": usage})


# ---- ids ----


@pytest.mark.parametrize("name", TASK_NAMES)
def test_id_in_a_field_for_tasks_wins(name: str) -> None:
    for id_ in ("x", "77", "a/b=c+d@e~f", "任务-1", "x" * 1_000):
        assert ids({"id": "other-1", name: id_}) == (id_, None, True)
        assert ids({"id": "other-1", "data": {name: id_}}) == (id_, None, True)
        assert ids({"data": [{"status": "submitted", name: id_}]}) == (id_, None, True)
    assert ids({name: 1769263230}) == ("1769263230", None, True)
    assert ids({"id": "other-1", name: "x" * 1_001}) == ("other-1", None, False)


LIKELY = (
    "task-1", "tsk_1", "job:77", "cgt-20250101-abc", "imgtask-1", "img-task.1", "TASK-1",
    "task-a/b=c+d@e~f", "task-unified-1757156493-imcg5zqt", "task_" + "x" * 250,
)  # fmt: skip


@pytest.mark.parametrize("id_", LIKELY)
def test_id_that_looks_like_a_task_is_one(id_: str) -> None:
    assert TASK_ID_PATTERN.fullmatch(id_)
    for payload in (
        {"id": id_},
        {"data": id_},
        {"data": [id_]},
        {"data": f" {id_} "},
        {"data": [{"id": id_}]},
        {"id": "req-1", "data": {"id": id_}},
        {"id": id_, "data": {"id": "req-1"}},
        {"result": ["x", "y", "z", "a", id_]},
    ):
        assert ids(payload) == (id_, None, True), payload


@pytest.mark.parametrize("id_", ["task", "task-", "multitask-1", "a task-1", "task 1",
                                 "task-" + "x" * 901, "https://task-1"])  # fmt: skip
def test_id_that_does_not_look_like_a_task_is_not_certain(id_: str) -> None:
    assert ids({"id": id_}) == (id_.strip(), None, False)
    assert ids({"data": [{"id": id_}]})[0] is None
    assert ids({"data": id_})[0] is None


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        ({"id": "outer-1", "data": {"id": "inner-1"}}, "inner-1"),
        ({"id": "outer-1", "status": "queued", "data": {"id": "inner-1"}}, "outer-1"),
        ({"id": "outer-1", "object": "list", "data": {"id": "inner-1"}}, "outer-1"),
        ({"id": "outer-1", "created_at": 1, "data": {"id": "inner-1"}}, "outer-1"),
        ({"id": "outer-1", "progress": 0, "data": {"id": "inner-1"}}, "outer-1"),
        ({"id": "outer-1", "task_info": {}, "data": {"id": "inner-1"}}, "outer-1"),
        ({"id": "outer-1", "created": 1, "data": {"id": "inner-1"}}, "inner-1"),
        ({"id": 12}, "12"),
        ({"id": "x" * 1_200}, "x" * 1_000),
    ],
)
def test_id_of_the_record_that_is_a_task_wins(payload: Any, found: str) -> None:
    assert ids(payload) == (found, None, False) and MAX_ID_CHARACTERS == 1_000


@pytest.mark.parametrize("kind", ["image", "image.generation.task", "Task", "generation", "job"])
def test_id_beside_the_object_of_a_task_is_its_own(kind: str) -> None:
    assert ids({"id": "9f8c2a54", "object": kind}) == ("9f8c2a54", None, True)
    inner = {"id": "req-1", "object": "list", "data": {"id": "9f8c2a54", "object": kind}}
    assert ids(inner) == ("9f8c2a54", None, True)
    assert ids({"id": "9f8c2a54", "object": "error"}) == ("9f8c2a54", None, False)
    assert ids({"object": kind}) == (None, None, False)


@pytest.mark.parametrize("id_", ["9f8c2a54-1f0e-4c3b", "abcdefg7", "1234567.", "a" * 199 + "7"])
def test_id_that_stands_alone_is_a_hint(id_: str) -> None:
    for payload in ({"data": id_}, {"data": [id_]}, {"data": [{"id": id_}]}, {"result": f" {id_}"}):
        assert ids(payload) == (None, id_, False), payload


@pytest.mark.parametrize("text", ["abcdefgh", "short-7", "two words 77", "https://x.example/77",
                                  "图片图片77", "-123456", "a" * 200 + "7", "", 77])  # fmt: skip
def test_id_is_not_every_text(text: Any) -> None:
    assert ids({"data": text}) == (None, None, False)
    assert ids({"data": [text]}) == (None, None, False)


def test_id_in_a_long_list_of_texts_is_not_looked_for() -> None:
    assert ids({"data": ["x"] * 4 + ["task-1"]}) == ("task-1", None, True)
    assert ids({"data": ["x"] * 5 + ["task-1"]}) == (None, None, False)
    assert ids({}) == ids([]) == (None, None, False)


def test_first_text_is_that_of_the_first_name() -> None:
    assert find_text({"a": "", "b": " x ", "c": "y"}, ("a", "b", "c")) == "x"
    assert find_text({"a": None}, ("a", "z")) == ""
