"""What the command line prints: one JSON object, or text; progress goes to a terminal's stderr."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from ..errors import SeedreamError
from ..jobs.results import Phase, Progress, Result
from ..messages import PHASES, Text, language, localize, text_of
from ..redaction import clean


@dataclass(frozen=True)
class Outcome:
    """What a command returns: the JSON object, its lines for people, and the exit code."""

    payload: dict[str, Any]
    lines: Sequence[str]
    exit_code: int


def build_error_payload(command: str, error: SeedreamError) -> dict[str, Any]:
    """Build the JSON object of a command that failed."""
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


def build_result_payload(result: Result, paths: Sequence[str]) -> dict[str, Any]:
    """Build the JSON object of a generation or a poll."""
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
        "cost": result.cost.to_json(),
        "may_have_been_charged": not result.is_reused and result.charged_images > 0,
        "error": None,
        "notes": list(result.notes),
    }


def say(text: str) -> None:
    """Write a line for people to stderr; drop it where stderr cannot be written."""
    with contextlib.suppress(OSError, AttributeError):  # full, or closed: None
        _write(sys.stderr, f"{clean(text)}\n")


class CleanFormatter(logging.Formatter):
    """Formats log lines without secrets and without terminal control codes."""

    def format(self, record: logging.LogRecord) -> str:
        return clean(super().format(record))


def show(outcome: Outcome, *, as_json: bool) -> bool:
    """Print the outcome of a command.

    Returns:
        Whether stdout could be written.
    """
    try:
        _print(outcome, as_json=as_json)
    except OSError as error:
        say(localize(Text("output_unwritable", reason=text_of(error))))
        return False
    return True


def flush_stdout() -> None:
    """Write out what was printed.

    Raises:
        OSError: stdout cannot be written.
    """
    _write(sys.stdout, "")


def _write(stream: TextIO | None, text: str) -> None:
    """Write and flush. Drop what the stream rejects: Python would try again at exit and end with
    a traceback."""
    if stream is None:  # it was closed
        return
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        raise


def _print(outcome: Outcome, *, as_json: bool) -> None:
    stdout: TextIO | None = sys.stdout
    if stdout is None:  # it was closed
        return
    encoding = stdout.encoding or "utf-8"
    # JSON escapes what the encoding lacks; its readers do not know the escapes of Python.
    is_ascii = not encoding.lower().startswith("utf")
    text = json.dumps(outcome.payload, ensure_ascii=is_ascii) if as_json else ""
    text = text or "\n".join(map(clean, outcome.lines))
    if text:
        # A Windows console with another code page shows what it can.
        _write(stdout, text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


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
