"""What a user hands in beside options: prompts and reference images, in files or through stdin."""

from __future__ import annotations

import argparse
import glob
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ..config.paths import expand_user
from ..errors import InvalidRequest
from ..messages import Text, text_of
from ..service.references import Reference, UrlReference, file_reference

STDIN = "-"


def read_prompt(arguments: argparse.Namespace) -> str:
    """Read the prompt: the text of ``--prompt``, stdin for ``-``, or ``--prompt-file``.

    Raises:
        InvalidRequest: the file cannot be read, or stdin is wanted twice.
    """
    if arguments.prompt == STDIN:
        if STDIN in arguments.ref:
            raise InvalidRequest("wrong_use", reason=Text("stdin_twice"), usage="generate ...")
        return _decode(_read_stdin(), Text("standard_input"))
    if arguments.prompt_file is None:
        return arguments.prompt
    path = expand_user(arguments.prompt_file)
    try:
        return _decode(path.read_bytes(), path)
    except OSError as error:
        raise InvalidRequest("prompt_unreadable", path=path, reason=text_of(error)) from None


def _decode(data: bytes, name: object) -> str:
    try:
        return data.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise InvalidRequest("prompt_unreadable", path=name, reason=text_of(error)) from None


def _read_stdin() -> bytes:
    return b"" if sys.stdin is None else sys.stdin.buffer.read()


def read_references(given: Sequence[str]) -> tuple[Reference, ...]:
    """Read reference images: files, patterns such as ``views/*.png``, URLs, and stdin for ``-``.

    Raises:
        InvalidRequest: a file is missing or not a readable image, or a pattern matches none.
    """
    if given.count(STDIN) > 1:
        raise InvalidRequest("wrong_use", reason=Text("stdin_twice"), usage="generate ...")
    return tuple(
        _read_reference(text, position)
        for position, text in enumerate(expand_patterns(given), start=1)
    )


def _read_reference(text: str, position: int) -> Reference:
    if text == STDIN:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "stdin"
            file.write_bytes(_read_stdin())
            return file_reference(file, position)
    if _is_url(text):
        return UrlReference(text.strip().replace(" ", "%20"))
    return file_reference(expand_user(text), position)


def _is_url(text: str) -> bool:
    return text.strip().lower().startswith(("http://", "https://"))


def expand_patterns(given: Iterable[str]) -> Iterator[str]:
    """Replace patterns by the files that they match, sorted; Windows shells do not do it.

    A text that matches nothing stays, and its error names it.
    """
    for text in given:
        path = expand_user(text)
        is_pattern = glob.has_magic(text) and not _is_url(text) and not path.exists()
        yield from (sorted(glob.glob(str(path))) if is_pattern else ()) or (text,)  # noqa: PTH207
