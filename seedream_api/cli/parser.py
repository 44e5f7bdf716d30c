"""The command-line arguments."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from .._version import __version__
from ..errors import InvalidRequest
from ..ledger.states import State
from ..messages import TEXTS, Text, localize

_WRONG_USE = tuple(key for key in TEXTS if key.startswith("wrong_use_"))


class _Formatter(argparse.HelpFormatter):
    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[Any],
        prefix: str | None = None,
    ) -> None:
        super().add_usage(usage, actions, groups, _help("usage") if prefix is None else prefix)


class Parser(argparse.ArgumentParser):
    """Shows help in the terminal's language, and raises wrong use as our own error, which
    ``--json`` can show."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, add_help=False, formatter_class=_Formatter, **named)
        self.color = False  # Python 3.14 would color the usage line of an error
        self._positionals.title, self._optionals.title = _help("arguments"), _help("options")
        self.add_argument("-h", "--help", action="help", help=_help("help"))

    def error(self, message: str) -> NoReturn:
        usage = self.format_usage().partition(_help("usage"))[2].strip()
        raise InvalidRequest("wrong_use", reason=_to_text(message), usage=usage)


def _to_text(words: str) -> str:
    """Find the text whose English these words of argparse are; so are its values."""
    for key in _WRONG_USE:
        template = re.escape(TEXTS[key][0])
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.*?)", template)
        if found := re.fullmatch(pattern, words, re.DOTALL):
            values = found.groupdict().items()
            return Text(key, **{name: _to_text(value) for name, value in values})
    return words


def _help(name: str) -> str:
    return localize(Text(f"help_{name}"))


def build_parser() -> Parser:
    parser = Parser(prog="python -m seedream_api", description=_help("program"))
    parser.add_argument("--version", action="version", version=__version__, help=_help("version"))
    commands = parser.add_subparsers(dest="command", required=True, parser_class=Parser)
    _add_generate(commands)
    _add_poll(commands)
    _add_tasks(commands)
    _add_download(commands)
    _add_json(commands.add_parser("models", help=_help("models")))
    _add_json(commands.add_parser("doctor", help=_help("doctor")))
    sandbox = commands.add_parser("sandbox", help=_help("sandbox"))
    sandbox.add_argument("--port", type=_parse_port, default=0, help=_help("port"))
    sandbox.add_argument("--strict", action="store_true", help=_help("strict"))
    return parser


Commands = argparse._SubParsersAction  # pyright: ignore[reportPrivateUsage] # argparse names it so


def _add_generate(commands: Commands[Parser]) -> None:
    command = commands.add_parser("generate", help=_help("generate"))
    command.add_argument("--model", required=True)
    command.add_argument("--prompt", required=True, type=_parse_text)
    command.add_argument("--size", help=_help("size"))
    command.add_argument("--quality", help=_help("quality"))
    command.add_argument("--n", type=_parse_int, help=_help("n"))
    command.add_argument("--ref", action="append", default=[], metavar="FILE|URL")
    command.add_argument("--seed", type=_parse_int, default=0, help=_help("seed"))
    command.add_argument("--prompt-priority", help=_help("priority"))
    command.add_argument("--output-format", help=_help("format"))
    command.add_argument("--watermark", action="store_true", default=None)
    _add_out(command)
    _add_waiting(command)
    _add_json(command)


def _add_poll(commands: Commands[Parser]) -> None:
    command = commands.add_parser("poll", help=_help("poll"))
    command.add_argument("task_ids", nargs="*", metavar="TASK_ID")
    _add_out(command)
    _add_waiting(command)
    _add_json(command)


def _add_tasks(commands: Commands[Parser]) -> None:
    command = commands.add_parser("tasks", help=_help("tasks"))
    one = command.add_mutually_exclusive_group()
    one.add_argument("--resume", metavar="ID", help=_help("resume"))
    one.add_argument("--forget", metavar="ID", help=_help("forget"))
    one.add_argument("--export", type=Path, metavar="FILE", help=_help("export"))
    one.add_argument("--prune", action="store_true", help=_help("prune"))
    command.add_argument(
        "--state",
        action="append",
        default=[],
        choices=[state.value for state in State],
        help=_help("state"),
    )
    command.add_argument(
        "--older-than", type=_parse_amount, metavar="DAYS", help=_help("older_than")
    )
    command.add_argument("--keep-gb", type=_parse_amount, metavar="GB", help=_help("keep_gb"))
    _add_out(command)
    _add_json(command)


def _add_download(commands: Commands[Parser]) -> None:
    command = commands.add_parser("download", help=_help("download"))
    command.add_argument("urls", nargs="+", metavar="URL")
    _add_out(command)
    _add_json(command)


def _add_out(command: argparse.ArgumentParser) -> None:
    command.add_argument("--out", type=Path, default=Path(), metavar="DIR", help=_help("out"))


def _add_waiting(command: argparse.ArgumentParser) -> None:
    command.add_argument("--timeout", type=_parse_seconds, metavar="S", help=_help("timeout"))
    command.add_argument("--no-wait", action="store_true", help=_help("no_wait"))


def _add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help=_help("json"))


def _parse_text(text: str) -> str:
    """Decode an argument as UTF-8 where the locale could not; what is not UTF-8 is rejected later,
    with a hint."""
    try:
        text.encode()
    except UnicodeEncodeError:
        with contextlib.suppress(UnicodeError):
            return os.fsencode(text).decode()
    return text


def _parse_int(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(Text("wrong_use_whole", text=text)) from None


def _parse_float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(Text("wrong_use_number", text=text)) from None


def _parse_port(text: str) -> int:
    port = _parse_int(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError(Text("wrong_use_range", text=text, low=0, high=65_535))
    return port


def _parse_amount(text: str) -> float:
    amount = _parse_float(text)
    if not 0 <= amount <= 1e9:
        raise argparse.ArgumentTypeError(Text("wrong_use_range", text=text, low=0, high=10**9))
    return amount


def _parse_seconds(text: str) -> float:
    seconds = _parse_float(text)
    if not 0 < seconds <= 604_800:
        raise argparse.ArgumentTypeError(Text("wrong_use_seconds", text=text, low=0, high=604_800))
    return seconds
