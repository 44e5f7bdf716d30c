"""Where a response keeps the task, and several values of one body."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from seedream_api.network.bodies import read_body
from seedream_api.service.responses import (
    ServiceResponse,
    parse_response,
    parse_value,
    to_kept_response,
)
from seedream_api.service.result_items import ItemReader
from seedream_api.service.stated_errors import ServiceError
from support.task_response_kit import (
    COMPLETED,
    ERROR,
    IMAGE,
    PROCESSING,
    URL,
)

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()


def urls(payload: Any, reader: ItemReader | None = None) -> list[Any]:
    return [item.url or item.data for item in parse_value(payload, reader).items if item.was_made]


def read(text: str, reader: ItemReader | None = None) -> ServiceResponse:
    return parse_response(read_body(text.encode()), reader)


# ---- the whole response as a list or a text ----


def test_response_that_is_a_list_or_a_text_is_read() -> None:
    for payload in ([{"url": URL}], [URL], URL, json.dumps([URL]), json.dumps(IMAGE), f" {URL}"):
        assert urls(payload) == [URL], payload
    for payload in ("task-1", ["task-1"], [{"task_id": "task-1"}]):
        assert parse_value(payload).task_id == "task-1"
    for payload in ([], [1, 2], [None], [[URL]], 7, None, True):
        assert parse_value(payload).items == ()
        assert not parse_value(payload).names_results


# ---- places ----


PLACES = (
    "data", "results", "result_data", "images", "output", "outputs", "result", "image_list",
    "artifacts", "predictions", "candidates", "choices", "files", "urls", "output_images",
    "generated_images", "binary_data_base64",
)  # fmt: skip


ALONE = (
    "url", "image_url", "image_uri", "output_url", "result_url", "img_url", "download_url",
    "b64_json", "b64", "base64", "image_base64", "image_b64", "b64_image", "base64_image",
    "bytesBase64Encoded", "image_data", "image_bytes", "binary", "bytes",
)  # fmt: skip


def test_results_are_found_in_every_place() -> None:
    for name in PLACES:
        for found in ([{"url": URL}], [URL], URL, json.dumps([URL]), f"![a]({URL})"):
            assert urls({name: found, "created": 1}) == [URL], (name, found)
            assert urls({"output": {name: found}}) == [URL], name
        assert urls({name: [PNG]}) and parse_value({name: []}).names_results, name
        assert not parse_value({name: None}).names_results
        assert not urls({name: "a cat"}), name
        assert parse_value({name: "a cat"}).names_results == (name == "binary_data_base64")


def test_result_alone_is_found_in_every_field() -> None:
    for name in ALONE:
        value = URL if "ur" in name else PNG
        assert urls({name: value, "id": "task-1"}), name
        assert urls({"output": {name: value}}), name
        assert not parse_value({name: ""}).names_results
        # Beside an error, an address leads to its explanation.
        assert not urls({name: value, **ERROR}), name
    assert not urls({"image": URL}) and not urls({"src": URL})


def test_results_of_an_image_urls_field_need_a_wrapping() -> None:
    assert urls({"data": {"image_urls": [URL]}}) == [URL]
    assert urls({"image_urls": [URL]}) == []
    assert urls({"data": {"image_urls": URL}}) == []
    assert parse_value({"image_urls": []}).names_results is False


def test_results_of_the_place_with_most_images_count() -> None:
    one, two = [{"url": URL}], [{"url": URL + "1"}, {"url": URL + "2"}]
    for payload in ({"data": one, "results": two}, {"results": one, "data": two}):
        assert urls(payload) == [URL + "1", URL + "2"]
    assert urls({"data": [URL], "output": {"data": [URL + "1"]}}) == [URL + "1"]
    assert urls({"data": [None, None], "results": one}) == [URL]
    answer = parse_value({"data": [None, None], "results": [{}]})
    assert len(answer.items) == 2 and answer.names_results


def test_results_that_are_tasks_are_not_images() -> None:
    for entry in (
        "task-1",
        " task-1 ",
        {"task_id": "x"},
        {"id": "task-1", "status": "queued"},
        {"jobId": "x", "url": None},
    ):
        answer = parse_value({"data": [entry]})
        assert answer.items == () and answer.names_results, entry
    for entry in ({"id": "task-1", "url": URL}, {"task_id": "x", "b64_json": PNG}):
        assert len(urls({"data": [entry]})) == 1
    for entry in ({"id": "img-1"}, {"id": 7}, None, 7, "multitask-1"):
        assert len(parse_value({"data": [entry]}).items) == 1, entry


def test_response_of_several_tasks_is_that_of_a_running_one() -> None:
    tasks = [{"task_id": "a", "status": "completed"}, {"task_id": "b", "status": "running"}]
    assert parse_value({"data": tasks}).status is PROCESSING
    assert parse_value({"data": tasks}).raw_status == "running"
    assert parse_value({"data": [{"task_id": "a", "error": "m"}]}).error == ServiceError("m")
    assert parse_value({"data": [{"url": URL, "error": "m"}]}).error is None


# ---- several values of one body ----


def test_events_of_one_body_add_up() -> None:
    events = [
        {"type": "x.partial_succeeded", "data": [{"url": URL + "1"}]},
        {"type": "x.partial_succeeded", "data": [{"url": URL + "2"}]},
        {"type": "x.partial_failed", "data": [{"error": {"code": "c"}}]},
        {"type": "x.completed", "usage": {"generated_images": 2}, "data": []},
    ]
    answer = read("".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n")
    assert [(item.position, item.url) for item in answer.items] == [
        (0, URL + "1"), (1, URL + "2"), (2, None),
    ]  # fmt: skip
    assert answer.has_usage and answer.names_results


def merged(*payloads: Any) -> ServiceResponse:
    return read("\n".join(map(json.dumps, payloads)))


def test_values_of_one_body_give_each_image_once() -> None:
    images = [item.url for item in merged(IMAGE, IMAGE, {"results": [URL + "2", URL]}).items]
    assert images == [URL, URL + "2"]
    same = {"data": [{"b64_json": PNG}]}
    assert len(merged(same, same).items) == 1
    assert [item.was_made for item in merged({"data": [None]}, IMAGE).items] == [True]
    assert len(merged({"data": [None]}, {"data": [{}]}).items) == 2
    assert [item.was_made for item in merged(IMAGE, {"data": [None, {"url": ""}]}).items] == [True]
    kept = merged(IMAGE, {"data": [{"error": "m"}]}).items
    assert [item.was_made for item in kept] == [True, False]


def test_values_of_one_body_take_the_first_id_and_the_last_word() -> None:
    running = {"id": "task-1", "status": "processing", "progress": 5}
    answer = merged(running, {"id": "task-2", "status": "completed", "progress": 100, **IMAGE})
    assert (answer.task_id, answer.status, answer.raw_status) == ("task-1", COMPLETED, "completed")
    assert answer.progress == 100.0 and answer.names_task
    answer = merged(running, {"x": 1})
    assert (answer.task_id, answer.status, answer.raw_status) == (
        "task-1",
        PROCESSING,
        "processing",
    )
    assert merged({"x": 1}, running).task_id == "task-1" and merged({"x": 1}, running).names_task
    assert merged({"data": "9f8c2a54-77"}, {"x": 1}).hint == "9f8c2a54-77"
    assert merged({"x": 1}, {"data": "9f8c2a54-77"}).hint == "9f8c2a54-77"
    assert merged({"data": []}, {"x": 1}).names_results
    assert merged({"usage": {"image_count": 1}}, {"x": 1}).has_usage


def test_values_of_one_body_keep_the_first_error() -> None:
    answer = merged({**ERROR, "message": "said"}, {"error": "then", "message": "said then"})
    assert answer.error == ServiceError("m", "c") and answer.envelope_error == ServiceError("said")
    answer = merged({"x": 1}, {"error": "then", "message": "said then"})
    assert answer.error == ServiceError("then") and answer.envelope_error == ServiceError(
        "said then"
    )


@pytest.mark.parametrize("entry", [{"b64_json": PNG}, {"url": URL, "b64_json": PNG}])
def test_repeated_entry_that_is_cut_is_the_same_image(entry: dict[str, str]) -> None:
    whole = json.dumps({"data": [entry]})
    for cut in (0, 3, 4, 5, 8, 12):
        (item,) = read(f"{whole}\n{whole[: len(whole) - cut]}").items
        assert item.data == base64.b64decode(PNG), cut
        (item,) = read(f"{json.dumps({'data': [{'b64_json': PNG[: 40 - cut]}]})}\n{whole}").items
        assert item.data == base64.b64decode(PNG), cut
    other = json.dumps({"data": [{"b64_json": PNG[:-8] + "AAAB" + PNG[-4:]}]})
    assert len(read(whole + other).items) == 2


def test_values_of_one_body_are_read_only_so_many() -> None:
    many = read_body(b"")
    values = tuple({"data": [{"url": f"{URL}?{number}"}]} for number in range(120))
    answer = parse_response(type(many)(values=values))
    assert len(answer.items) == 100


@pytest.mark.parametrize("quote", ['"', "'", '\\"', "\\'"])
@pytest.mark.parametrize("name", ["task_id", "taskId", "TASKID", "id", "ID"])
def test_hint_is_found_in_any_text(quote: str, name: str) -> None:
    text = f"upstream: {quote}{name}{quote} : {quote}9f8c-77{quote} was made"
    assert read(text).hint == "9f8c-77" and read(text).task_id is None
    assert read(text.replace(" :", "=").replace("= ", "=")).hint == "9f8c-77"
    assert read('{"task_id": "task-1"} ' + text).hint is None
    assert read(json.dumps(IMAGE) + text).hint is None


def test_hint_in_text_has_a_least_length() -> None:
    assert read('"id": "abcd" x').hint == "abcd" and read('"id": "abc" x').hint is None
    assert read('"id": "' + "x" * 301 + '"').hint is None
    assert read('"grid": "abcd" x').hint is None and read("nothing").hint is None


def test_response_without_json_keeps_its_words() -> None:
    assert read("<html><title>502</title></html>").envelope_error == ServiceError("502")
    assert read('{"message": "m"} and more').envelope_error == ServiceError("m")
    assert read("{} and more").envelope_error.is_empty
    assert not read('{"id": "task-1"').is_whole and read('{"id": "task-1"}').is_whole


def test_response_reads_with_what_the_reader_knows() -> None:
    reader = ItemReader("https://api.example.com", sent=frozenset({URL}))
    answer = read('{"data": [{"url": "/a.png"}, {"url": "' + URL + '"}]}', reader)
    assert [item.url for item in answer.items] == ["https://api.example.com/a.png", None]
    large = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(300_000)).decode()
    assert read(json.dumps({"data": [{"b64_json": large}]}), reader).items[0].data is not None


def test_stray_image_of_any_part_of_a_body_is_evidence() -> None:
    stray = json.dumps({"x": URL})
    for text in (f"{stray} {{}}", f"{{}} {stray}", stray):
        assert read(text).has_stray_image and read(text).has_evidence is True
    assert ServiceResponse().has_evidence is read("{} {}").has_evidence is False
    assert read(json.dumps({"usage": {"generated_images": 1}})).has_evidence
    assert read(json.dumps({"data": [{}]})).has_evidence


def test_response_is_kept_with_its_status_and_its_end() -> None:
    kept = to_kept_response(ServiceResponse(http=500, body=b"{", cut="the connection was cut"))
    assert (kept.status, kept.body, kept.note) == (500, b"{", "the connection was cut")
    assert to_kept_response(ServiceResponse(http=200, body=b"{}")).note == ""
