"""The commands of the command line: one module per command, imported when it is used.

To add a command:

1. Write ``commands/NAME.py`` with ``add_arguments(parser)``, which defines its options, and
   ``run(arguments)``, which returns an :class:`~seedream_api.cli.output.Outcome`. Options that
   several commands share are in ``cli/arguments.py``; ``cli/session.py`` opens settings and
   session. Import everything heavier than ``errors`` and ``messages`` inside ``run`` and what it
   calls: the module is imported for ``--help`` and for completion.
2. Add a line to ``COMMANDS`` below, and its texts to ``messages/command_help.py``.
3. Describe it in ``docs/command-line.md`` and its Chinese twin.
"""

from __future__ import annotations

from typing import NamedTuple

from ...messages import Text

IMAGES, REQUESTS, SETUP = Text("group_images"), Text("group_requests"), Text("group_setup")
GROUPS = (IMAGES, REQUESTS, SETUP)
"""Headings of ``--help``, in their order."""


class Command(NamedTuple):
    """A command, as ``--help`` lists it.

    Args:
        list_field: the field of its JSON object that is empty when it fails.
    """

    name: str
    group: Text
    help: Text
    list_field: str = "result"


COMMANDS = {
    command.name: command
    for command in (
        Command("generate", IMAGES, Text("help_generate")),
        Command("batch", IMAGES, Text("help_batch"), "rows"),
        Command("poll", IMAGES, Text("help_poll")),
        Command("download", IMAGES, Text("help_download")),
        Command("tasks", REQUESTS, Text("help_tasks"), "tasks"),
        Command("usage", REQUESTS, Text("help_usage_command"), "lines"),
        Command("receipt", REQUESTS, Text("help_receipt"), "receipts"),
        Command("ledger", REQUESTS, Text("help_ledger"), "copied"),
        Command("auth", SETUP, Text("help_auth")),
        Command("config", SETUP, Text("help_config")),
        Command("balance", SETUP, Text("help_balance")),
        Command("models", SETUP, Text("help_models"), "models"),
        Command("doctor", SETUP, Text("help_doctor"), "checks"),
        Command("sandbox", SETUP, Text("help_sandbox")),
        Command("completion", SETUP, Text("help_completion")),
    )
}
"""All commands by name; the module of each has the same name."""
