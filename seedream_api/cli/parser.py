"""Parsers that show help in the terminal's language and raise wrong use as our own error."""

from __future__ import annotations

import argparse
import importlib
import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol, cast

from .._version import __version__
from ..errors import InvalidRequest
from ..messages import TEXTS, Text, localize
from .commands import COMMANDS, GROUPS
from .output import Outcome
from .text_width import fold, measure, wrap

_WRONG_USE = tuple(key for key in TEXTS if key.startswith("wrong_use_"))
Commands = argparse._SubParsersAction  # pyright: ignore[reportPrivateUsage] # argparse names it so
_CHOICES = re.compile(r"invalid choice: (\S+) \(choose from (.*)\)")
_WORDS = re.compile(r"""\s*(?:[^\s"']|"[^"]*"|'[^']*')+""")
"""The words of a command, with the blanks before them."""
_MANY = 15
"""From how many choices on a message does not list them."""
_SIMILAR = 0.7
"""How alike a misspelt word must be, as ``difflib`` counts."""
_WIDEST = 100
"""Columns of help on a wider terminal, which would be hard to read."""


class _Formatter(argparse.HelpFormatter):
    """Wraps by display width, so that Chinese help fits the terminal too."""

    def __init__(self, prog: str, **named: Any) -> None:
        columns = min(shutil.get_terminal_size().columns, _WIDEST)
        super().__init__(prog, width=columns - 2, **named)

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[Any],
        prefix: str | None = None,
    ) -> None:
        """Show what is required; the options are listed below it."""
        needed_groups = [group for group in groups if group.required]
        in_groups = [one for group in needed_groups for one in group._group_actions]
        needed = [
            one for one in actions if one.required or not one.option_strings or one in in_groups
        ]
        rest = argparse.Action([], "", metavar=help_text("more_options"))
        prefix = help_text("usage") if prefix is None else prefix
        super().add_usage(usage, [*needed, rest], needed_groups, prefix)

    def _format_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[Any],
        prefix: str | None,
    ) -> str:
        """Break the usage by display width; argparse counts letters and keeps groups together."""
        width, self._width = self._width, sys.maxsize
        line = super()._format_usage(usage, actions, groups, prefix)
        self._width = width
        return "\n".join([*fold(line.strip(), width, hanging=4), "", ""])

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrap(text, width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines = (line for part in text.split("\n") for line in wrap(part, width) or [""])
        return "\n".join(f"{indent}{line}" for line in lines)


class Parser(argparse.ArgumentParser):
    """The parser of a command, or of one of its actions; ``--json`` can show its errors."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, add_help=False, formatter_class=_Formatter, **named)
        self.color = False  # Python 3.14 would color the usage line of an error
        self._positionals.title = help_text("arguments")
        self._optionals.title = help_text("options")
        self.add_argument("-h", "--help", action="help", help=help_text("help"))
        self._examples: tuple[str, ...] = ()
        self._words: Sequence[str] = ()
        self.set_defaults(parser=self)  # of several nested parsers, the innermost one remains

    def add_examples(self, *examples: str) -> None:
        """Show examples after the options: what follows the program's name, without secrets."""
        self._examples = examples

    def add_actions(self) -> Commands[Parser]:
        """Split a command into actions, such as ``auth login``; the name is ``action``."""
        return self.add_subparsers(
            dest="action", required=True, metavar="ACTION", parser_class=Parser, prog=self.prog
        )

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            parser: Parser = parsed.parser
            parser.error(Text("wrong_use_unknown", given=" ".join(unknown)))
        return parsed

    def parse_known_args(  # pyright: ignore[reportIncompatibleMethodOverride] # it is overloaded
        self, args: Any = None, namespace: Any = None
    ) -> Any:
        self._words = list(sys.argv[1:] if args is None else args)
        return super().parse_known_args(args, namespace)

    def format_help(self) -> str:
        text = super().format_help()
        if not self._examples:
            return text
        width = shutil.get_terminal_size().columns - 1
        begin = f"  {find_program()} "
        lines = [_break_command(begin + example, width) for example in self._examples]
        return "\n".join([f"{text}\n{help_text('examples')}:", *lines, ""])

    def error(self, message: str) -> NoReturn:
        usage = " ".join(self.format_usage().partition(help_text("usage"))[2].split())
        usage = usage.replace(help_text("more_options"), "[...]")  # in both languages
        reason = _to_text(_CHOICES.sub(_shorten_choices, message))
        if found := self._find_suggestion(message):
            reason = Text("did_you_mean", reason=reason, given=found[0], suggestion=found[1])
        raise InvalidRequest("wrong_use", reason=reason, usage=usage)

    def _find_suggestion(self, message: str) -> tuple[str, str] | None:
        """Find an option or value that is misspelt, and the one that was probably meant."""
        from difflib import get_close_matches

        if choice := _CHOICES.search(message):
            given = [choice[1].strip("'")]
            known = [word.strip("' ") for word in choice[2].split(",")]
        else:
            known = [word for word in self._option_string_actions if word.startswith("--")]
            options = (word.partition("=")[0] for word in self._words if word.startswith("--"))
            given = [word for word in options if not any(one.startswith(word) for one in known)]
        found = ((word, get_close_matches(word, known, 1, _SIMILAR)) for word in given)
        return next(((word, close[0]) for word, close in found if close), None)


class CommandModule(Protocol):
    """What the module of a command defines."""

    def add_arguments(self, parser: Parser) -> None:
        """Define the options of the command."""
        ...

    def run(self, arguments: argparse.Namespace) -> Outcome:
        """Run the command with its parsed options.

        Raises:
            SeedreamError: the command failed; its exit code is the process's.
        """
        ...


class _Program(Parser):
    """The parser of the whole program: its help lists the commands in groups."""

    def format_help(self) -> str:
        formatter = self._get_formatter()
        formatter.add_text(self.description)
        formatter.add_usage(self.usage, (), ())
        for group in GROUPS:
            formatter.start_section(localize(group))
            formatter.add_arguments(
                argparse.Action([], "", metavar=command.name, help=localize(command.help))
                for command in COMMANDS.values()
                if command.group is group
            )
            formatter.end_section()
        formatter.start_section(help_text("options"))
        formatter.add_arguments(action for action in self._actions if action.option_strings)
        formatter.end_section()
        formatter.add_text(self.epilog)
        return formatter.format_help()


def build_parser(words: Iterable[str] | None = None) -> Parser:
    """Build the parser of the command line.

    Args:
        words: the arguments; only commands among them are imported. ``None`` imports all.
    """
    program = find_program()
    parser = _Program(
        prog=program,
        usage=f"{program} COMMAND [...]",
        description=help_text("program"),
        epilog=localize(Text("help_more", program=program)),
    )
    parser.add_argument(
        "--version", action="version", version=__version__, help=help_text("version")
    )
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", parser_class=Parser, prog=program
    )
    named = COMMANDS.keys() if words is None else set(words)
    for command in COMMANDS.values():
        described = localize(command.help)
        own = commands.add_parser(command.name, description=described)
        if command.name in named:
            load_command(command.name).add_arguments(own)
    return parser


