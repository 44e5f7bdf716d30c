"""``auth``: save the API key, show whether there is one, or remove it. Never prints the key."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...errors import ConfigurationError, InvalidRequest
from ...messages import Text, localize
from ..arguments import add_output
from ..output import Outcome
from ..parser import Parser, help_text

if TYPE_CHECKING:
    from ...config.settings import Settings

_KEY = "DEEPSPACE_API_KEY"


def add_arguments(parser: Parser) -> None:
    actions = parser.add_actions()
    for name, text in (
        ("login", help_text("auth_login")),
        ("status", help_text("auth_status")),
        ("logout", help_text("auth_logout")),
    ):
        add_output(actions.add_parser(name, help=text, description=text))
    parser.add_examples("auth login", "auth login < key.txt", "auth status")


def run(arguments: argparse.Namespace) -> Outcome:
    if arguments.action == "login":
        return _login(arguments)
    return _logout(arguments) if arguments.action == "logout" else _status(arguments)


def _login(arguments: argparse.Namespace) -> Outcome:
    from ...redaction import Hidden, keep_secret
    from ..secrets import read_secret

    texts = Hidden({_KEY: read_secret(localize(Text("ask_key")))})
    if not texts[_KEY]:
        raise InvalidRequest("no_key_given")
    keep_secret(texts.values())
    _save(arguments, texts)
    return _status(arguments, Text("key_saved"))


def _logout(arguments: argparse.Namespace) -> Outcome:
    _save(arguments, {_KEY: ""})
    return _status(arguments, Text("key_removed"))


def _save(arguments: argparse.Namespace, texts: Mapping[str, str]) -> None:
    import os

    from ...config.saving import save_settings
    from ..session import open_settings

    home = open_settings(arguments).home
    save_settings(home, texts, os.environ, origin=Text("origin_arguments"))


def _status(arguments: argparse.Namespace, done: str = "") -> Outcome:
    """Say whether there is a key for the address, and where it comes from."""
    from ..session import open_settings

    settings = open_settings(arguments)
    error = _find_key_error(settings)
    value = settings.values[_KEY]
    origin = Text("sandbox_key") if settings.is_built_in_sandbox else value.origin
    payload = {
        "is_set": error is None,
        "origin": str(origin),
        "address": settings.address,
        "settings_file": str(settings.settings_file),
    }
    where = {"address": settings.address, "origin": origin}
    if error is None:
        lines = [localize(Text("key_is_set", **where))]
    elif error.key == "no_key":
        lines = [localize(Text("key_is_not_set", address=settings.address))]
    else:
        lines = [localize(error.message_text)]
    if done and arguments.action == "logout" and error is None:
        lines.append(localize(Text("key_remains", origin=origin)))
    code = 1 if error is not None and arguments.action != "logout" else 0
    return Outcome(payload, [*filter(None, [localize(done)]), *lines], code)


def _find_key_error(settings: Settings) -> ConfigurationError | None:
    try:
        _ = settings.key
    except ConfigurationError as error:
        return error
    return None
