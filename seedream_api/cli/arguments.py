"""Options that several commands share, and the types of their values."""

from __future__ import annotations

import argparse
import contextlib
import os
from pathlib import Path

from ..messages import Text
from .parser import Parser, help_text


def add_model(parser: Parser) -> None:
    """Add ``--model``, which a shell completes."""
    model = parser.add_argument("--model", required=True, help=help_text("model"))
    setattr(model, "completer", _list_models)  # noqa: B010 - where argcomplete expects it


def _list_models(**known: object) -> list[str]:
    from ..catalog import MODELS

    return list(MODELS)


def add_out(parser: Parser) -> None:
    """Add ``--out``, the folder for images."""
    parser.add_argument("--out", type=Path, default=Path(), metavar="DIR", help=help_text("out"))


def add_name(parser: Parser) -> None:
    """Add ``--name``, the template of the names of files in ``--out``."""
    parser.add_argument("--name", metavar="TEMPLATE", help=help_text("name"))


def add_waiting(parser: Parser) -> None:
    """Add ``--timeout`` and ``--no-wait``."""
    parser.add_argument("--timeout", type=parse_seconds, metavar="S", help=help_text("timeout"))
    parser.add_argument("--no-wait", action="store_true", help=help_text("no_wait"))


def add_profile(parser: Parser, described: str = "") -> None:
    """Add ``--profile``, the name of a key and its address; see ``open_settings``."""
    described = described or help_text("profile")
    parser.add_argument("--profile", default="", metavar="NAME", help=described)


def add_output(parser: Parser) -> None:
    """Add ``--json``, ``--quiet`` and ``--verbose``, which every command has that has a result."""
    parser.add_argument("--json", action="store_true", help=help_text("json"))
    parser.add_argument("-q", "--quiet", action="store_true", help=help_text("quiet"))
    parser.add_argument("-v", "--verbose", action="count", default=0, help=help_text("verbose"))


def parse_text(text: str) -> str:
    """Decode an argument as UTF-8 where the locale could not; what is not UTF-8 is rejected later,
    with a hint."""
    try:
        text.encode()
    except UnicodeEncodeError:
        with contextlib.suppress(UnicodeError):
            return os.fsencode(text).decode()
    return text


def parse_int(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(Text("wrong_use_whole", text=text)) from None


def parse_float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(Text("wrong_use_number", text=text)) from None


def parse_port(text: str) -> int:
    port = parse_int(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError(Text("wrong_use_range", text=text, low=0, high=65_535))
    return port


def parse_count(text: str) -> int:
    count = parse_int(text)
    if not 1 <= count <= 10**9:
        raise argparse.ArgumentTypeError(Text("wrong_use_range", text=text, low=1, high=10**9))
    return count


def parse_amount(text: str) -> float:
    amount = parse_float(text)
    if not 0 <= amount <= 1e9:
        raise argparse.ArgumentTypeError(Text("wrong_use_range", text=text, low=0, high=10**9))
    return amount


def parse_seconds(text: str) -> float:
    seconds = parse_float(text)
    if not 0 < seconds <= 604_800:
        raise argparse.ArgumentTypeError(Text("wrong_use_seconds", text=text, low=0, high=604_800))
    return seconds
