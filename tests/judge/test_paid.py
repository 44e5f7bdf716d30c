"""What was paid for is called so, paid once and delivered: the forms that were seen."""

from __future__ import annotations

from typing import Any

import pytest

from .entries import UNREADABLE, image_forms
from .grammar import FAMILIES
from .refusals import MADE, POSSIBLE
from .shapes import (
    GATEWAY_NUMBERS,
    ID_PLACES,
    NO_ERRORS,
    TROUBLE_CODES,
    WARNINGS,
    error_forms,
)
from .telling import ask, completed, has_images, outcomes, reply
from .trial import Bench
from .wire import BASE, Spec

FORMS = image_forms(0)
TASK = {"id": "task-1", "object": "image.generation", "created_at": 1769263230}
STRANGE_IDS = ("a/b", "a=b", "a+b", "a@b", "a~b", "任务-1", "x" * 201, "a b", "a?b=c", "a#b", "50%")


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("entry", UNREADABLE, ids=repr)
def test_unread_entry_is_never_called_free(bench: Bench, family: str, entry: Any) -> None:
    trial = ask(bench, family, reply({"data": [entry], "created": 1}))
    assert trial.posts == 1 and outcomes(trial) == {POSSIBLE}, trial


@pytest.mark.parametrize("entry", UNREADABLE, ids=repr)
def test_unread_entry_of_a_task_is_never_free(bench: Bench, family: str, entry: Any) -> None:
    done = reply({"id": "task-1", "status": "completed", "output": {"data": [entry]}})
    trial = ask(bench, family, reply(TASK), done)
    assert trial.posts == 1 and outcomes(trial) == {POSSIBLE}, trial


@pytest.mark.parametrize("form", FORMS)
def test_image_in_any_form_is_delivered(bench: Bench, family: str, form: str) -> None:
    trial = ask(bench, family, reply({"data": [FORMS[form]], "created": 1}))
    assert trial.posts == 1 and has_images(trial, 0), trial


@pytest.mark.parametrize("form", FORMS)
def test_image_of_a_task_is_delivered(bench: Bench, family: str, form: str) -> None:
    done = reply({"id": "task-1", "status": "completed", "results": [FORMS[form]]})
    trial = ask(bench, family, reply(TASK), done)
    assert trial.posts == 1 and has_images(trial, 0), trial


@pytest.mark.parametrize("place", ID_PLACES)
def test_id_in_any_place_is_polled(bench: Bench, family: str, place: str) -> None:
    trial = ask(bench, family, reply(ID_PLACES[place]("task-1")), completed(0, 1))
    assert trial.posts == 1 and has_images(trial, 0, 1), trial
    assert set(trial.polled) == {"task-1"}


@pytest.mark.parametrize("task_id", STRANGE_IDS)
def test_strange_id_is_polled_as_it_is(bench: Bench, family: str, task_id: str) -> None:
    trial = ask(bench, family, reply({"id": task_id}), completed(0))
    assert trial.posts == 1 and has_images(trial, 0), trial
    assert set(trial.polled) == {task_id}


@pytest.mark.parametrize("beside", [*NO_ERRORS, *WARNINGS], ids=repr)
def test_id_beside_a_non_error_is_polled(bench: Bench, family: str, beside: dict[str, Any]) -> None:
    trial = ask(bench, family, reply({**beside, "task_id": "task-1"}), completed(0))
    assert trial.posts == 1 and MADE in outcomes(trial), trial
    assert trial.runs[-1].outcome == MADE, trial


@pytest.mark.parametrize("beside", [*NO_ERRORS, *WARNINGS], ids=repr)
def test_image_beside_a_non_error_is_delivered(
    bench: Bench, family: str, beside: dict[str, Any]
) -> None:
    trial = ask(bench, family, reply({**beside, "data": [FORMS["url"]]}))
    assert trial.posts == 1 and has_images(trial, 0), trial


@pytest.mark.parametrize("status", [408, 502, 504, 520, 521, 522, 523, 524, 525, 530])
@pytest.mark.parametrize(
    "error",
    [
        {"message": "gateway", "code": "insufficient_user_quota", "type": "new_api_error"},
        {"message": "your input hit content_policy", "type": "upstream_error", "code": ""},
        {"message": "bad", "code": "invalid_request_error", "type": "invalid_request_error"},
        {"message": "用户额度不足", "code": 402},
    ],
    ids=lambda error: str(error["code"]),
)
def test_gateway_status_is_never_a_refusal(
    bench: Bench, family: str, status: int, error: dict[str, Any]
) -> None:
    trial = ask(bench, family, reply({"error": error}, status))
    assert trial.posts == 1 and outcomes(trial) == {POSSIBLE}, trial


