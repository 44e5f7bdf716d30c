"""What the command line prints: one JSON object, or text."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from ..messages import Text, localize, text_of
from ..redaction import clean


@dataclass(frozen=True)
class Outcome:
    """What a command returns: the JSON object, its lines for people, and the exit code.

    Args:
        lines: on a terminal, those that are too wide are broken, unless they are ``Verbatim``.
        notes: lines that ``--quiet`` leaves out; they follow the others.
    """

    payload: dict[str, Any]
    lines: Sequence[str]
    exit_code: int
    notes: Sequence[str] = ()


class Verbatim(str):
    """A line that is never broken, so that it can be copied: a path, a value or code."""

    __slots__ = ()


def find_width() -> int | None:
    """Find the columns for tables on stdout; ``None`` for a file or another program."""
    if "COLUMNS" in os.environ:
        return shutil.get_terminal_size().columns
    return find_columns(sys.stdout)


def find_columns(stream: TextIO | None) -> int | None:
    """Find the columns of the terminal that a stream is; ``None`` for a file or another program."""
    if stream is None or not stream.isatty():
        return None
    columns = shutil.get_terminal_size().columns
    if "COLUMNS" not in os.environ:  # stdout may be a file, and stderr the terminal
        with contextlib.suppress(OSError, ValueError, AttributeError):
            columns = os.get_terminal_size(stream.fileno()).columns or columns
    return columns


def say(text: str) -> None:
    """Write a line for people to stderr; drop it where stderr cannot be written."""
    with contextlib.suppress(OSError, AttributeError):  # full, or closed: None
        _write(sys.stderr, "\n".join(fit_lines([text], sys.stderr)) + "\n")


def fit_lines(lines: Iterable[str], stream: TextIO | None) -> list[str]:
    """Remove control characters, and break the lines between words for a terminal."""
    from .text_width import fold

    width = find_columns(stream)
    fitted: list[str] = []
    for line in lines:
        for part in clean(line).split("\n"):
            if width is None or isinstance(line, Verbatim):
                fitted.append(part)
            else:
                fitted += fold(part, width)
    return fitted


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
    text = text or "\n".join(fit_lines(lines, stdout))
    if text:
        # A Windows console with another code page shows what it can.
        _write(stdout, text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
