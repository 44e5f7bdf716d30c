"""``auth``: save the API key, show whether there is one, or remove it. Never prints the key."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...errors import ConfigurationError, InvalidRequest
from ...messages import Text, localize
from ..arguments import add_output, add_profile
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
        action = actions.add_parser(name, help=text, description=text)
        add_profile(action, help_text("auth_profile"))
        add_output(action)
    parser.add_examples("auth login", "auth login --profile studio < key.txt", "auth status")


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
    import os

    from ...config.paths import resolve_home
    from ...config.profile_saving import remove_profile
    from ...config.profiles import normalize_profile_name
    from ...config.settings import load_settings

    name = normalize_profile_name(arguments.profile)
    if not name:
        _save(arguments, {_KEY: ""})
        return _status(arguments, Text("key_removed"))
    remove_profile(resolve_home(None, os.environ), name, os.environ)
    done = Text("profile_removed", name=name)
    if name in load_settings().profiles:  # the environment has it too
        return _status(arguments, done)
    return Outcome({"profile": name, "is_set": False}, [localize(done)], 0)


def _save(arguments: argparse.Namespace, texts: Mapping[str, str]) -> None:
    import os

    from ...config.paths import resolve_home
    from ...config.profile_saving import save_for_profile

    home, origin = resolve_home(None, os.environ), Text("origin_arguments")
    save_for_profile(home, arguments.profile, texts, os.environ, origin=origin)


def _status(arguments: argparse.Namespace, done: str = "") -> Outcome:
    """Say whether there is a key for the address, and where it comes from."""
    from ..session import open_settings

    settings = open_settings(arguments)
    error = _find_key_error(settings)
    value = settings.values[_KEY]
    origin = Text("sandbox_key") if settings.is_built_in_sandbox else value.origin
    names = [name for name in settings.profiles if name]
    payload = {
        "profile": settings.profile,
        "profiles": names,
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
    if names and not settings.profile:
        lines.append(localize(Text("profiles_known", names=", ".join(names))))
    code = 1 if error is not None and arguments.action != "logout" else 0
    return Outcome(payload, [*filter(None, [localize(done)]), *lines], code)


def _find_key_error(settings: Settings) -> ConfigurationError | None:
    try:
        _ = settings.key
    except ConfigurationError as error:
        return error
    return None
