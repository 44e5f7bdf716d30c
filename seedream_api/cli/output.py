"""What the command line prints: one JSON object, or words; progress goes to a terminal's stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import SeedreamError
from ..results import Phase, Progress, Result
from ..wording import PHASES, language


@dataclass(frozen=True)
class Outcome:
    """What a command came to: the JSON object, its lines for people, and the exit code."""

    payload: dict[str, Any]
    lines: Sequence[str]
    exit_code: int


def error_payload(command: str, error: SeedreamError) -> dict[str, Any]:
    """The JSON object of a command that failed."""
    described = {"type": type(error).__name__, "message": str(error)}
    if command in ("generate", "poll", "download"):
        return {
            "status": error.status,
            "task_id": error.task_id or "",
            "task_ids": (error.task_id or "").split(),
            "images": [],
            "failures": [],
            "references": None,
            "reused": False,
            "may_have_been_charged": error.may_have_been_charged,
            "error": described,
            "notes": [],
        }
    empty = {"tasks": "tasks", "models": "models", "doctor": "checks"}.get(command, "result")
    return {empty: [], "error": described}


def result_payload(result: Result, paths: Sequence[str]) -> dict[str, Any]:
    """The JSON object of a generation or a poll."""
    images = [
        {"path": path, "width": image.width, "height": image.height, "url": image.url}
        for path, image in zip(paths, result.images, strict=True)
    ]
    failures = [
        {"task_id": failure.task_id, "position": failure.position, "reason": failure.reason}
        for failure in result.failures
    ]
    return {
        "status": result.status,
        "task_id": result.task_id or "",
        "task_ids": (result.task_id or "").split(),
        "images": images,
        "failures": failures,
        "references": result.references,
        "reused": result.is_reused,
        "may_have_been_charged": not result.is_reused and result.charged_images > 0,
        "error": None,
        "notes": list(result.notes),
    }


def say(text: str) -> None:
    """A line for people, beside stdout."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def show(outcome: Outcome, *, as_json: bool) -> None:
    """Print what a command came to."""
    encoding = sys.stdout.encoding or "utf-8"
    # JSON has escapes of its own for what the encoding lacks; those of Python it does not know.
    is_ascii = not encoding.lower().startswith("utf")
    text = json.dumps(outcome.payload, ensure_ascii=is_ascii) if as_json else ""
    text = text or "\n".join(outcome.lines)
    if text:
        # A console of another code page (Windows) shows what it can rather than failing here.
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


class ProgressLine:
    """One line on a terminal that is written over; silent where stderr is none."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
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
    """A step in a few words."""
    is_chinese = language() == "zh"
    words = [PHASES[step.phase.value][1] if is_chinese else step.phase.value]
    if step.percent is not None:
        words.append(f"{step.percent:.0f} %")
    if step.phase is Phase.DOWNLOADING and step.total:
        words.append(f"{step.done}{'/' if is_chinese else ' of '}{step.total}")
    words.append(f"{step.seconds:.0f} s")
    if step.task_id:
        words.append(step.task_id)
    return " · ".join(words)
