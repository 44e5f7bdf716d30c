"""The phrases that people read beside the errors' sentences: each has its Chinese."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from typing import Any

import pytest

from seedream_api.cli.output import describe
from seedream_api.cli.parser import build_parser
from seedream_api.doctor import Check
from seedream_api.errors import Charge, ConfigurationError, InvalidRequest, ResultUnavailable
from seedream_api.jobs.results import Phase, Progress
from seedream_api.messages import PHASES, PHRASES, WORDING, chinese, language
from support.paths import PACK_ROOT

CHINESE = re.compile(r"[\u4e00-\u9fff]")
SAID_BY = {
    "ArgumentTypeError",
    "localize", "Check", "UploadRejected", "RetryDownload", "failure", "_malformed",
    "_malformed_error", "_bad",
    "_build_setting_error",
    "_TooLarge", "append",
}  # fmt: skip
"""Calls whose texts a person reads; of ``append`` those to notes and words."""
KEPT = ("reason", "allowed", "note", "notes", "about", "about_frames", "text")
"""Names to which such texts are given, as keywords or variables."""
NO_WORDS = re.compile(r"|(HTTP )?<x>|<x> \(<x>\)|1-<x>|SEEDREAM_\w+|images\.<x>")
FUNCTIONS = (
    "_describe_error",
    "_instead",
    "_about",
    "_about_frames",
    "_life",
    "allowed",
    "prune_if_needed",
)
"""Functions that give such a text back."""


def as_text(node: ast.AST) -> str | None:
    """A literal, with ``<x>`` for every value in it."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(as_text(part) or "<x>" for part in node.values)
    return None


def said(node: ast.AST) -> Iterator[str]:
    """The texts that this expression may be; a call's own arguments are none of them."""
    text = as_text(node)
    if text is not None:
        yield text
    elif isinstance(node, ast.IfExp):
        yield from (*said(node.body), *said(node.orelse))
    elif isinstance(node, ast.BoolOp):
        yield from (one for value in node.values for one in said(value))
    elif isinstance(node, ast.Tuple):
        yield from (one for value in node.elts for one in said(value))


def name_of(node: ast.AST) -> str:
    return (
        node.attr
        if isinstance(node, ast.Attribute)
        else node.id
        if isinstance(node, ast.Name)
        else ""
    )


