"""JSON documents of responses: results, task ids and errors in every documented or likely place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from . import entries, pictures
from .facts import Content, Facts, Fault
from .wire import NUMBER, Raw

Build = Callable[[Any], Any]
"""Puts a part of a document into its place."""

# ---- results ----

PLACES: dict[str, Build] = {
    "data": lambda found: {"data": found, "created": 1758200023},
    "data with model": lambda found: {"created": "1758200023", "model": "m", "data": found},
    "output.data": lambda found: {"output": {"data": found}},
    "results": lambda found: {"results": found, "progress": 100},
    "result_data": lambda found: {"result_data": found, "usage": {"credits_used": 3}},
}
ODD_PLACES: dict[str, Build] = {
    "images": lambda found: {"images": found},
    "output": lambda found: {"output": found},
    "result": lambda found: {"result": {"images": found}},
    "data.images": lambda found: {"data": {"images": found, "task": "x"}},
    "list": lambda found: found,
    "choices": lambda found: {"choices": [{"message": {"images": found}}]},
    "event": lambda found: {"type": "image_generation.partial_succeeded", "item": found[0]},
}
WRAPPERS: dict[str, Build] = {
    "none": lambda document: document,
    "code 200": lambda document: {"code": 200, "msg": "success", "data": document},
    "code 0": lambda document: {"code": 0, "message": "ok", "data": document},
    "success": lambda document: {"success": True, "message": "", "data": document},
}


@st.composite
def placed(draw: st.DrawFn, listed: st.SearchStrategy[Content]) -> Content:
    """Result entries in a place of a document, perhaps wrapped."""
    content = draw(listed)
    facts = content.facts
    if draw(st.integers(0, 4)) == 4:
        document = ODD_PLACES[draw(st.sampled_from(list(ODD_PLACES)))](content.document)
        odd = (*facts.odd_images, *facts.images)
        # In a place that no document shows, an entry that is not read does not count either.
        only_place = not facts.unreadable
        facts = replace(
            facts, images=(), odd_images=odd, unreadable=True, is_in_odd_place=only_place
        )
    else:
        document = PLACES[draw(st.sampled_from(list(PLACES)))](content.document)
    return Content(WRAPPERS[draw(st.sampled_from(list(WRAPPERS)))](document), facts)


# ---- task ids ----

IDS = st.sampled_from(
    ("task-1", "task-unified-1757156493-imcg5zqt", "a/b=c+d@e~f", "任务-1", "x" * 201, "task 1",
     "9f8c2a54-1f0e-4c3b-9a53-0c1b7f6f3c11", "task%2F1", "task-1?x=1", "task#1"),
).map(lambda text: text + NUMBER)  # fmt: skip

ID_PLACES: dict[str, Build] = {
    "id": lambda one: {"id": one, "object": "image.generation", "created_at": 1769263230},
    "task_id": lambda one: {"task_id": one},
    "both": lambda one: {"id": one, "task_id": one},
    "data.task_id": lambda one: {"data": {"task_id": one}},
    "data.id": lambda one: {"code": 200, "msg": "success", "data": {"id": one}},
    "data entry": lambda one: {"code": 200, "data": [{"status": "submitted", "task_id": one}]},
    "data string": lambda one: {"data": [one]},
    "empty data": lambda one: {"id": one, "data": [], "error": None},
    "create response of Evolink": lambda one: {
        "created": 1, "id": one, "model": "m", "object": "image.generation.task", "progress": 0,
        "status": "pending", "task_info": {"can_cancel": True}, "type": "image",
        "usage": {"billing_rule": "per_call", "credits_reserved": 1.8, "user_group": "default"},
    },
}  # fmt: skip
ODD_ID_PLACES: dict[str, Build] = {
    "taskId": lambda one: {"taskId": one},
    "output.task_id": lambda one: {"output": {"task_id": one, "task_status": "PENDING"}},
    "bare data": lambda one: {"code": "success", "message": "", "data": one},
    "result": lambda one: {"code": 1, "description": "submitted", "result": one},
    "task object": lambda one: {"task": {"id": one, "status": "queued"}},
    "job_id": lambda one: {"job_id": one},
    "task_ids": lambda one: {"task_ids": [one]},
    "number": lambda one: {"task_id": 1769263230},
}
RUNNING_WORDS = ("queued", "pending", "processing", "QUEUED", "IN_PROGRESS", "SUBMITTED",
                 "NOT_START", "running")  # fmt: skip


@st.composite
def accepted(draw: st.DrawFn) -> Content:
    """A task id."""
    one = draw(IDS)
    if draw(st.integers(0, 5)) == 5:
        place = ODD_ID_PLACES[draw(st.sampled_from(list(ODD_ID_PLACES)))]
        return Content(place(one), Facts(odd_id=True))
    name = draw(st.sampled_from(list(ID_PLACES)))
    document = ID_PLACES[name](one)
    if name == "data string" and not one.startswith("task-"):
        # A string alone has to look like an id to be one.
        return Content(document, Facts(odd_id=True))
    return Content(document, Facts(task_id=one))


# ---- errors ----

PLAIN_CODES = (
    "InvalidParameter", "invalid_request_error", "OutputImageSensitiveContentDetected",
    "content_policy_violation", "", None, 400,
)  # fmt: skip
RELAY_WORD_CODES = ("", None, 401, 402, "402", 403, 429, "AccountOverdueError")
BEFORE_CODES = (
    "insufficient_user_quota", "pre_consume_token_quota_failed", "sensitive_words_detected",
    "prompt_blocked", "model_not_found", "model_price_error", "convert_request_failed",
    "invalid_request", "channel:no_available_key", "access_denied",
)  # fmt: skip
TROUBLE_CODES = ("do_request_failed", "bad_response_body", "empty_response", "get_channel_failed",
                 "bad_response_status_code", "channel:response_time_exceeded")  # fmt: skip
GATEWAY_NUMBERS = (408, 500, 502, 503, 504, 524, "504", "500")
PLAIN_TEXTS = (
    "The parameter `size` specified in the request is not valid (request id: 2025)",
    "litellm.BadRequestError: OpenAIException - the prompt may contain sensitive information",
    "输入内容可能包含敏感信息", "error",
)  # fmt: skip
RELAY_TEXTS = ("用户额度不足, 剩余额度: ¥0.00 (request id: 2025)", "令牌额度不足", "Invalid token",
               "无效的令牌")  # fmt: skip
CHANNEL_TEXTS = (
    "No available channel for model Seedream-4.0 under group default (distributor)",
    "当前分组 default 下对于模型 Seedream-4.0 无可用渠道",
    "当前分组上游负载已饱和,无可用渠道,请稍后再试",
    "litellm.ServiceUnavailableError: 分组 vip 下模型 m 无可用渠道 (distributor)",
)


def error_forms(code: Any, text: str) -> dict[str, Any]:
    """An error with a code and a text, in every form that services and gateways use."""
    return {
        "object": {"error": {"message": text, "type": "new_api_error", "param": "", "code": code}},
        "code and message": {"error": {"code": code, "message": text}},
        "top level": {"code": code, "message": text, "data": None},
        "msg": {"code": code, "msg": text},
        "success false": {"success": False, "code": code, "message": text},
        "in data": {"code": code, "message": text, "data": {"error": {"message": text}}},
    }


def codeless_forms(text: str) -> dict[str, Any]:
    """An error that has a text alone."""
    return {
        "string": {"error": text},
        "object": {"error": {"message": text, "type": ""}},
        "success false": {"success": False, "message": text},
        "success false, msg": {"success": False, "msg": text},
        "fail_reason": {"status": "FAILURE", "fail_reason": text},
        "type alone": {"error": {"message": text, "type": "server_error"}},
    }


def _texts_of(fault: Fault) -> tuple[str, ...]:
    if fault is Fault.NO_CHANNEL:
        return CHANNEL_TEXTS
    if fault is Fault.RELAY_WORDS:
        return RELAY_TEXTS
    # Words for balance or moderation beside a gateway's number would contradict each other.
    is_gateway = fault in (Fault.TROUBLE, Fault.GATEWAY_NUMBER)
    return ("error", "upstream request failed") if is_gateway else PLAIN_TEXTS


@st.composite
def refused(draw: st.DrawFn) -> Content:
    """An error, and nothing that could be a result."""
    codes: dict[Fault, tuple[Any, ...]] = {
        Fault.PLAIN: PLAIN_CODES,
        Fault.RELAY_WORDS: RELAY_WORD_CODES,
        Fault.BEFORE_FORWARDING: BEFORE_CODES,
        Fault.NO_CHANNEL: ("model_not_found", "", None),
        Fault.TROUBLE: TROUBLE_CODES,
        Fault.GATEWAY_NUMBER: GATEWAY_NUMBERS,
    }
    fault = draw(st.sampled_from(list(codes)))
    code = draw(st.sampled_from(codes[fault]))
    text = draw(st.sampled_from(_texts_of(fault)))
    codeless = code in ("", None)
    forms = codeless_forms(text) if codeless else error_forms(code, text)
    document = forms[draw(st.sampled_from(list(forms)))]
    return Content(document, Facts(fault=fault, word=document.get("status")))


NO_ERRORS: tuple[dict[str, Any], ...] = (
    {"error": None}, {"error": ""}, {"error": {}}, {"error": False}, {"error": []}, {"error": 0},
    {"error": {"code": 0, "message": "ok"}}, {"error": "success"}, {"error": {"code": None}},
    {"code": 0, "message": "success"}, {"code": "success", "message": ""}, {"code": "ok"},
    {"code": True}, {"code": 200, "msg": "ok"}, {"success": True}, {"message": "queued"},
    {"error": {"message": ""}}, {"error": {"code": 200, "message": "success"}},
)  # fmt: skip
"""What looks like an error and states none."""
WARNINGS: tuple[dict[str, Any], ...] = (
    {"error": "warning: prompt was shortened"},
    {"error": {"message": "the size was mapped to 2K", "type": "warning"}},
    {"warning": "deprecated", "code": 0},
)


@st.composite
def beside(draw: st.DrawFn, content: st.SearchStrategy[Content]) -> Content:
    """A result or an id beside something that looks like an error, or is one."""
    found = draw(content)
    kind = draw(st.sampled_from(("no error", "warning", "error")))
    fields = found.fields
    if fields is None or {"data", "code"} <= fields.keys():
        return found
    if kind == "error":
        more = draw(refused())
        both = {**more.document, **fields}
        return Content(both, replace(found.facts, fault=more.facts.fault, word=more.facts.word))
    more_fields = draw(st.sampled_from(NO_ERRORS if kind == "no error" else WARNINGS))
    fault = Fault.WARNING if kind == "warning" else None
    return Content({**more_fields, **fields}, replace(found.facts, fault=fault))


@st.composite
def with_id(draw: st.DrawFn, results: st.SearchStrategy[Content]) -> Content:
    """A result that also names its task."""
    found = draw(results)
    if found.fields is None:
        return found
    one = draw(IDS)
    word = draw(st.sampled_from(({}, {}, {"status": "completed"}, {"status": "SUCCESS"})))
    return Content({"id": one, **word, **found.fields}, replace(found.facts, task_id=one))


@st.composite
def begun(draw: st.DrawFn) -> Content:
    """A task that the response itself calls running, perhaps with first images."""
    one = draw(IDS)
    document: dict[str, Any] = {"id": one, "status": draw(st.sampled_from(RUNNING_WORDS))}
    if draw(st.booleans()):
        document["data"] = [entries.image_forms(0)["url"]]
    return Content(document, Facts(task_id=one, is_running=True))


# ---- neither ----

NOTHING: tuple[Any, ...] = (
    {}, [], None, "ok", 7, True, {"data": []}, {"data": None}, {"data": {}}, {"output": {}},
    {"output": {"data": []}}, {"results": None}, {"id": ""}, {"id": None, "status": "completed"},
    {"object": "image.generation", "model": "m"}, {"data": "", "created": 1}, {"results": []},
    *NO_ERRORS,
)  # fmt: skip
TEXTS = (
    b"", b" ", b"OK", b"\0\1\2\3", b"\xff\xfe\xfd", b"{", b'{"data": [', b"<html>",
    b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Sign in</h1></body></html>",
    b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>",
    b"upstream request timeout", b"no healthy upstream", b"error code: 1015", b"data: [DONE]\n\n",
    b": PING\n\n: PING\n\n", "系统繁忙".encode(), "余额".encode("gbk"), b"\x1f\x8b\x08",
)  # fmt: skip


def nothing() -> st.SearchStrategy[Content]:
    """A document with neither result nor error."""
    return st.sampled_from([Content(one, Facts(unreadable=True)) for one in NOTHING])


def texts() -> st.SearchStrategy[Content]:
    """No JSON at all, perhaps the bytes of an image."""
    found = [Content(Raw(one), Facts(unreadable=True, is_text=True)) for one in TEXTS]
    image = Content(Raw(pictures.picture(0)), Facts(odd_images=(0,), is_text=True))
    return st.sampled_from([*found, image])


def contents() -> st.SearchStrategy[Content]:
    """Every response to a POST."""
    results = placed(entries.entries())
    return st.one_of(
        results, placed(entries.whole_entries()), accepted(), refused(), nothing(), texts(),
        beside(results), beside(accepted()), with_id(results), begun(),
    )  # fmt: skip
