"""Progress on a terminal's stderr: one line per task, with the seconds ticking."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TextIO

from ..jobs.results import Phase, Progress
from ..messages import PHASES, Text, language, localize
from .output import find_columns, fit_lines, say
from .text_width import cut, pad

_TICK_S = 1.0
_BAR = 20
_NARROW = 60
"""Columns below which the bar is half as long."""
_ALMOST = 0.95
"""Where a bar stops that is drawn from the usual time alone."""


class ProgressBoard:
    """The running tasks, redrawn with every step and every second; a context manager.

    It is silent where stderr is not a terminal. With ``rich`` installed every task keeps its line;
    without it, the task that changed last has the only one.

    Args:
        typical_s: how long such a task usually takes, for the time left; ``None`` if unknown.
        is_shown: whether to draw at all.
        clock: returns monotonic seconds.
    """

    def __init__(
        self,
        *,
        typical_s: float | None = None,
        is_shown: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        stderr: TextIO | None = sys.stderr
        self._is_wanted = is_shown
        self._is_shown = is_shown and stderr is not None and stderr.isatty()
        self._typical_s, self._clock = typical_s, clock
        self._steps: dict[str, tuple[Progress, float]] = {}
        """The last step of each running task and when it came; the newest is last."""
        self._heading = ""
        self._screen: _Screen | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> ProgressBoard:
        if self._is_shown:
            self._screen = open_screen()
            self._tick()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._screen is not None:
            self._screen.close()
            self._screen = None

    def __call__(self, step: Progress) -> None:
        """Show a step of the only task."""
        self.of_task("", step)

    def of_task(self, name: str, step: Progress) -> None:
        """Show a step of one of several tasks."""
        self._steps.pop(name, None)
        if step.phase is not Phase.DONE:
            self._steps[name] = (step, self._clock())
        self.draw()

    def set_heading(self, text: str) -> None:
        """Show a line above the tasks, such as the count of a batch."""
        self._heading = text
        self.draw()

    def say(self, text: str) -> None:
        """Write a line that stays, above the tasks; also where stderr is not a terminal."""
        if self._screen is not None:
            self._screen.say(text)
        elif self._is_wanted:
            say(text)

    def now(self) -> float:
        """Return the seconds of its clock."""
        return self._clock()

    def draw(self) -> None:
        if self._screen is not None:
            width = _find_width()
            self._screen.draw([cut(line, width) for line in self.build_lines(width)])

    def build_lines(self, width: int) -> list[str]:
        """Build the lines for a terminal of this many columns."""
        now = self._clock()
        lines = [
            describe_ticking(step, now - since, self._typical_s, width)
            for step, since in self._steps.values()
        ]
        return [self._heading, *lines] if self._heading else lines

    def _tick(self) -> None:
        self.draw()
        self._timer = asyncio.get_running_loop().call_later(_TICK_S, self._tick)


class _Screen:
    """One line that is overwritten, for terminals of any kind."""

    def __init__(self) -> None:
        self._is_used = False

    def draw(self, lines: Sequence[str]) -> None:
        text = lines[-1] if lines else ""
        _write("\r" + pad(text, _find_width()))
        self._is_used = True

    def say(self, text: str) -> None:
        self.close()
        say(text)

    def close(self) -> None:
        if self._is_used:
            _write("\r" + " " * _find_width() + "\r")


class _RichScreen(_Screen):
    """One line per task, drawn with ``rich``."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        super().__init__()
        self._live = Live(
            console=Console(stderr=True, highlight=False), auto_refresh=False, transient=True
        )
        self._live.start()

    def draw(self, lines: Sequence[str]) -> None:
        from rich.text import Text as RichText

        shown = RichText("\n".join(lines), no_wrap=True)
        shown.highlight_regex(r"━+", "green")
        self._live.update(shown, refresh=True)

    def say(self, text: str) -> None:
        shown = "\n".join(fit_lines([text], _find_terminal()))
        self._live.console.print(shown, markup=False, soft_wrap=True)

    def close(self) -> None:
        self._live.stop()


def open_screen() -> _Screen:
    """Open a screen for several lines where ``rich`` is installed, else for one."""
    if os.environ.get("TERM") == "dumb":
        return _Screen()
    try:
        return _RichScreen()
    except ImportError:
        return _Screen()


def _find_width() -> int:
    """Find the columns that a line may have without moving the cursor to the next line."""
    return (find_columns(_find_terminal()) or 80) - 1


def _find_terminal() -> TextIO:
    """Find the terminal itself: while ``rich`` draws, ``sys.stderr`` is a proxy."""
    terminal: TextIO = getattr(sys.stderr, "rich_proxied_file", sys.stderr)
    return terminal


def _write(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:  # a closed pipe or full disk must not end a paid request
        return


def describe_ticking(step: Progress, later_s: float, typical_s: float | None, width: int) -> str:
    """Describe a step that began ``later_s`` seconds ago, with a bar and the time left."""
    seconds = step.seconds + later_s
    words = _describe_phase(step)
    share = _estimate_share(step, seconds, typical_s)
    if share is not None:
        words.insert(1, _draw_bar(share, _BAR if width >= _NARROW else _BAR // 2))
    words.append(f"{seconds:.0f} s")
    if typical_s is not None and step.phase in _RUNNING and typical_s > seconds:
        words.append(localize(Text("time_left", seconds=f"{typical_s - seconds:.0f}")))
    return " · ".join([*words, *filter(None, [step.task_id])])


_RUNNING = (Phase.QUEUED, Phase.PROCESSING)
"""Phases whose usual time is known."""


def _estimate_share(step: Progress, seconds: float, typical_s: float | None) -> float | None:
    """Estimate how much of the current phase is done, from 0 to 1; ``None`` if unknown."""
    if step.percent is not None:
        return step.percent / 100
    if step.total:
        return step.done / step.total
    if typical_s and step.phase in _RUNNING:
        return min(seconds / typical_s, _ALMOST)
    return None


def _draw_bar(share: float, width: int) -> str:
    done = round(min(max(share, 0.0), 1.0) * width)
    full, empty = ("━", "─") if _is_unicode() else ("#", "-")
    return full * done + empty * (width - done)


def _is_unicode() -> bool:
    return (getattr(_find_terminal(), "encoding", None) or "").lower().startswith("utf")


def _describe_phase(step: Progress) -> list[str]:
    words = [PHASES[step.phase.value][1] if language() == "zh" else step.phase.value]
    if step.percent is not None:
        words.append(f"{step.percent:.0f} %")
    if step.phase is Phase.DOWNLOADING and step.total:
        words.append(localize(Text("of_total", done=step.done, total=step.total)))
    return words


def describe(step: Progress) -> str:
    """Describe a step in a few words."""
    words = [*_describe_phase(step), f"{step.seconds:.0f} s", *filter(None, [step.task_id])]
    return " · ".join(words)
