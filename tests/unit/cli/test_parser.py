"""The command line's arguments are a contract: names, defaults, and what is wrong use."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from seedream_api.cli.commands import COMMANDS, GROUPS
from seedream_api.cli.parser import build_parser
from seedream_api.cli.text_width import measure
from seedream_api.errors import InvalidRequest
from seedream_api.messages import to_chinese

CHINESE = re.compile(r"[\u4e00-\u9fff]")
GENERATE = ["generate", "--model", "Seedream-4.5", "--prompt", "a cat"]


def parsed(*words: str) -> dict[str, Any]:
    return vars(build_parser().parse_args(words))


def wrong_use(*words: str) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        build_parser().parse_args(words)
    assert caught.value.key == "wrong_use" and caught.value.exit_code == 2
    return caught.value


def test_generate_has_the_contracts_defaults() -> None:
    found = parsed(*GENERATE)
    assert {name: found[name] for name in (
        "size", "quality", "n", "ref", "seed", "prompt_priority", "output_format", "watermark",
        "out", "timeout", "no_wait", "json",
    )} == {
        "size": None, "quality": None, "n": None, "ref": [], "seed": 0, "prompt_priority": None,
        "output_format": None, "watermark": None, "out": Path(), "timeout": None,
        "no_wait": False, "json": False,
    }  # fmt: skip


def test_generate_takes_everything_of_the_contract() -> None:
    found = parsed(
        *GENERATE, "--size", "16:9", "--quality", "4K", "--n", "4", "--ref", "a.png",
        "--ref", "https://example.com/b.png", "--seed", "-7", "--prompt-priority", "fast",
        "--output-format", "png", "--watermark", "--out", "here", "--timeout", "90.5",
        "--no-wait", "--json",
    )  # fmt: skip
    assert found["ref"] == ["a.png", "https://example.com/b.png"] and found["n"] == 4
    assert found["seed"] == -7 and found["watermark"] is True and found["out"] == Path("here")
    assert found["timeout"] == 90.5 and found["no_wait"] and found["json"]


def test_references_of_one_call_do_not_leak_into_the_next() -> None:
    assert parsed(*GENERATE, "--ref", "a")["ref"] == ["a"]
    assert parsed(*GENERATE)["ref"] == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["poll", "task-a", "task-b"], {"task_ids": ["task-a", "task-b"], "no_wait": False}),
        (["poll", "t", "--out", "d", "--timeout", "5", "--no-wait", "--json"], {"timeout": 5.0}),
        (["poll"], {"task_ids": []}),
        (["tasks"], {"resume": None, "forget": None, "json": False}),
        (["tasks", "--resume", "7", "--json"], {"resume": "7"}),
        (["tasks", "--forget", "task-a"], {"forget": "task-a"}),
        (
            ["download", "https://a", "https://b", "--out", "d"],
            {"urls": ["https://a", "https://b"]},
        ),
        (["models", "--json"], {"json": True}),
        (["doctor", "--json"], {"json": True}),
        (["sandbox"], {"port": 0, "strict": False}),
        (["sandbox", "--port", "8123", "--strict"], {"port": 8123, "strict": True}),
    ],
)
def test_every_other_command_of_the_contract(words: list[str], expected: dict[str, Any]) -> None:
    found = parsed(*words)
    assert found["command"] == words[0]
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], "command"),
        (["draw"], "draw"),
        (["generate", "--prompt", "a cat"], "--model"),
        (["generate", "--model", "Seedream-4.5"], "--prompt"),
        ([*GENERATE, "--n", "many"], "--n: many is not a whole number"),
        ([*GENERATE, "--seed", "1.5"], "1.5 is not a whole number"),
        ([*GENERATE, "--colour", "red"], "--colour"),
        ([*GENERATE, "--timeout", "0"], "between 0 and 604800"),
        ([*GENERATE, "--timeout", "-5"], "--timeout"),
        ([*GENERATE, "--timeout", "nan"], "--timeout"),
        ([*GENERATE, "--timeout", "inf"], "--timeout"),
        ([*GENERATE, "--timeout", "soon"], "soon is not a number"),
        ([*GENERATE, "--ref"], "--ref"),
        (["tasks", "--resume", "1", "--forget", "2"], "--forget"),
        (["download"], "URL"),
        (["sandbox", "--port", "x"], "x is not a whole number"),
    ],
)
def test_wrong_use_raises_an_error_that_names_it(
    words: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    error = wrong_use(*words)
    assert named in error.message("en") and "usage: python -m" in error.message("en")
    assert CHINESE.search(str(to_chinese(error.reason))) and "用法：python" in error.message("zh")
    assert not re.search(r"argument|expected|is not|required", str(to_chinese(error.reason)))
    assert capsys.readouterr() == ("", ""), "who prints what is decided elsewhere"


def test_help_and_version_are_shown_and_end_well(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--help"], ["--version"], ["generate", "--help"]):
        with pytest.raises(SystemExit) as caught:
            build_parser().parse_args(words)
        assert caught.value.code == 0 and capsys.readouterr().out


# ---- help ----


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("locale", ["C.UTF-8", "zh_CN.UTF-8"])
@pytest.mark.parametrize("words", [[], *([name] for name in COMMANDS)])
def test_help_fits_the_terminal_in_both_languages(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    locale: str,
    columns: int,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LC_ALL", locale)
    monkeypatch.setattr("sys.argv", ["seedream"])
    with pytest.raises(SystemExit):
        build_parser().parse_args([*words, "--help"])
    lines = capsys.readouterr().out.splitlines()
    # A long word, such as a path in an example, has its own line.
    wide = [line for line in lines if measure(line) > columns and " " in line.strip(" \\")]
    assert len(lines) > 5
    assert wide == []


def test_help_lists_every_command_in_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    shown = build_parser().format_help()
    for group in GROUPS:
        section = shown.partition(f"\n{group}:\n")[2].partition("\n\n")[0]
        listed = re.findall(r"^  ([a-z]+) ", section, re.M)
        assert listed == [one.name for one in COMMANDS.values() if one.group is group]


def test_help_shows_examples_as_they_are_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/usr/bin/seedream"])
    parser = build_parser(["generate"]).parse_args(GENERATE).parser
    assert "\n  seedream generate --model Seedream-4.5" in parser.format_help()


# ---- misspelt ----


@pytest.mark.parametrize(
    ("words", "given", "meant"),
    [
        (["genrate"], "genrate", "generate"),
        (["generate", "--promt", "a", "--model", "b"], "--promt", "--prompt"),
        ([*GENERATE, "--sise=2K"], "--sise", "--size"),
        (["tasks", "--state", "complete"], "complete", "completed"),
    ],
)
def test_misspelt_word_is_suggested(words: list[str], given: str, meant: str) -> None:
    reason = wrong_use(*words).reason
    assert f"({given}: did you mean {meant}?)" in reason
    assert f"（{given}：您是否要输入 {meant}？）" in str(to_chinese(reason))


def test_unlike_option_has_no_suggestion() -> None:
    error = wrong_use(*GENERATE, "--colour", "red")
    assert "did you mean" not in error.reason


def test_wrong_use_shows_usage_of_its_command() -> None:
    usage = "usage: python -m seedream_api generate --model MODEL (--prompt TEXT | "
    assert usage in wrong_use(*GENERATE, "--colour", "red").message("en")
    assert "usage: python -m seedream_api COMMAND" in wrong_use("draw").message("en")


def test_only_named_commands_are_defined() -> None:
    parsed = build_parser(["models", "--json"]).parse_args(["models", "--json"])
    assert parsed.json is True
    with pytest.raises(InvalidRequest):
        build_parser(["models"]).parse_args(["doctor", "--json"])
