"""Options that several commands share, and the types of their values."""

from __future__ import annotations

import argparse
import contextlib
import os
from pathlib import Path

from ..messages import Text
from .parser import Parser, help_text


def add_out(parser: Parser) -> None:
    """Add ``--out``, the folder for images."""
    parser.add_argument("--out", type=Path, default=Path(), metavar="DIR", help=help_text("out"))


def add_waiting(parser: Parser) -> None:
    """Add ``--timeout`` and ``--no-wait``."""
    parser.add_argument("--timeout", type=parse_seconds, metavar="S", help=help_text("timeout"))
    parser.add_argument("--no-wait", action="store_true", help=help_text("no_wait"))


def add_profile(parser: Parser) -> None:
    """Add ``--profile``, the name of a key and its address; see ``open_settings``."""
    parser.add_argument("--profile", default="", metavar="NAME", help=help_text("profile"))


def add_output(parser: Parser) -> None:
    """Add ``--json``, which every command has that prints a result."""
    parser.add_argument("--json", action="store_true", help=help_text("json"))


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
