"""The table of tasks fits its terminal, by the columns that characters take."""

from __future__ import annotations

from typing import Any

import pytest

from seedream_api.cli.task_entries import build_entry, format_table
from seedream_api.cli.text_width import measure
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.records import JobRecord
from seedream_api.ledger.states import JobSpec

PROMPTS = (
    "A cat on\nthe grass, cinematic lighting, 35 mm, " * 3,
    "一只猫在草地上玩耍，电影感光线，" * 5,
)


@pytest.fixture
def listed(ledger: SyncLedger) -> tuple[list[JobRecord], list[dict[str, Any]]]:
    for number, prompt in enumerate(PROMPTS):
        model = "Seedream-5.0-Lite-Preferential"
        spec = JobSpec(f"w{number}", "preferential", model, "a", "k", prompt, {}, (), 0, 1)
        ledger.release(ledger.claim(spec, "key").id)
    rows = ledger.list_records()
    return rows, [build_entry(row, ledger) for row in rows]


@pytest.mark.parametrize("locale", ["C.UTF-8", "zh_CN.UTF-8"])
@pytest.mark.parametrize("width", [40, 80, 120])
def test_table_fits_the_terminal(
    listed: Any, monkeypatch: pytest.MonkeyPatch, width: int, locale: str
) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    lines = format_table(*listed, width)
    assert max(map(measure, lines)) <= width
    assert any("A cat on the" in line for line in lines), "line breaks of a prompt are removed"
    assert any("一只猫" in line for line in lines) and any("…" in line for line in lines)


@pytest.mark.parametrize("locale", ["C.UTF-8", "zh_CN.UTF-8"])
def test_columns_are_aligned(listed: Any, monkeypatch: pytest.MonkeyPatch, locale: str) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    head, *lines = format_table(*listed, 80)
    word = "PROMPT" if locale == "C.UTF-8" else "提示词"
    begins = {measure(head.partition(word)[0])}
    begins |= {measure(line.partition("A cat")[0]) for line in lines if "A cat" in line}
    begins |= {measure(line.partition("一只猫")[0]) for line in lines if "一只猫" in line}
    assert begins == {59}
    assert "5.0-Lite-Preferential" in lines[0]


def test_programs_get_whole_lines(listed: Any) -> None:
    head, newest, _ = format_table(*listed, None)
    assert "TASK" in head and "Seedream-5.0-Lite-Preferential" in newest
