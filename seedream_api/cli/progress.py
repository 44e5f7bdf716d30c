"""Progress on a terminal's stderr."""

from __future__ import annotations

import sys
from typing import TextIO

from ..jobs.results import Phase, Progress
from ..messages import PHASES, Text, language, localize


class ProgressLine:
    """One line on a terminal that is overwritten; silent where stderr is not a terminal."""

    def __init__(self) -> None:
        stderr: TextIO | None = sys.stderr
        self._is_terminal = stderr is not None and stderr.isatty()
        self._width = 0

    def __call__(self, step: Progress) -> None:
        if self._is_terminal:
            text = describe(step)
            sys.stderr.write("\r" + text.ljust(self._width))
            sys.stderr.flush()
            self._width = len(text)

    def of_task(self, task_id: str, step: Progress) -> None:
        self(step)

    def end(self) -> None:
        if self._is_terminal and self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()
            self._width = 0


def describe(step: Progress) -> str:
    """Describe a step in a few words."""
    words = [PHASES[step.phase.value][1] if language() == "zh" else step.phase.value]
    if step.percent is not None:
        words.append(f"{step.percent:.0f} %")
    if step.phase is Phase.DOWNLOADING and step.total:
        words.append(localize(Text("of_total", done=step.done, total=step.total)))
    words.append(f"{step.seconds:.0f} s")
    if step.task_id:
        words.append(step.task_id)
    return " · ".join(words)
