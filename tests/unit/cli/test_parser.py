"""The command line's arguments are a contract: names, defaults, and what is wrong use."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from seedream_api.cli.parser import build_parser
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
