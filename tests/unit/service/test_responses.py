"""What the service may return, read by its shape: every documented one, word for word."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from seedream_api.service.responses import parse_value
from seedream_api.service.stated_errors import ServiceError
from seedream_api.service.statuses import TaskStatus
from seedream_api.service.task import to_task

URL = "https://example.com/generated_image.jpeg"
PNG = b"\x89PNG\r\n\x1a\n-bytes"
PNG_TEXT = base64.b64encode(PNG).decode()


def urls(payload: Any) -> list[str | None]:
    return [item.url for item in parse_value(payload).items]


# ---- the main page, word for word ----


def test_documented_synchronous_response_gives_image_only() -> None:
    answer = parse_value(
        {"data": [{"url": URL}], "created": 1758200023, "model": "Seedream-5.0-Lite-Preferential"}
    )
    assert [item.url for item in answer.items] == [URL] and answer.has_images
    assert answer.task_id is None and answer.status is None and answer.error is None


def test_documented_asynchronous_response_gives_task_id_only() -> None:
    answer = parse_value(
        {
            "id": "task-xxxxxxxxxxxx",
            "object": "image.generation",
            "model": "Seedream-4.0",
            "created_at": 1769263230,
        }
    )
    assert answer.task_id == "task-xxxxxxxxxxxx"
    assert not answer.has_images and not answer.names_results and answer.error is None


def test_four_polls_of_the_main_page_are_the_four_states() -> None:
    queued = parse_value({"id": "task-x", "status": "queued", "created_at": 1769263230})
    processing = parse_value(
        {
            "id": "task-x",
            "status": "processing",
            "progress": 50,
            "created_at": 1769263230,
            "started_at": 1769263245,
        }
    )
    completed = parse_value(
        {
            "id": "task-x",
            "status": "completed",
            "output": {"data": [{"url": f"https://example.com/image{i}.jpg"} for i in range(1, 5)]},
            "created_at": 1769263230,
            "completed_at": 1769263322,
        }
    )
    failed = parse_value(
        {
            "id": "task-x",
            "status": "failed",
            "error": {"message": "error description", "type": "server_error"},
            "created_at": 1769263230,
        }
    )
    tasks = [to_task(answer, "task-x") for answer in (queued, processing, completed, failed)]
    assert [task.status.value for task in tasks if task] == [
        "queued", "processing", "completed", "failed",
    ]  # fmt: skip
    assert processing.progress == 50.0 and queued.progress is None
    assert [item.position for item in completed.items] == [0, 1, 2, 3]
    assert urls({"output": {"data": [{"url": URL}]}}) == [URL]
    assert failed.error == ServiceError("error description", "", "server_error")


# ---- the neighbours' shapes ----


def test_evolink_creation_and_completion_are_read() -> None:
    created = parse_value(
        {
            "created": 1757156493,
            "id": "task-unified-1757156493-imcg5zqt",
            "model": "doubao-seedream-4.0",
            "object": "image.generation.task",
            "progress": 0,
            "status": "pending",
            "task_info": {"can_cancel": True, "estimated_time": 45},
            "type": "image",
            "usage": {"billing_rule": "per_call", "credits_reserved": 1.8},
        }
    )
    assert created.task_id == "task-unified-1757156493-imcg5zqt"
    assert created.status is TaskStatus.QUEUED and created.progress == 0.0
    done = {"status": "completed", "results": ["http://example.com/image.png"], "progress": 100}
    assert urls(done) == ["http://example.com/image.png"]


def test_result_data_names_its_url_image_url() -> None:
    assert urls({"status": "completed", "result_data": [{"image_url": URL}]}) == [URL]


def test_results_that_are_strings_and_objects_keep_their_order() -> None:
    assert urls({"results": [URL, {"url": URL + "2"}, URL + "3"]}) == [URL, URL + "2", URL + "3"]


@pytest.mark.parametrize("place", ["data", "results", "result_data", "images"])
@pytest.mark.parametrize("inside_output", [False, True])
def test_every_place_for_results_is_looked_at(place: str, inside_output: bool) -> None:
    body: dict[str, Any] = {place: [{"url": URL}]}
    assert urls({"output": body} if inside_output else body) == [URL]


def test_output_that_is_the_list_itself_is_read() -> None:
    assert urls({"status": "succeeded", "output": [URL]}) == [URL]


def test_empty_place_for_results_does_not_hide_a_filled_one() -> None:
    assert urls({"output": {"data": []}, "results": [URL]}) == [URL]
    assert urls({"data": [{"url": ""}], "results": [URL]}) == [URL]


def test_ark_group_keeps_the_place_of_the_image_that_was_refused() -> None:
    answer = parse_value(
        {
            "model": "doubao-seedream-4-0-250828",
            "created": 1757323224,
            "data": [
                {"url": URL, "size": "1760x2368"},
                {"error": {"code": "OutputImageSensitiveContentDetected", "message": "no"}},
                {"url": URL + "3", "size": "1760x2368"},
            ],
            "usage": {"generated_images": 2, "output_tokens": 1, "total_tokens": 1},
        }
    )
    assert [(item.position, item.url) for item in answer.items] == [
        (0, URL), (1, None), (2, URL + "3"),
    ]  # fmt: skip
    assert answer.items[1].error == ServiceError("no", "OutputImageSensitiveContentDetected")
    assert not answer.items[1].was_made and answer.error is None


# ---- images inside the response ----


DATA_URI = f"data:image/png;base64,{PNG_TEXT}"


@pytest.mark.parametrize(
    "entry", [{"b64_json": PNG_TEXT}, {"b64_json": DATA_URI}, {"url": DATA_URI}]
)
def test_base64_and_data_uris_give_bytes(entry: dict[str, str]) -> None:
    item = parse_value({"data": [entry]}).items[0]
    assert item.data == PNG and item.url is None and item.was_made


def test_base64_that_is_broken_into_lines_gives_the_same_bytes() -> None:
    broken = "\n".join(PNG_TEXT[i : i + 8] for i in range(0, len(PNG_TEXT), 8))
    assert parse_value({"data": [{"b64_json": broken}]}).items[0].data == PNG


def test_empty_texts_of_a_relay_count_as_absent() -> None:
    entry = {"url": URL, "b64_json": "", "revised_prompt": ""}
    assert urls({"data": [entry]}) == [URL]
    other = parse_value({"data": [{"url": "", "b64_json": PNG_TEXT}]}).items[0]
    assert other.data == PNG and other.url is None
    neither = parse_value({"data": [{"url": "", "b64_json": ""}]}).items[0]
    assert not neither.was_made and neither.error is None and neither.problem is not None


def test_base64_that_is_none_is_an_entry_without_an_image() -> None:
    item = parse_value({"data": [{"b64_json": "%"}]}).items[0]
    assert not item.was_made and item.error is None and item.problem is not None


# ---- wrappings ----


def test_wrapped_responses_are_unwrapped() -> None:
    wrapped = {"code": 0, "message": "ok", "data": {"id": "task-1", "status": "queued"}}
    assert parse_value(wrapped).task_id == "task-1"
    assert parse_value(wrapped).status is TaskStatus.QUEUED
    assert parse_value(wrapped).error is None
    assert urls({"success": True, "data": {"data": {"data": [{"url": URL}]}}}) == [URL]


def test_new_api_task_is_read_with_its_own_words() -> None:
    answer = parse_value(
        {
            "code": "success",
            "message": "",
            "data": {
                "task_id": "task_abc",
                "status": "IN_PROGRESS",
                "progress": "30%",
                "fail_reason": "",
                "submit_time": 1750000000,
            },
        }
    )
    assert answer.task_id == "task_abc" and answer.status is TaskStatus.PROCESSING
    assert answer.progress == 30.0 and answer.error is None


def test_task_with_data_object_is_still_that_task() -> None:
    for inside in ({}, {"created": 1}):
        answer = parse_value({"id": "task-1", "status": "processing", "data": inside})
        assert answer.task_id == "task-1" and answer.status is TaskStatus.PROCESSING
    deeper = {"code": "success", "data": {"task_id": "t-1", "status": "QUEUED", "data": {"x": 1}}}
    assert parse_value(deeper).task_id == "t-1"
    assert parse_value(deeper).status is TaskStatus.QUEUED


def test_relay_state_wins_over_embedded_provider_response() -> None:
    raw = {"id": "upstream-9", "status": "running", "data": [{"url": URL}]}
    answer = parse_value(
        {"code": "success", "data": {"task_id": "t-1", "status": "SUCCESS", "data": raw}}
    )
    assert answer.task_id == "t-1" and answer.status is TaskStatus.COMPLETED
    assert [item.url for item in answer.items] == [URL]


def test_task_id_wins_over_the_number_of_a_database_row() -> None:
    assert parse_value({"id": 12, "task_id": "task-1"}).task_id == "task-1"
    assert parse_value({"id": 12}).task_id == "12"


def test_wrapping_deeper_than_any_gateway_makes_is_not_followed() -> None:
    deep: Any = {"id": "task-1"}
    for _ in range(20_000):
        deep = {"data": deep}
    assert parse_value(deep).task_id is None


# ---- errors ----


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            {"error": {"message": "m", "type": "server_error", "param": "", "code": None}},
            ServiceError("m", "", "server_error"),
        ),
        ({"error": {"code": "unknown_error", "message": "m"}}, ServiceError("m", "unknown_error")),
        ({"error": {"code": 402, "message": "m"}}, ServiceError("m", "402")),
        ({"error": {"code": "", "msg": "m"}}, ServiceError("m")),
        ({"error": {"code": "quota_exceeded"}}, ServiceError("", "quota_exceeded")),
        ({"error": "it broke"}, ServiceError("it broke")),
        ({"error": "it broke", "code": 500}, ServiceError("it broke", "500")),
        ({"status": "FAILURE", "fail_reason": "no face"}, ServiceError("no face")),
        ({"success": False, "message": "no"}, ServiceError("no")),
        ({"success": False, "msg": "no", "code": 40003}, ServiceError("no", "40003")),
        ({"success": False, "message": "no", "data": {}}, ServiceError("no")),
        ({"error": {"message": "m"}, "data": {"id": "task-1"}}, ServiceError("m")),
        ({"code": 1, "data": {"error": {"message": "m"}}}, ServiceError("m")),
    ],
)
def test_every_form_of_error_comes_to_one(payload: Any, expected: ServiceError) -> None:
    assert parse_value(payload).error == expected


@pytest.mark.parametrize(
    "payload",
    [
        {"error": None},
        {"error": ""},
        {"error": {}},
        {"error": {"message": "", "code": "", "type": ""}},
        {"error": {"message": None, "code": None}},
        {"error": False},
        {"fail_reason": ""},
        {"success": True, "message": "ok"},
        {"message": "", "code": "success"},
    ],
)
def test_empty_errors_are_none(payload: Any) -> None:
    assert parse_value({**payload, "id": "task-1"}).error is None


def test_error_beside_images_does_not_hide_them() -> None:
    answer = parse_value({"error": {"message": "one failed"}, "data": [{"url": URL}]})
    assert answer.has_images and answer.error is not None
