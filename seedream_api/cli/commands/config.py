"""``config``: show the settings with their origins, and save one."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ...config.definitions import SETTINGS
from ...errors import InvalidRequest
from ...messages import Text, localize
from ..arguments import add_output, add_profile
from ..output import Outcome, Verbatim
from ..parser import Parser, help_text

if TYPE_CHECKING:
    from ...config.settings import Settings


def add_arguments(parser: Parser) -> None:
    actions = parser.add_actions()
    listing = actions.add_parser(
        "list", help=help_text("config_list"), description=help_text("config_list")
    )
    getting = actions.add_parser(
        "get", help=help_text("config_get"), description=help_text("config_get")
    )
    setting = actions.add_parser(
        "set", help=help_text("config_set"), description=help_text("config_set")
    )
    for action in (getting, setting):
        _add_name(action)
    setting.add_argument("value", nargs="?", metavar="VALUE", help=help_text("config_value"))
    setting.add_argument("--default", action="store_true", help=help_text("config_default"))
    for action in (listing, getting, setting):
        add_profile(action, help_text("config_profile"))
        add_output(action)
    parser.add_examples(
        "config list",
        "config set SEEDREAM_TIMEOUT_S 600",
        "config set SEEDREAM_PROXY --default",
        "config set DEEPSPACE_BASE_URL https://relay.example --profile studio",
    )


def _add_name(parser: Parser) -> None:
    parser.add_argument(
        "name", metavar="NAME", type=str.upper, choices=[*SETTINGS], help=help_text("config_name")
    )


def run(arguments: argparse.Namespace) -> Outcome:
    from ..session import open_settings

    if arguments.action == "set":
        _save(arguments)
    settings = open_settings(arguments)
    if arguments.action == "list":
        rows = [_describe(settings, name) for name in SETTINGS]
        lines = [f"{row['name']}  {_show(row)}" for row in rows]
        payload = {"home": str(settings.home), "settings": rows}
        return Outcome(payload, [*lines, localize(Text("data_folder", path=settings.home))], 0)
    row = _describe(settings, arguments.name)
    value = _show(row) if row["value"] is None else Verbatim(row["value"])
    return Outcome(row, [value if arguments.action == "get" else f"{row['name']}  {_show(row)}"], 0)


def _describe(settings: Settings, name: str) -> dict[str, Any]:
    """Describe a setting; the value of a secret is ``None``."""
    from ...redaction import bare_address

    value = settings.values[name]
    text = value.text
    if "://" in text or "@" in text:
        text = bare_address(text)
    return {
        "name": name,
        "value": None if SETTINGS[name].secret else text,
        "is_set": bool(value.text),
        "origin": value.origin,
    }


def _show(row: dict[str, Any]) -> str:
    value = row["value"]
    if value is None:
        value = localize(Text("set" if row["is_set"] else "not_set"))
    return f"{value or localize(Text('not_set'))}  ({localize(row['origin'])})"


def _save(arguments: argparse.Namespace) -> None:
    import os

    from ...config.paths import resolve_home
    from ...config.profile_saving import save_for_profile
    from ...redaction import Hidden

    texts = Hidden({arguments.name: _read_value(arguments)})
    home = resolve_home(None, os.environ)
    origin = Text("origin_arguments")
    save_for_profile(home, arguments.profile, texts, os.environ, origin=origin)


def _read_value(arguments: argparse.Namespace) -> str:
    """Return the value to save; a secret comes from a hidden prompt or stdin only.

    Raises:
        InvalidRequest: a secret is among the arguments, or there is no value.
    """
    from ..secrets import read_secret

    if arguments.default:
        return ""
    if SETTINGS[arguments.name].secret:
        if arguments.value is not None:
            raise InvalidRequest("secret_in_arguments", name=arguments.name)
        return read_secret(localize(Text("ask_value", name=arguments.name)))
    if arguments.value is None:
        raise InvalidRequest("wrong_use", reason=Text("needs_value"), usage="config set NAME VALUE")
    return arguments.value