def load_command(name: str) -> CommandModule:
    """Import the module of a command."""
    module = importlib.import_module(f".commands.{name}", __package__)
    return cast("CommandModule", module)


def find_program() -> str:
    """Find how this program was called: ``seedream``, or Python with the package's name."""
    is_script = Path(sys.argv[0] if sys.argv else "").stem == "seedream"
    return "seedream" if is_script else "python -m seedream_api"


def help_text(name: str, **values: object) -> str:
    """Return the text ``help_NAME`` in the terminal's language."""
    return localize(Text(f"help_{name}", **values))


def _break_command(line: str, width: int) -> str:
    """Break a command between its words, so that it can be copied from a narrow terminal."""
    mark = " `" if os.name == "nt" else " \\"  # PowerShell's, and that of other shells
    lines, indent = [""], "      "
    for word in _WORDS.findall(line):
        if lines[-1].strip() and measure(f"{lines[-1]}{word}{mark}") > width:
            lines[-1] += mark
            lines.append(indent + word.lstrip())
        else:
            lines[-1] += word
    return "\n".join(lines)


def _shorten_choices(found: re.Match[str]) -> str:
    """Leave out a long list of choices."""
    is_long = found[2].count(",") >= _MANY
    return f"invalid choice: {found[1]}" if is_long else found[0]


def _to_text(words: str) -> str:
    """Find the text whose English these words of argparse are; so are its values."""
    for key in _WRONG_USE:
        template = re.escape(TEXTS[key][0])
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.*?)", template)
        if found := re.fullmatch(pattern, words, re.DOTALL):
            values = found.groupdict().items()
            return Text(key, **{name: _to_text(value) for name, value in values})
    return words
