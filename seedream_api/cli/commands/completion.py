"""``completion``: print what makes a shell complete this program's commands and options."""

from __future__ import annotations

import argparse
import sys

from ...errors import ConfigurationError
from ..output import Outcome, Verbatim
from ..parser import Parser, help_text

SHELLS = ("bash", "zsh", "fish", "powershell")


def add_arguments(parser: Parser) -> None:
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    parser.add_argument("--json", action="store_true", help=help_text("json"))
    parser.add_examples(
        "completion bash >> ~/.bashrc",
        'completion zsh > "${fpath[1]}/_seedream"',
        "completion fish > ~/.config/fish/completions/seedream.fish",
        "completion powershell >> $PROFILE",
    )


def run(arguments: argparse.Namespace) -> Outcome:
    try:
        from argcomplete.shell_integration import shellcode
    except ImportError:
        raise ConfigurationError("no_completion_library", python=sys.executable) from None
    code = shellcode(["seedream"], shell=arguments.shell).strip("\n")
    return Outcome({"shell": arguments.shell, "code": code}, [Verbatim(code)], 0)
