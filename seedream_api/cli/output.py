"""What the command line prints: one JSON object, or text."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from ..messages import Text, localize, text_of
from ..redaction import clean


@dataclass(frozen=True)
class Outcome:
    """What a command returns: the JSON object, its lines for people, and the exit code.

    Args:
        notes: lines that ``--quiet`` leaves out; they follow the others.
    """

    payload: dict[str, Any]
    lines: Sequence[str]
    exit_code: int
    notes: Sequence[str] = ()


def find_width() -> int | None:
    """Find the columns of the terminal that stdout is; ``None`` for a file or another program."""
    stdout: TextIO | None = sys.stdout
    is_terminal = stdout is not None and stdout.isatty()
    return shutil.get_terminal_size().columns if is_terminal or "COLUMNS" in os.environ else None


def say(text: str) -> None:
    """Write a line for people to stderr; drop it where stderr cannot be written."""
    with contextlib.suppress(OSError, AttributeError):  # full, or closed: None
        _write(sys.stderr, f"{clean(text)}\n")


def show(outcome: Outcome, *, as_json: bool, is_quiet: bool = False) -> bool:
    """Print the outcome of a command.

    Returns:
        Whether stdout could be written.
    """
    try:
        notes = () if is_quiet else outcome.notes
        _print(outcome.payload if as_json else None, [*outcome.lines, *notes])
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


def _print(payload: dict[str, Any] | None, lines: Sequence[str]) -> None:
    stdout: TextIO | None = sys.stdout
    if stdout is None:  # it was closed
        return
    encoding = stdout.encoding or "utf-8"
    # JSON escapes what the encoding lacks; its readers do not know the escapes of Python.
    is_ascii = not encoding.lower().startswith("utf")
    text = "" if payload is None else json.dumps(payload, ensure_ascii=is_ascii)
    text = text or "\n".join(map(clean, lines))
    if text:
        # A Windows console with another code page shows what it can.
        _write(stdout, text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
