"""Texts on a terminal: a Chinese character takes two columns."""

from __future__ import annotations

import pytest

from seedream_api.cli.text_width import cut, fold, measure, pad, wrap


@pytest.mark.parametrize(("text", "columns"), [("cat", 3), ("一只猫", 6), ("é", 1), ("e\u0301", 1)])
def test_measure_counts_columns(text: str, columns: int) -> None:
    assert measure(text) == columns


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("cat", 3, "cat"),
        ("a cat", 4, "a c…"),
        ("一只猫", 5, "一只…"),
        ("一只猫", 4, "一…"),
        ("", 3, ""),
    ],
)
def test_cut_marks_what_is_missing(text: str, width: int, shown: str) -> None:
    assert cut(text, width) == shown and measure(shown) <= width


def test_pad_fills_or_shortens() -> None:
    assert pad("猫", 4) == "猫  " and pad("一只猫", 4) == "一… "


def test_wrap_breaks_between_words_and_characters() -> None:
    assert wrap("make images of cats", 11) == ["make images", "of cats"]
    assert wrap("按 ID 取回任务；不提交", 10) == ["按 ID 取回", "任务；不提", "交"]
    assert wrap("一只猫，", 6) == ["一只", "猫，"], "punctuation does not begin a line"
    assert wrap("extraordinarily long", 6) == ["extraordinarily", "long"]
    assert wrap("  ", 6) == []


def test_fold_indents_what_follows_and_keeps_blanks() -> None:
    assert fold("ok  a  b", 8) == ["ok  a  b"]
    assert fold("ok    home: /data is writable", 20) == ["ok    home: /data is", "  writable"]
    assert fold("   a long line", 9) == ["   a long", "     line"]
    assert fold("seedream poll [...]", 9, hanging=4) == ["seedream", "    poll", "    [...]"]


def test_fold_keeps_a_command_on_one_line() -> None:
    command = '    "/usr/bin/python3" -m pip install "obstore>=0.10"'
    assert fold(command, 20) == [command]


def test_fold_keeps_brackets_with_their_words() -> None:
    assert fold("超时 30 (默认值)", 10) == ["超时 30", "  (默认值)"]
    assert fold("密钥：已设置（环境变量）", 14) == ["密钥：已设置", "  （环境变量）"]
