"""Requests are exact: wrong types and unknown fields are refused by name. Tasks are plain data."""

from __future__ import annotations

from typing import Any

import pytest

from seedream_api.errors import InvalidRequest
from seedream_api.service.request import Request
from seedream_api.service.result_items import ResultItem
from seedream_api.service.stated_errors import ServiceError
from seedream_api.service.statuses import TaskStatus


@pytest.mark.parametrize(
    ("wish", "field", "allowed"),
    [
        ({"prompt": 7}, "prompt", "a text"),
        ({"model": None}, "model", "a text"),
        ({"n": "3"}, "n", "a whole number"),
        ({"n": 2.0}, "n", "a whole number"),
        ({"n": True}, "n", "a whole number"),
        ({"seed": "0"}, "seed", "a whole number"),
        ({"watermark": "no"}, "watermark", "true or false"),
        ({"watermark": 1}, "watermark", "true or false"),
        ({"references": ["https://example.com/a.png"]}, "references", "a list of references"),
        ({"aspect_ratio": "1:1"}, "aspect_ratio", "prompt_priority"),
    ],
)
def test_value_of_the_wrong_type_is_refused_by_name(
    wish: dict[str, Any], field: str, allowed: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Request(**{"model": "Seedream-4.5", "prompt": "a cat", **wish})
    assert caught.value.key == "value_malformed" and caught.value.values["field"] == field
    assert allowed in caught.value.message("en") and field in caught.value.message("zh")


@pytest.mark.parametrize("missing", ["model", "prompt"])
def test_missing_field_is_named(missing: str) -> None:
    wish = {"model": "Seedream-4.5", "prompt": "a cat"}
    del wish[missing]
    with pytest.raises(InvalidRequest) as caught:
        Request(**wish)
    assert caught.value.values["field"] == missing and "missing" in caught.value.message("en")


def test_request_cannot_be_changed_afterwards() -> None:
    request = Request(model="Seedream-4.5", prompt="a cat")
    with pytest.raises(Exception, match="frozen"):
        request.prompt = "a dog"


def test_as_many_images_are_asked_as_may_be_charged() -> None:
    assert Request(model="Seedream-4.5", prompt="a cat").asked_images() == 1
    assert Request(model="Seedream-4.5", prompt="a cat", n=9).asked_images() == 9


def test_no_repr_shows_a_reference() -> None:
    assert "references" not in repr(Request(model="Seedream-4.5", prompt="a cat"))


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ServiceError("it broke"), "it broke"),
        (ServiceError("it broke", "E7"), "it broke (E7)"),
        (ServiceError("it broke", "", "server_error"), "it broke (server_error)"),
        (ServiceError("E7: it broke", "E7"), "E7: it broke"),
        (ServiceError("", "E7"), "E7"),
        (ServiceError(""), "no reason given"),
    ],
)
def test_service_error_shows_its_code_once(error: ServiceError, text: str) -> None:
    assert str(error) == text


def test_only_completed_and_failed_end_a_task() -> None:
    ends = {status for status in TaskStatus if status.is_terminal}
    assert ends == {TaskStatus.COMPLETED, TaskStatus.FAILED}


def test_image_was_made_when_it_has_a_place_or_bytes() -> None:
    assert ResultItem(0, url="https://example.com/a").was_made
    assert ResultItem(0, data=b"x").was_made
    assert not ResultItem(0, error=ServiceError("no")).was_made
