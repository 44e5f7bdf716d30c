"""Errors that the service states, in any of the shapes that relays use."""

from __future__ import annotations

from typing import Any

import pytest

from seedream_api.service.stated_errors import (
    MAX_QUOTED,
    ServiceError,
    find_fallback_error,
    is_fine,
    parse_error,
    parse_redirect,
    to_quotable,
    to_text,
)

CODE_FIELDS = ("code", "error_code", "errcode", "err_code", "errno", "Code")
MESSAGE_FIELDS = (
    "message", "msg", "error_message", "error_msg", "errmsg", "err_msg", "detail", "details",
    "reason", "error_description", "description", "Message", "text", "title",
)  # fmt: skip
REASON_FIELDS = ("fail_reason", "failure_reason", "failed_reason", "error_reason", "failReason")
FINE = (
    "", "0", "200", "ok", "success", "succeeded", "succeed", "successful", "none", "null", "nil",
    "no error", "no_error", "noerror", "normal", "false", "n/a", "na", "-", "成功", "操作成功",
    "请求成功", "无", "无错误", "正常", " OK. ", "Success!", "成功。", "成功！",
)  # fmt: skip
WARNINGS = ("warning", "Warn", "notice", "info", "deprecated", "Deprecation", "警告", "提示")


# ---- every field ----


def test_error_object_is_read_by_every_name_of_a_field() -> None:
    for name in ("error", "errors", "err", "Error"):
        assert parse_error({name: {"message": "no"}}) == ServiceError("no"), name
        assert parse_error({name: [{"message": "no"}]}) == ServiceError("no"), name
        assert parse_error({name: "no"}) == ServiceError("no"), name
    for name in CODE_FIELDS:
        assert parse_error({"error": {name: "E7"}}) == ServiceError("", "E7"), name
        assert parse_error({"error": "no", name: 7}) == ServiceError("no", "7"), name
        assert find_fallback_error({name: "E7"}) == ServiceError("", "E7"), name
    for name in MESSAGE_FIELDS:
        assert parse_error({"error": {name: "no"}}) == ServiceError("no"), name
        assert find_fallback_error({name: "no"}) == ServiceError("no"), name
    for name in ("type", "status", "name"):
        assert parse_error({"error": {name: "E7"}}) == ServiceError("", "", "E7"), name
    for name in REASON_FIELDS:
        assert parse_error({name: "no face"}) == ServiceError("no face"), name
        assert parse_error({name: "no face", "code": 7}) == ServiceError("no face", "7"), name


@pytest.mark.parametrize(
    ("error", "stated"),
    [
        ({"code": 402, "message": "m", "type": "t"}, ServiceError("m", "402", "t")),
        ({"error": {"message": "m"}}, ServiceError("m")),
        ({"error": [{"code": "c"}], "message": "outer"}, ServiceError("", "c")),
        ({"error": "inner", "message": "m"}, ServiceError("m")),
        ([{"code": 0}, None, {"code": "c"}], ServiceError("", "c")),
        (["first", "second"], ServiceError("first", "c")),
        (402, ServiceError("beside", "402")),
        ("402", ServiceError("beside", "402")),
        ("words", ServiceError("words", "c")),
        (True, ServiceError("beside", "c")),
        ("<html><title>502</title></html>", ServiceError("beside", "502")),
        ("<html><title>502 Bad</title></html>", ServiceError("502 Bad", "c")),
        ({"message": "<html><title>502</title></html>"}, ServiceError("502")),
        ({"message": "m", "code": 0, "type": "t"}, ServiceError("m", "0", "t")),
        ({"message": "no face", "code": ""}, ServiceError("no face")),
        ({"code": "E7", "type": "warning_less"}, ServiceError("", "E7", "warning_less")),
        ({"code": "E7", "message": "warning: no"}, ServiceError("warning: no", "E7")),
    ],
)
def test_error_of_any_shape_is_read(error: Any, stated: ServiceError) -> None:
    assert parse_error({"error": error, "message": "beside", "code": "c"}) == stated


def test_error_of_a_flag_takes_the_words_beside_it() -> None:
    for failed in (False, "false", " False "):
        assert parse_error({"success": failed}) == ServiceError("success: false")
        assert parse_error({"success": failed, "msg": "no"}) == ServiceError("no")
        assert parse_error({"success": failed, "code": 7}) == ServiceError("", "7")
        page = {"success": failed, "message": "<html><h1>no</h1></html>", "code": "c"}
        assert parse_error(page) == ServiceError("no", "c")
    assert parse_error({"error": True}) == ServiceError("error: true")
    for worked in (True, "true", None, 1, 0, ""):
        assert parse_error({"success": worked, "message": "m"}) is None


# ---- what is not an error ----


@pytest.mark.parametrize("word", FINE)
def test_error_that_says_all_is_well_is_none(word: str) -> None:
    for error in (
        word,
        {"message": word},
        {"code": word},
        {"code": word, "message": "m"} if word.strip() else {},
        {"type": word, "message": word, "code": word},
        [word],
        {"error": {"message": word}},
    ):
        assert parse_error({"error": error}) is None, error
    assert parse_error({"fail_reason": word}) is None
    assert is_fine(ServiceError(word, word, word))
    for other in (ServiceError("x", word), ServiceError(word, "x"), ServiceError(word, "", "x")):
        assert not is_fine(other)


@pytest.mark.parametrize("word", WARNINGS)
def test_error_that_is_a_warning_is_none(word: str) -> None:
    for error in (
        f"{word}: the size was adjusted",
        {"type": word, "message": "the size was adjusted"},
        {"type": word, "code": "W1"},
        {"message": f" {word}: the size was adjusted"},
    ):
        assert parse_error({"error": error}) is None, error


