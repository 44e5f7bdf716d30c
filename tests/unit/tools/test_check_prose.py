"""The checker of the prose: what it finds, where, and what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.tool_modules import load_tool


@pytest.fixture(scope="module")
def checker() -> Any:
    return load_tool("check_prose")


def words(checker: Any, name: str, source: str) -> list[str]:
    return [f"{one.line}: {one.words}" for one in checker.find(name, source, [])[0]]


PYTHON = '''"""A module.

Sends it again by
itself.
"""

NAME = "nobody"
"""What nobody reads."""


def test_that_nobody_waits():  # a wish
    print("nobody")  # and `walk` is code
'''


def test_find_reads_docstrings_comments_and_test_names(checker: Any) -> None:
    assert words(checker, "jobs.py", PYTHON) == [
        "3: by itself", "8: nobody", "11: nobody", "11: wish",
    ]  # fmt: skip


def test_find_reads_every_string_of_messages(checker: Any) -> None:
    source = 'TEXT = ("{name} is "\n    "no URL", "结果是秘密")\n'
    assert words(checker, "seedream_api/messages/a.py", source) == ["1: is no", "2: 秘密"]
    assert words(checker, "seedream_api/jobs/a.py", source) == []


@pytest.mark.parametrize(
    "text",
    [
        "One address a line.", "The task goes on.", "It is told so.", "A look is free.",
        "Look at the task.", "The way of references", "Once an image: a poll", "Names no host",
        "The service answered.", "This is no URL.", "Set a key of your own.",
    ],
)  # fmt: skip
def test_find_sees_dialect(checker: Any, text: str) -> None:
    assert words(checker, "README.md", text)


@pytest.mark.parametrize(
    "text",
    [
        "Look up the name. It looks like a URL.", "By the way, the only way to see it is here.",
        "There is no key, and it is no longer needed.", "Once an image is stored, decode it.",
        "The state *answered* follows.", "Run `walk` or\n```\nnobody\n```\n",
        "See [the page](docs/road.md).", "响应中没有图片。",
    ],
)  # fmt: skip
def test_find_leaves_plain_english_alone(checker: Any, text: str) -> None:
    assert words(checker, "README.md", text) == []


def test_exception_covers_its_phrase_in_its_file_only(checker: Any) -> None:
    exempt = checker.Exempt("a.md", "the road to Rome", "a proverb")
    text = "All of it is the road\nto Rome.\nThe road is long.\n"
    findings, used = checker.find("a.md", text, [exempt])
    assert [(one.line, one.words) for one in findings] == [(3, "road")] and used == {exempt}
    findings, used = checker.find("b.md", text, [exempt])
    assert len(findings) == 2 and used == set()


def test_main_names_file_line_and_words(
    checker: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(checker, "ROOT", tmp_path.resolve())
    file = tmp_path / "a.md"
    file.write_text("Fine.\n\nNobody knows.\n", "utf-8")
    assert checker.main(str(file)) == 1
    assert capsys.readouterr().out == "a.md:3: Nobody\n"
    file.write_text("Fine.\n", "utf-8")
    assert checker.main(str(file)) == 0


def test_main_reports_exceptions_that_are_not_needed(
    checker: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    config = tmp_path / "check_prose.json"
    config.write_text(
        '{"files": ["*.md"], "exceptions": [{"file": "a.md", "phrase": "road", "reason": "x"}]}'
    )
    (tmp_path / "a.md").write_text("Fine.\n")
    monkeypatch.setattr(checker, "ROOT", tmp_path)
    monkeypatch.setattr(checker, "CONFIG", config)
    assert checker.main() == 1
    assert "not needed" in capsys.readouterr().out


def test_every_exception_has_a_reason(checker: Any) -> None:
    config = json.loads(checker.CONFIG.read_text("utf-8"))
    assert all(one["file"] and one["phrase"] and one["reason"] for one in config["exceptions"])
    assert config["files"]
