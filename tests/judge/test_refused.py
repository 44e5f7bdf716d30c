"""What was refused is called so, in the right words, and may be sent again: the forms seen."""

from __future__ import annotations

from typing import Any

import pytest

from .grammar import CLIENT_ERRORS, FAMILIES
from .refusals import FREE, MADE, REDIRECTS
from .shapes import BEFORE_CODES, CHANNEL_TEXTS, error_forms
from .telling import ask, completed, error_names, has_images, outcomes, reply
from .trial import Bench

TASK = {"id": "task-1"}
PAGE = "<html><head><title>No</title></head><body><h1>No</h1></body></html>"


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("status", [code for code in CLIENT_ERRORS if code != 429])
def test_client_error_is_free_and_sent_again(bench: Bench, family: str, status: int) -> None:
    trial = ask(bench, family, reply({"error": {"message": "no", "code": ""}}, status))
    assert trial.posts == 3 and outcomes(trial) == {FREE}, trial


def test_rate_limit_is_tried_again(bench: Bench, family: str) -> None:
    limited = reply({"error": {"message": "slow down", "code": ""}}, 429)
    trial = ask(bench, family, [limited, limited, reply(TASK)], completed(0))
    assert trial.posts == 3 and has_images(trial, 0), trial


def test_lasting_rate_limit_is_free(bench: Bench, family: str) -> None:
    trial = ask(bench, family, reply({"error": {"message": "slow down"}}, 429), runs=2)
    assert outcomes(trial) == {FREE} and error_names(trial) == {"RateLimited"}, trial


@pytest.mark.parametrize("text", CHANNEL_TEXTS)
def test_missing_channel_is_free(bench: Bench, family: str, text: str) -> None:
    said = reply({"error": {"message": text, "type": "new_api_error", "code": ""}}, 503)
    trial = ask(bench, family, said, runs=2)
    assert outcomes(trial) == {FREE} and error_names(trial) == {"ServiceBusy"}, trial


@pytest.mark.parametrize("text", CHANNEL_TEXTS)
def test_missing_channel_is_tried_again(bench: Bench, family: str, text: str) -> None:
    busy = reply({"error": {"message": text}}, 503)
    trial = ask(bench, family, [busy, busy, reply(TASK)], completed(0))
    assert trial.posts == 3 and has_images(trial, 0), trial


@pytest.mark.parametrize("code", BEFORE_CODES)
@pytest.mark.parametrize("status", [500, 200])
def test_relay_code_before_forwarding_is_free(
    bench: Bench, family: str, code: str, status: int
) -> None:
    said = reply({"error": {"message": "no", "type": "new_api_error", "code": code}}, status)
    trial = ask(bench, family, said)
    assert trial.posts == 3 and outcomes(trial) == {FREE}, trial


@pytest.mark.parametrize("code", [400, 401, 402, 403, "402"])
@pytest.mark.parametrize("form", error_forms(0, ""))
def test_error_number_in_a_success_is_free(bench: Bench, family: str, code: Any, form: str) -> None:
    trial = ask(bench, family, reply(error_forms(code, "not enough")[form]))
    assert trial.posts == 3 and outcomes(trial) == {FREE}, trial


def test_bare_payment_code_in_a_success_is_free(bench: Bench, family: str) -> None:
    trial = ask(bench, family, reply({"code": 402}))
    assert trial.posts == 3 and outcomes(trial) == {FREE}, trial


@pytest.mark.parametrize("status", REDIRECTS)
def test_redirect_is_free_and_not_followed(bench: Bench, family: str, status: int) -> None:
    places = (("Location", "@BASE@/v1/images/generations"),)
    trial = ask(bench, family, reply(PAGE, status, headers=places, content_type="text/html"))
    assert trial.posts == 3 and outcomes(trial) == {FREE}, trial


WRAPPED: dict[str, tuple[int, dict[str, Any], str]] = {
    "balance in Chinese": (
        403,
        {"message": "litellm.PermissionDeniedError: 用户额度不足, 剩余额度: ¥0", "code": "403"},
        "InsufficientBalance",
    ),
    "balance in English": (
        403,
        {"message": "OpenAIException - user quota is not enough", "code": "403"},
        "InsufficientBalance",
    ),
    "balance code in a text": (
        400,
        {"message": "OpenAIException - insufficient_user_quota: no", "code": "400"},
        "InsufficientBalance",
    ),
    "moderation in English": (
        400,
        {"message": "OpenAIException - input text may contain sensitive information"},
        "ContentRejected",
    ),
    "moderation code in a text": (
        400,
        {"message": "Error: InputTextSensitiveContentDetected: see the rules", "code": "400"},
        "ContentRejected",
    ),
    "moderation in Chinese": (
        400,
        {"message": "上游返回错误: 输入内容可能包含敏感信息, 请修改后重试", "code": "400"},
        "ContentRejected",
    ),
    "key": (401, {"message": "OpenAIException - Invalid token", "code": "401"},
            "AuthenticationFailed"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRAPPED)
def test_wrapped_reason_is_recognised(bench: Bench, family: str, case: str) -> None:
    status, error, name = WRAPPED[case]
    trial = ask(bench, family, reply({"error": {"type": "None", "param": "None", **error}}, status))
    assert outcomes(trial) == {FREE} and error_names(trial) == {name}, trial


@pytest.mark.parametrize("text", CHANNEL_TEXTS)
def test_wrapped_missing_channel_is_recognised(bench: Bench, family: str, text: str) -> None:
    wrapped = f"litellm.ServiceUnavailableError: OpenAIException - {text}. Received Model Group=m"
    trial = ask(bench, family, reply({"error": {"message": wrapped, "code": "503"}}, 503), runs=1)
    assert outcomes(trial) == {FREE} and error_names(trial) == {"ServiceBusy"}, trial


@pytest.mark.parametrize("word", ["TIMEOUT", "moderated", "blocked", "content_filtered", "halted"])
def test_error_beside_a_strange_word_ends_a_task(bench: Bench, family: str, word: str) -> None:
    error = {"code": "content_policy_violation", "message": "the image was blocked"}
    ended = reply({"id": "task-1", "status": word, "error": error})
    trial = ask(bench, family, reply({"id": "task-1@NUMBER@"}), ended)
    assert outcomes(trial) == {FREE} and error_names(trial) == {"TaskFailed"}, trial
    assert trial.posts == 3 and len(trial.polled) == 3


@pytest.mark.parametrize("word", ["queued", "processing", "IN_PROGRESS"])
def test_error_beside_a_running_word_is_waited_for(bench: Bench, family: str, word: str) -> None:
    warned = reply({"id": "task-1", "status": word, "error": {"message": "retrying upstream"}})
    trial = ask(bench, family, reply(TASK), [warned, warned, completed(0)])
    assert trial.posts == 1 and outcomes(trial) == {MADE}, trial


@pytest.mark.parametrize("word", ["failed", "FAILURE", "cancelled"])
def test_failing_word_is_free(bench: Bench, family: str, word: str) -> None:
    ended = reply({"id": "task-1", "status": word})
    trial = ask(bench, family, reply({"id": "task-1@NUMBER@"}), ended)
    assert trial.posts == 3 and outcomes(trial) == {FREE}, trial