@pytest.mark.parametrize("word", ["warned", "information", "noticed", "x warning", "okX", "Xok"])
def test_error_is_not_a_warning_by_a_part_of_a_word(word: str) -> None:
    assert parse_error({"error": word}) == ServiceError(word)


@pytest.mark.parametrize("body", [None, [], {}, "", "text", 7, True, {"error": None}, {"error": 0},
                                  {"error": {}}, {"error": []}, {"error": 1.5}, {"message": "m"},
                                  {"fail_reason": None}, {"error": False}])  # fmt: skip
def test_error_that_is_absent_is_none(body: Any) -> None:
    assert parse_error(body) is None


@pytest.mark.parametrize("text", ["\x08", "<html><body>x</body></html>", "\ufffd\ufffd"])
def test_error_that_cannot_be_quoted_is_none(text: str) -> None:
    for error in (text, [text], {"message": text}, {"error": {"message": text}}):
        assert parse_error({"error": error}) is None
    assert parse_error({"fail_reason": text}) is None
    assert parse_error({"error": {"message": text, "code": "c"}}) == ServiceError("", "c")
    page = "<html><title>no face</title></html>"
    assert parse_error({"fail_reason": page}) == ServiceError("no face")


def test_error_nested_too_deeply_is_none() -> None:
    """A thousand levels end neither the reader nor the request."""

    def nested(levels: int, build: Any, leaf: Any) -> Any:
        for _ in range(levels):
            leaf = build(leaf)
        return {"error": leaf}

    for build, leaf in (
        (lambda inner: [inner], "no"),
        (lambda inner: {"error": inner}, {"message": "no"}),
    ):
        most = 8 if leaf == "no" else 7
        assert parse_error(nested(most, build, leaf)) == ServiceError("no")
        for levels in (most + 1, 500, 5_000):
            assert parse_error(nested(levels, build, leaf)) is None
    assert find_fallback_error({"detail": nested(9, lambda inner: [inner], "no")["error"]}).is_empty


# ---- loose words ----


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"message": "m", "code": 7, "type": "t"}, ServiceError("m", "7", "t")),
        ({"type": "t"}, ServiceError("", "", "t")),
        ({"status": "t"}, ServiceError("")),
        ({"detail": "m"}, ServiceError("m")),
        ({"detail": [{"msg": "m", "type": "t"}]}, ServiceError("m", "", "t")),
        ({"detail": {"message": "m", "code": "c"}}, ServiceError("m", "c")),
        ({"detail": {}, "code": 7}, ServiceError("", "7")),
        ({"detail": [None], "errcode": "c"}, ServiceError("", "c")),
        ({"detail": [{"msg": "m"}], "message": "outer"}, ServiceError("outer")),
        ([{"error": "m"}], ServiceError("m")),
        ([{"message": "m"}, {"message": "other"}], ServiceError("m")),
        (["m"], ServiceError("m")),
        ([], ServiceError("")),
        ([[["m"]]], ServiceError("")),
        ("  plainly\n no ", ServiceError("plainly no")),
        ({"message": "<html><title>413</title></html>"}, ServiceError("413")),
        (None, ServiceError("")),
        (7, ServiceError("")),
        ({}, ServiceError("")),
    ],
)
def test_loose_error_is_read_from_any_body(body: Any, said: ServiceError) -> None:
    assert find_fallback_error(body) == said


def test_redirect_states_where_else_to_go() -> None:
    assert parse_redirect(" https://x.example/v1 ") == ServiceError("https://x.example/v1")
    assert len(parse_redirect("x" * 1_000).message) == MAX_QUOTED == 500
    assert parse_redirect("").is_empty


# ---- texts ----


@pytest.mark.parametrize(
    ("value", "text"),
    [(" a ", "a"), (7, "7"), (0, "0"), (-1, "-1"), (True, ""), (False, ""), (None, ""), (1.5, ""),
     ([], ""), ({}, ""), ("", "")],
)  # fmt: skip
def test_text_of_takes_texts_and_whole_numbers(value: Any, text: str) -> None:
    assert to_text(value) == text


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("plain words", "plain words"),
        ("  many \r\n  blanks\t here ", "many blanks here"),
        ("a < b", "a < b"),
        ("<html><head><title>502 Bad\nGateway</title></head></html>", "502 Bad Gateway"),
        ("<!DOCTYPE html><TITLE lang=en>no &amp; no</TITLE >", "no & no"),
        ("<html><body><h1>Too <b>large</b></h1></body></html>", "Too large"),
        ("<center><h1>413</h1></center>", "413"),
        ("error: <body><h1>413</h1>", "413"),
        ("before <head></head>", ""),
        ("<html><body>no title</body></html>", ""),
        ("<?xml version='1.0'?><Error><Code>x</Code></Error>", ""),
        ("  <div>x</div>", ""),
        ("\x00\x01\x02", ""),
        ("words \ufffd\ufffd", ""),
        ("\x1b[31mred", "\x1b[31mred"),
        ("x" * 499 + "yz", "x" * 499 + "y"),
        ("x" * 500 + "\x00", "x" * 500),
        ("x" * 499 + "\x00", ""),
        ("x" * 4_995 + "<html>", ""),
        ("x" * 4_996 + "<html>", "x" * 500),
        ("x" * 5_000 + "<html>", "x" * 500),
    ],
)
def test_quotable_text_has_neither_tags_nor_bytes(text: str, quoted: str) -> None:
    assert to_quotable(text) == quoted