def found_in(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call):
        called = name_of(node.func)
        to = name_of(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        if called in SAID_BY and (called != "append" or to == "notes"):
            yield from (
                one
                for argument in node.args[2 if called == "Check" else 0 :]
                for one in said(argument)
            )
        yield from (one for kw in node.keywords if kw.arg in KEPT for one in said(kw.value))
    elif isinstance(node, ast.Assign) and any(name_of(target) in KEPT for target in node.targets):
        yield from said(node.value)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in FUNCTIONS:
        for one in ast.walk(node):
            if isinstance(one, ast.Return) and one.value is not None:
                yield from said(one.value)


def phrases_of_the_code() -> dict[str, str]:
    found: dict[str, str] = {}
    for folder in ("seedream_api", "nodes"):
        for path in sorted((PACK_ROOT / folder).rglob("*.py")):
            if not {"messages", "sandbox"} & set(path.parts):
                for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                    found.update(dict.fromkeys(found_in(node), path.name))
    return {text: file for text, file in found.items() if not NO_WORDS.fullmatch(text)}


def test_every_phrase_of_the_code_has_its_chinese() -> None:
    found = phrases_of_the_code()
    assert len(found) > 90, "the scan finds next to nothing: it no longer fits the code"
    assert {text: file for text, file in found.items() if not CHINESE.search(chinese(text))} == {}


def test_the_codes_of_evolinks_files_have_their_chinese() -> None:
    from seedream_api.uploads import evolink

    for reason in evolink._REASONS.values():
        assert chinese(f"{reason} (HTTP 400)").endswith("（HTTP 400）")


def names(template: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(template) if name)


@pytest.mark.parametrize("english", PHRASES)
def test_both_languages_of_a_phrase_name_the_same_values(english: str) -> None:
    assert names(english) == names(PHRASES[english])
    assert not CHINESE.search(english)


def test_every_chinese_phrase_holds_chinese() -> None:
    # An error number of the system is passed on as it is, and what follows it is translated.
    assert [en for en, zh in PHRASES.items() if not CHINESE.search(zh)] == [
        "[Errno {number}] {text}"
    ]


def test_values_inside_a_phrase_are_translated_too_and_unknown_words_stay() -> None:
    assert chinese("cdn.example could not be reached (connecting timed out)") == (
        "无法连接 cdn.example（连接超时）"
    )
    assert chinese("a.png: animated: the first of at least 1000 frames is used") == (
        "a.png：动图：使用第一帧（帧数：至少 1000）"
    )
    assert chinese("余额不足 said the service") == "余额不足 said the service"
    assert chinese("") == ""


@pytest.mark.parametrize(
    "key", ["picture_unreadable", "result_gone", "refused_balance", "link_dead"]
)
@pytest.mark.parametrize("charge", Charge)
def test_a_whole_message_that_became_a_text_is_found_again(key: str, charge: Charge) -> None:
    values = {"given": "a.png", "reason": "it is empty", "entry": 3, "http": 403, "code": ""}
    error = ResultUnavailable(key, charge=charge, **values)
    assert chinese(error.message("en")) == error.message("zh")
    assert chinese(error.summary("en")) == error.summary("zh")


@pytest.mark.parametrize(
    "text",
    [
        "a: " * 5000,
        "no: " * 400,
        "x" * 10**6,
        "Reference image " + " is  x : its sides are more than " * 100,  # 5 s by a regex
    ],
)
def test_a_hostile_text_is_left_as_it_is_at_once(text: str) -> None:
    assert chinese(text) == text


def test_what_a_service_said_without_a_full_stop_does_not_run_into_the_next_sentence() -> None:
    error = ConfigurationError("stored_error", reason="quota used up")
    assert error.message("zh") == "此前的运行结果：quota used up。未产生费用。"
    refused = InvalidRequest("refused_balance", http=403, code="", reason="quota used up")
    assert "quota used up。未产生费用。请充值" in refused.message("zh")
    assert "quota used up. Nothing was charged. Top up" in refused.message("en")
    ended = InvalidRequest("refused_balance", http=403, code="", reason="Quota used up!")
    assert "Quota used up! Nothing was charged." in ended.message("en")


@pytest.mark.parametrize("key", WORDING)
def test_any_sentence_can_be_looked_up(key: str) -> None:
    wording = WORDING[key]
    values = {name: "x1" for template in wording for name in names(template)}
    for english in (wording.en.format(**values), wording.advice_en.format(**values)):
        found = chinese(english)
        assert found == english or CHINESE.search(found)


def test_a_line_is_not_taken_for_the_note_inside_it() -> None:
    doubt = "quality = 1K was sent, but a neighbouring source doubts it: no"
    assert chinese(f"Note: {doubt}") == "注意：已发送 quality = 1K，但另有资料存疑：no"
    assert chinese("Failed: a.png is no readable image: it is empty.") == (
        "失败：a.png 不是可读取的图片：文件为空。"
    )


def test_a_note_names_its_picture_in_chinese() -> None:
    note = "image_1, frame 2: sent as JPEG of quality 90: lossless takes more than 4194304 bytes"
    assert chinese(note) == ("image_1 第 2 帧：以质量 90 的 JPEG 发送：无损格式超过 4194304 字节")


def test_a_reason_in_an_error_is_chinese_in_the_chinese_message() -> None:
    error = ConfigurationError("bad_address", given="x", reason="it holds a user name")
    assert "it holds a user name" in error.message("en")
    assert "其中含有用户名" in error.message("zh") and "holds" not in error.message("zh")


def test_an_error_that_is_the_reason_of_another_is_told_in_its_language_without_its_money() -> None:
    inner = InvalidRequest(
        "url_private", given="http://10.0.0.1/a", address="10.0.0.1", host="10.0.0.1"
    )
    outer = InvalidRequest("urls_failed", failed=1, total=2, reason=inner)
    assert "10.0.0.1, which is not on the public internet" in outer.message("en")
    assert "不是公网地址" in outer.message("zh") and "SEEDREAM_ALLOW_HOSTS" in outer.message("zh")
    assert outer.message("en").count("Nothing was charged.") == 1
    assert outer.to_record()["values"]["reason"] == inner.summary("en")


def test_a_check_of_doctor_has_both_languages() -> None:
    assert Check("proxy", "ok", "not needed for the sandbox").message_zh == "沙盒不需要"
    error = ConfigurationError("no_key", path="/p")
    check = Check("key", "problem", str(error), error=error)
    assert check.message_zh == error.message("zh") and error.message("en") in check.message


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "C"}, "en"),
    ],
)
def test_the_terminals_language_follows_the_locale(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert language() == expected


def helps(parser: Any) -> Iterator[tuple[str, str]]:
    """The help of every command and option, as (command, text)."""
    for action in parser._actions:
        for one in (action, *getattr(action, "_choices_actions", [])):
            if one.help:
                yield parser.prog, one.help
        for child in (action.choices or {}).values() if isinstance(action.choices, dict) else ():
            yield from helps(child)


def test_every_help_text_has_its_chinese() -> None:
    found = list(helps(build_parser()))
    assert len(found) > 25
    assert [one for one in found if not CHINESE.search(chinese(one[1]))] == []


def test_help_and_progress_are_chinese_in_a_chinese_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    shown = build_parser().format_help()
    assert "生成图片；相同输入只扣费一次" in shown and "选项" in shown and "options:" not in shown
    assert describe(Progress(Phase.QUEUED, 3.0, task_id="task-1")) == "排队中 · 3 s · task-1"
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert "make images" in build_parser().format_help()


@pytest.mark.parametrize("command", [[], ["generate"], ["poll"], ["tasks"], ["download"]])
def test_what_argparse_says_itself_in_a_help_is_chinese_in_a_chinese_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    def shown(locale: str) -> str:
        monkeypatch.setenv("LC_ALL", locale)
        with pytest.raises(SystemExit):
            build_parser().parse_args([*command, "--help"])
        return capsys.readouterr().out

    own = re.compile(r"^usage: |^positional arguments:|^options:|show this help", re.M)
    english, said = shown("C.UTF-8"), shown("zh_CN.UTF-8")
    assert len(own.findall(english)) >= 3 and own.findall(said) == []
    assert said.startswith("用法：python -m seedream_api")


def test_the_heads_of_the_list_of_tasks_stand_at_the_same_columns_in_chinese() -> None:
    from seedream_api.messages.terminal import LINES

    english = next(line for line in LINES if "STATE" in line)
    wide = "".join(letter * (2 if CHINESE.match(letter) else 1) for letter in LINES[english])
    for word, twin in (("WHEN", "时"), ("STATE", "状"), ("MODEL", "模")):
        assert wide.index(twin) == english.index(word)
    assert len(wide) - len(wide.lstrip()) == 1, "the number's head ends where the number does"


def test_every_phase_has_both_languages() -> None:
    assert list(PHASES) == [phase.value for phase in Phase]
    for english, zh in PHASES.values():
        assert not CHINESE.search(english) and CHINESE.search(zh)
