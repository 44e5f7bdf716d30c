"""The texts that people read beside the errors' sentences: each in both languages."""

from __future__ import annotations

import copy
import errno
import json
import pickle
import re
import socket
import sqlite3
import string

import httpx
import pytest

from seedream_api.doctor import Check
from seedream_api.errors import (
    ConfigurationError,
    InvalidRequest,
    LedgerFailed,
    ReadFailed,
    from_record,
)
from seedream_api.jobs.results import Phase
from seedream_api.ledger.cells import dump_texts, to_notes
from seedream_api.messages import PHASES, TEXTS, Text, join_texts, rewrite, text_of, to_chinese

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def names(template: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(template) if name)


@pytest.mark.parametrize("key", TEXTS)
def test_both_languages_of_a_text_name_the_same_values(key: str) -> None:
    english, chinese = TEXTS[key]
    assert set(names(english)) == set(names(chinese))
    assert not CHINESE.search(english)


def test_every_chinese_text_contains_chinese() -> None:
    lacking = [key for key, (_, zh) in TEXTS.items() if not CHINESE.search(zh)]
    assert lacking == ["http_status", "http_status_said", "note_of", "of_total"]


def test_text_is_its_english_and_carries_its_chinese() -> None:
    inner = Text("connect_timed_out")
    text = Text("host_unreachable", host="cdn.example", reason=inner)
    assert text == "cdn.example could not be reached (connecting timed out)"
    assert text.zh == "无法连接 cdn.example（连接超时）" and to_chinese(text) == text.zh
    assert json.dumps([text]) == f'["{text}"]'
    assert to_chinese("余额不足 said the service") == "余额不足 said the service"
    note = Text("note_of", name="a.png", note=Text("profile_ignored", reason=Text("deleted")))
    assert note == "a.png: color profile ignored: it was deleted"
    assert note.zh == "a.png：已忽略颜色配置：已被删除"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_text_survives_pickle_and_copy(protocol: int) -> None:
    text = Text("deleted")
    for again in (pickle.loads(pickle.dumps(text, protocol)), copy.deepcopy(text)):  # noqa: S301
        assert again == text and again.zh == text.zh


def test_rewrite_join_and_text_of_keep_both_languages() -> None:
    text = join_texts((Text("deleted"), "sk"))
    assert (str(text), text.zh) == ("it was deleted; sk", "已被删除；sk")
    changed = rewrite(text, lambda said: said.replace("sk", "***"))
    assert (changed, to_chinese(changed)) == ("it was deleted; ***", "已被删除；***")
    assert rewrite("sk", str.upper) == "SK"
    cause = ValueError(text)
    outer = OSError(str(text))
    outer.__cause__ = cause
    assert to_chinese(text_of(cause)) == to_chinese(text_of(outer)) == text.zh


@pytest.mark.parametrize(
    ("error", "chinese"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "磁盘空间不足"),
        (PermissionError(errno.EACCES, "Permission denied", "/data"), "没有权限"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), "没有该文件或目录"),
        (OSError(errno.EADDRINUSE, "error while attempting to bind on address"), "地址已被占用"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "连接被拒绝"),
        (OSError(errno.ECONNREFUSED, "All connection attempts failed"), "所有连接尝试均失败"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "找不到该主机名"),
        (sqlite3.OperationalError("database is locked"), "数据库被占用"),
        (
            httpx.RemoteProtocolError(
                "peer closed connection without sending complete message body (received 5 bytes)"
            ),
            "响应未完整就断开了连接",
        ),
    ],
)
def test_common_system_errors_have_their_chinese(error: Exception, chinese: str) -> None:
    text = text_of(error)
    assert to_chinese(text) == chinese and "Errno" not in text
    failed = LedgerFailed("out_unwritable", path="/out", reason=text)
    assert str(text) in failed.message("en") and chinese in failed.message("zh")


