"""The language of the locale, and of the help and the progress."""

from __future__ import annotations

import re

import pytest

from seedream_api.cli.parser import build_parser
from seedream_api.cli.progress import describe
from seedream_api.jobs.results import Phase, Progress
from seedream_api.messages import language


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "C"}, "en"),
    ],
)
def test_language_follows_the_locale(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert language() == expected


def test_help_and_progress_follow_the_locale(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    shown = build_parser().format_help()
    assert "生成图片；相同输入只扣费一次" in shown and "选项" in shown and "options:" not in shown
    assert describe(Progress(Phase.QUEUED, 3.0, task_id="task-1")) == "排队中 · 3 s · task-1"
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert "make images" in build_parser().format_help()


@pytest.mark.parametrize("command", [["generate"], ["poll"], ["tasks"], ["download"]])
def test_help_headings_follow_the_locale(
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
