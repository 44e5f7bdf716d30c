"""The arguments of every command."""

from __future__ import annotations

import argparse
import contextlib
import os
from pathlib import Path
from typing import Any, NoReturn

from .._version import __version__
from ..errors import InvalidRequest
from ..ledger.states import State
from ..messages import spoken


class Parser(argparse.ArgumentParser):
    """Speaks the terminal's language, and reports wrong use as an error of ours, so that ``--json``
    can show it too."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.color = False  # Python 3.14 colours its words, which then are not found

    def format_help(self) -> str:
        # Here and not at each option: most runs show no help, and then nothing is looked up.
        self.description = spoken(self.description or "") or None
        for group in self._action_groups:
            group.title = spoken(group.title or "") or None
        for action in self._actions:
            choices: list[argparse.Action] = getattr(action, "_choices_actions", [])
            for one in (action, *choices):
                one.help = spoken(one.help) if one.help else one.help
        usage, gap, others = super().format_help().partition("\n\n")
        return f"{spoken(usage)}{gap}{others}"

    def error(self, message: str) -> NoReturn:
        usage = self.format_usage().partition("usage: ")[2].strip()
        raise InvalidRequest("wrong_use", reason=message, usage=usage)


def build_parser() -> Parser:
    parser = Parser(
        prog="python -m seedream_api",
        description="Seedream images through DeepSpaceAPI: every image paid for once, none lost.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, parser_class=Parser)
    _add_generate(commands)
    _add_poll(commands)
    _add_tasks(commands)
    _add_download(commands)
    _json(commands.add_parser("models", help="the models and what each takes"))
    _json(commands.add_parser("doctor", help="what is wrong with key, address, proxy or balance"))
    sandbox = commands.add_parser("sandbox", help="run the free stand-in of the service")
    sandbox.add_argument("--port", type=_port, default=0, help="0 takes a free one (default)")
    sandbox.add_argument(
        "--strict", action="store_true", help="refuse what only neighbouring sources doubt"
    )
    return parser


Commands = argparse._SubParsersAction  # pyright: ignore[reportPrivateUsage] # argparse names it so


def _add_generate(commands: Commands[Parser]) -> None:
    command = commands.add_parser("generate", help="make images; the same inputs are paid for once")
    command.add_argument("--model", required=True)
    command.add_argument("--prompt", required=True, type=_text)
    command.add_argument("--size", help="Preferential: 2K or 4K; Evolink: an aspect ratio")
    command.add_argument("--quality", help="Evolink: 1K, 2K or 4K")
    command.add_argument("--n", type=_whole, help="Evolink: at most so many images, 1-15")
    command.add_argument("--ref", action="append", default=[], metavar="FILE|URL")
    command.add_argument("--seed", type=_whole, default=0, help="not sent; another seed pays anew")
    command.add_argument("--prompt-priority", help="Evolink: standard or fast")
    command.add_argument("--output-format", help="Preferential: png or jpeg")
    command.add_argument("--watermark", action="store_true", default=None)
    _out(command)
    _waiting(command)
    _json(command)


def _add_poll(commands: Commands[Parser]) -> None:
    command = commands.add_parser("poll", help="fetch tasks by their ids; nothing is submitted")
    command.add_argument("task_ids", nargs="*", metavar="TASK_ID")
    _out(command)
    _waiting(command)
    _json(command)


def _add_tasks(commands: Commands[Parser]) -> None:
    command = commands.add_parser("tasks", help="the record of what was paid for")
    one = command.add_mutually_exclusive_group()
    one.add_argument("--resume", metavar="ID", help="fetch what this entry still lacks")
    one.add_argument("--forget", metavar="ID", help="let the same inputs be paid for again")
    one.add_argument("--export", type=Path, metavar="FILE", help="write the whole record as JSON")
    one.add_argument("--prune", action="store_true", help="remove delivered images from the store")
    command.add_argument(
        "--state",
        action="append",
        default=[],
        choices=[state.value for state in State],
        help="list or export only these",
    )
    command.add_argument(
        "--older-than", type=_amount, metavar="DAYS", help="with --prune: all older ones"
    )
    command.add_argument(
        "--keep-gb", type=_amount, metavar="GB", help="with --prune: default SEEDREAM_STORE_GB"
    )
    _out(command)
    _json(command)


def _add_download(commands: Commands[Parser]) -> None:
    command = commands.add_parser("download", help="fetch images by URL, within bounds")
    command.add_argument("urls", nargs="+", metavar="URL")
    _out(command)
    _json(command)


def _out(command: argparse.ArgumentParser) -> None:
    command.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="default: here")


def _waiting(command: argparse.ArgumentParser) -> None:
    command.add_argument("--timeout", type=_seconds, metavar="S", help="seconds to wait")
    command.add_argument("--no-wait", action="store_true", help="do not wait for a task")


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="one JSON object on stdout")


def _text(text: str) -> str:
    """Read the bytes of an argument as UTF-8 where this process could not read them by its locale;
    others stay, and are refused with a hint."""
    try:
        text.encode()
    except UnicodeEncodeError:
        with contextlib.suppress(UnicodeError):
            return os.fsencode(text).decode()
    return text


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no whole number") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no number") from None


def _port(text: str) -> int:
    port = _whole(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 65535")
    return port


def _amount(text: str) -> float:
    amount = _number(text)
    if not 0 <= amount <= 1e9:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1000000000")
    return amount


def _seconds(text: str) -> float:
    seconds = _number(text)
    if not 0 < seconds <= 604_800:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 604800 seconds")
    return seconds