@pytest.mark.parametrize("number", GATEWAY_NUMBERS)
@pytest.mark.parametrize("form", error_forms(0, ""))
def test_gateway_number_in_a_success_is_unknown(
    bench: Bench, family: str, number: Any, form: str
) -> None:
    trial = ask(bench, family, reply(error_forms(number, "no response in time")[form]))
    assert trial.posts == 1 and outcomes(trial) == {POSSIBLE}, trial


@pytest.mark.parametrize("code", TROUBLE_CODES)
@pytest.mark.parametrize("status", [500, 503])
def test_trouble_behind_the_relay_is_unknown(
    bench: Bench, family: str, code: str, status: int
) -> None:
    error = {"message": "upstream", "type": "upstream_error", "code": code}
    trial = ask(bench, family, reply({"error": error}, status))
    assert trial.posts == 1 and outcomes(trial) == {POSSIBLE}, trial


@pytest.mark.parametrize("word", ["queued", "processing", "rendering", "half done", "UNKNOWN"])
def test_first_images_do_not_end_a_task(bench: Bench, family: str, word: str) -> None:
    first = {"id": "task-1", "status": word, "output": {"data": [FORMS["url"]]}}
    trial = ask(bench, family, reply(TASK), [reply(first), completed(0, 1, 2, 3)])
    assert trial.posts == 1 and has_images(trial, 0, 1, 2, 3), trial


def test_images_without_a_word_end_a_task(bench: Bench, family: str) -> None:
    done = reply({"id": "task-1", "output": {"data": [FORMS["url"]]}})
    trial = ask(bench, family, reply(TASK), done)
    assert trial.posts == 1 and has_images(trial, 0), trial


FRAMES: dict[str, dict[str, Any]] = {
    "gzip header without gzip": {"coding": "gzip announced only"},
    "gzip without header": {"coding": "gzip unannounced"},
    "gzip": {"coding": "gzip"},
    "x-gzip": {"coding": "x-gzip"},
    "utf-8 as content encoding": {"coding": "utf-8 announced"},
    "identity as content encoding": {"coding": "identity announced"},
    "events": {"shell": "sse", "content_type": "text/event-stream"},
    "events with pings": {"shell": "sse with pings and done", "content_type": None},
    "pings": {"shell": "pings"},
    "control characters": {"shell": "control characters"},
    "text before": {"shell": "text before"},
    "text after": {"shell": "text after"},
    "two objects": {"shell": "object before"},
    "twice": {"shell": "twice"},
    "byte order mark": {"shell": "bom"},
    "last chunk missing": {"framing": "no last chunk"},
    "length too big": {"framing": "length too big"},
    "end of the last chunk missing": {"framing": "chunked", "cut": 2},
    "events whose last chunk is missing": {"shell": "sse", "framing": "no last chunk"},
    "gzip without header and last chunk": {
        "coding": "gzip unannounced",
        "framing": "no last chunk",
    },
    "until the connection closes": {"framing": "close"},
    "bytes after the end": {"framing": "bytes after the end"},
    "as a web page": {"content_type": "text/html"},
    "no content type": {"content_type": None},
}


@pytest.mark.parametrize("frame", FRAMES)
def test_image_in_any_frame_is_delivered(bench: Bench, family: str, frame: str) -> None:
    trial = ask(bench, family, reply({"data": [FORMS["url"]]}, **FRAMES[frame]))
    assert trial.posts == 1 and has_images(trial, 0), trial


@pytest.mark.parametrize("frame", FRAMES)
def test_id_in_any_frame_is_polled(bench: Bench, family: str, frame: str) -> None:
    trial = ask(bench, family, reply(TASK, **FRAMES[frame]), completed(0))
    assert trial.posts == 1 and trial.runs[-1].outcome == MADE, trial


@pytest.mark.parametrize("cut", [1, 20, 60, 100, 150, 200, 230])
@pytest.mark.parametrize("reset", [False, True])
def test_torn_response_is_never_free(bench: Bench, family: str, cut: int, reset: bool) -> None:
    said: Spec = reply(
        {"error": {"message": "m" * 60, "code": "invalid_request"}, "data": [{"url": BASE}]},
        cut=cut,
        reset=reset,
    )
    trial = ask(bench, family, said)
    assert trial.posts == 1 and outcomes(trial) == {POSSIBLE}, trial
