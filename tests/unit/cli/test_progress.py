"""Progress on a terminal: bars, time left, one line per task, cut to the terminal's width."""

from __future__ import annotations

import asyncio
import io
import sys
from types import SimpleNamespace

import pytest

from seedream_api.cli import progress
from seedream_api.cli.progress import ProgressBoard, describe, describe_ticking
from seedream_api.cli.text_width import measure
from seedream_api.jobs.results import Phase, Progress

WORKING = Progress(Phase.PROCESSING, 12.0, 50.0, "task-a")


class Terminal(io.StringIO):
    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self) -> bool:
        return True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of 80 columns without ``rich``."""
    opened = Terminal()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=opened))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setattr(progress, "open_screen", progress._Screen)
    return opened


def test_line_is_overwritten_and_cleared(terminal: Terminal) -> None:
    async def show() -> None:
        with ProgressBoard() as board:
            board(WORKING)
            board(Progress(Phase.DOWNLOADING, 13.0, done=1, total=4))

    asyncio.run(show())
    *_, first, second, blank, nothing = terminal.getvalue().split("\r")
    assert first.startswith("processing · ━━━━━━━━━━────────── · 50 % · 12 s · task-a")
    assert second.startswith("downloading · ━━━━━─────────────── · 1 of 4 · 13 s")
    assert {len(line) for line in (first, second, blank)} == {79}
    assert blank.strip() == "" and nothing == "" and "\n" not in terminal.getvalue()


def test_nothing_is_shown_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=log))
    with ProgressBoard() as board:
        board(WORKING)
    assert log.getvalue() == ""


def test_quiet_shows_nothing_on_a_terminal(terminal: Terminal) -> None:
    with ProgressBoard(is_shown=False) as board:
        board(WORKING)
    assert terminal.getvalue() == ""


def test_seconds_tick_between_steps(terminal: Terminal) -> None:
    clock = Clock()
    board = ProgressBoard(clock=clock)
    board(WORKING)
    clock.now = 5.0
    assert "17 s" in board.build_lines(80)[0]


def test_each_task_has_a_line_until_it_is_done(terminal: Terminal) -> None:
    board = ProgressBoard()
    board.set_heading("2 of 5")
    board.of_task("task-a", WORKING)
    board.of_task("task-b", Progress(Phase.QUEUED, 1.0, task_id="task-b"))
    assert [line.rpartition(" ")[2] for line in board.build_lines(80)] == ["5", "task-a", "task-b"]
    board.of_task("task-a", Progress(Phase.DONE, 13.0))
    assert [line.rpartition(" ")[2] for line in board.build_lines(80)] == ["5", "task-b"]


@pytest.mark.parametrize(
    ("locale", "left"), [("C.UTF-8", "about 28 s left"), ("zh_CN.UTF-8", "约剩 28 秒")]
)
def test_usual_time_gives_bar_and_time_left(
    monkeypatch: pytest.MonkeyPatch, locale: str, left: str
) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    step = Progress(Phase.PROCESSING, 10.0)
    line = describe_ticking(step, 2.0, 40.0, 80)
    assert left in line and "12 s" in line
    assert left not in describe_ticking(step, 40.0, 40.0, 80), "it takes longer than usual"
    assert "left" not in describe_ticking(Progress(Phase.UPLOADING, 1.0), 0, 40.0, 80)


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("locale", ["C.UTF-8", "zh_CN.UTF-8"])
def test_lines_are_cut_to_the_terminal(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, columns: int, locale: str
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LC_ALL", locale)
    board = ProgressBoard(typical_s=60.0)
    board._screen = progress._Screen()
    board(Progress(Phase.PROCESSING, 12.0, 50.0, "task-with-a-very-long-identifier-0123456789"))
    drawn = terminal.getvalue().split("\r")[-1]
    assert measure(drawn) == columns - 1


def test_rich_draws_a_line_per_task(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rich")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    screen = progress.open_screen()
    screen.draw(["first ━━", "second"])
    screen.close()
    assert "first ━━" in terminal.getvalue() and "second" in terminal.getvalue()
    assert "\x1b[32m" not in terminal.getvalue(), "NO_COLOR is obeyed"


def test_closed_terminal_does_not_end_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(Terminal):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=Closed()))
    progress._Screen().draw(["a line"])


def test_download_counts_its_images() -> None:
    step = Progress(Phase.DOWNLOADING, 3.4, done=1, total=4)
    assert describe(step) == "downloading · 1 of 4 · 3 s"