def test_unknown_system_error_keeps_its_words() -> None:
    assert to_chinese(text_of(OSError("a cut file"))) == "a cut file"


def test_stored_error_is_read_back_in_both_languages() -> None:
    inner = InvalidRequest("url_not_http", field="urls", given="ftp://a")
    for reason in (Text("no_response_in_time"), inner):
        error = ReadFailed("read_failed", reason=reason)
        record = json.loads(json.dumps(error.to_record()))
        again = from_record(record)
        assert again.summary("en") in error.message("en")
        assert again.summary("zh")[:-1] in error.message("zh")
    assert record["values"]["reason"] == inner.summary("en")


def test_stored_error_of_version_0_1_keeps_its_english() -> None:
    error = ReadFailed("read_failed", reason="no answer in time")
    again = from_record(json.loads(json.dumps(error.to_record())))
    assert "no answer in time" in again.message("zh") and "免费请求" in again.message("zh")


def test_stored_notes_are_read_back_in_both_languages() -> None:
    notes = (Text("bits_reduced"), "a note of version 0.1")
    again = to_notes(dump_texts(notes))
    assert again == notes and list(map(to_chinese, again)) == list(map(to_chinese, notes))


def test_reason_without_a_full_stop_gets_one() -> None:
    error = ConfigurationError("stored_error", reason="quota used up")
    assert error.message("zh") == "此前的运行结果：quota used up。未产生费用。"
    refused = InvalidRequest("refused_balance", http=403, code="", reason="quota used up")
    assert "quota used up。未产生费用。请充值" in refused.message("zh")
    assert "quota used up. Nothing was charged. Top up" in refused.message("en")
    ended = InvalidRequest("refused_balance", http=403, code="", reason="Quota used up!")
    assert "Quota used up! Nothing was charged." in ended.message("en")


def test_reason_is_chinese_in_the_chinese_message() -> None:
    error = ConfigurationError("bad_address", given="x", reason=Text("has_user_name"))
    assert "it contains a user name" in error.message("en")
    assert "其中含有用户名" in error.message("zh") and "contains" not in error.message("zh")


def test_nested_error_is_shown_without_its_charge() -> None:
    inner = InvalidRequest(
        "url_private", given="http://10.0.0.1/a", address="10.0.0.1", host="10.0.0.1"
    )
    outer = InvalidRequest("urls_failed", failed=1, total=2, reason=inner)
    assert "10.0.0.1, which is not on the public internet" in outer.message("en")
    assert "不是公网地址" in outer.message("zh") and "SEEDREAM_ALLOW_HOSTS" in outer.message("zh")
    assert outer.message("en").count("Nothing was charged.") == 1
    assert outer.to_record()["values"]["reason"] == inner.summary("en")


def test_check_has_both_languages() -> None:
    assert Check("proxy", "ok", Text("proxy_not_needed")).message_zh == "沙盒不需要"
    error = ConfigurationError("no_key", path="/p")
    check = Check("key", "problem", str(error), error=error)
    assert check.message_zh == error.message("zh") and error.message("en") in check.message


def test_task_heads_have_the_same_columns_in_chinese() -> None:
    english, chinese = TEXTS["task_heads"]
    wide = "".join(letter * (2 if CHINESE.match(letter) else 1) for letter in chinese)
    for word, twin in (("WHEN", "时"), ("STATE", "状"), ("MODEL", "模")):
        assert wide.index(twin) == english.index(word)
    assert len(wide) - len(wide.lstrip()) == 1, "the number's head ends where the number does"


def test_phases_have_both_languages() -> None:
    assert list(PHASES) == [phase.value for phase in Phase]
    for english, zh in PHASES.values():
        assert not CHINESE.search(english) and CHINESE.search(zh)


@pytest.mark.parametrize(("count", "shown"), [(0, "0 images"), (1, "1 image"), (2, "2 images")])
def test_number_decides_about_the_plural(count: int, shown: str) -> None:
    assert Text("images_count", count=count) == shown
