"""``ledger``: copy the whole ledger from a file into PostgreSQL, or back."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ...config.ledger_url import list_ledger_secrets, parse_ledger_url
from ...config.paths import LEDGER_NAME, has_ledger
from ...errors import ConfigurationError, InvalidRequest, LedgerFailed
from ...messages import Text, localize
from ..arguments import add_output
from ..output import Outcome
from ..parser import Parser, help_text

if TYPE_CHECKING:
    from ...config.settings import Settings
    from ...ledger.ledger import SyncLedger


def add_arguments(parser: Parser) -> None:
    copying = parser.add_actions().add_parser(
        "copy", help=help_text("ledger_copy"), description=help_text("ledger_copy")
    )
    copying.add_argument("source", metavar="SOURCE", help=help_text("ledger_source"))
    copying.add_argument("target", metavar="TARGET", help=help_text("ledger_target"))
    add_output(copying)
    parser.add_examples("ledger copy file shared", "ledger copy shared /srv/seedream")


def run(arguments: argparse.Namespace) -> Outcome:
    from ...ledger.copying import copy_ledger
    from ..session import open_settings

    settings = open_settings(arguments)
    source = _open(arguments.source, settings, must_exist=True)
    try:
        target = _open(arguments.target, settings, must_exist=False)
        try:
            counts = copy_ledger(source.database, target.database)
        finally:
            target.close()
    finally:
        source.close()
    line = Text("ledger_copied", count=counts["requests"], place=target.place)
    return Outcome({"copied": counts}, [localize(line)], 0, [localize(Text("images_not_copied"))])


def _open(name: str, settings: Settings, *, must_exist: bool) -> SyncLedger:
    """Open the ledger that an argument names: ``file``, ``shared``, a folder or an address.

    Raises:
        LedgerFailed: it cannot be opened, or does not exist and must.
        ConfigurationError: the address is not that of a PostgreSQL database.
        InvalidRequest: the address contains a password.
    """
    from pydantic import SecretStr

    from ...ledger.ledger import SyncLedger

    if name == "shared":
        if not settings.ledger_url:
            raise ConfigurationError("bad_ledger_url")
        return SyncLedger(settings.home, settings.ledger_url)
    if "://" in name:
        url = parse_ledger_url(name)
        if isinstance(url, ConfigurationError):
            raise url
        if list_ledger_secrets(url):
            raise InvalidRequest("password_in_arguments")
        return SyncLedger(settings.home, SecretStr(url))
    folder = settings.home if name == "file" else Path(name)
    folder = folder.parent if folder.name == LEDGER_NAME else folder
    if must_exist and not has_ledger(folder):
        raise LedgerFailed("ledger_missing", path=folder)
    return SyncLedger(folder)
