"""Key, address, folders and limits, and where each value came from.

Every setting has one name, the same in the environment and in ``settings.json`` in the home folder;
the environment wins. A saved key is saved together with its address and is used for no other.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from ..catalog import MODELS, Model, with_added_models
from ..errors import ConfigurationError
from ..messages import Text, text_of
from ..network.proxies import environ_proxies, parse_proxy, proxy_secrets
from ..network.url_guard import is_local_host
from ..redaction import REDACTED, Hidden, holds_key, keep_secret
from .definitions import (
    DEFAULT_ADDRESS as DEFAULT_ADDRESS,
    SETTINGS as SETTINGS,
    Setting as Setting,
)
from .paths import (
    default_home as default_home,
    make_private_folder as make_private_folder,
    resolve_home as resolve_home,
)
from .settings_file import read_settings_file as read_settings_file
from .spelling import (
    SANDBOX as SANDBOX,
    checked_address as checked_address,
    checked_key as checked_key,
    checked_proxy,
    is_header_safe,
    parse_address,
)

SANDBOX_KEY = "sk-sandbox-free"
"""No secret: the sandbox's own key, and the only one ever sent to it."""


@dataclass(frozen=True)
class Value:
    """A setting's value and where it came from: environment, settings file, or default.

    Args:
        saved_for: the address of a saved key that is not used because the address is another now.
    """

    text: str = field(repr=False)
    origin: str
    saved_for: str | None = None


@dataclass(frozen=True)
class Settings:
    """All settings as they stand; see :func:`load_settings`."""

    home: Path
    values: Mapping[str, Value] = field(repr=False)

    def text(self, name: str) -> str:
        return self.values[name].text

    def number(self, name: str) -> float:
        return float(self.values[name].text)

    def is_on(self, name: str) -> bool:
        return self.values[name].text == "on"

    @property
    def address(self) -> str:
        """The service's address without a trailing slash, or the word ``sandbox``."""
        return self.text("DEEPSPACE_BASE_URL")

    @property
    def proxy(self) -> str:
        """The proxy of everything, a secret where it holds a password; empty: the environment's."""
        return self.text("SEEDREAM_PROXY")

    @property
    def settings_file(self) -> Path:
        return self.home / "settings.json"

    @property
    def is_built_in_sandbox(self) -> bool:
        return self.address == SANDBOX

    @property
    def is_sandbox(self) -> bool:
        """The built-in sandbox, or one started apart, which is known by its own key."""
        own_key = self.values["DEEPSPACE_API_KEY"].text == SANDBOX_KEY
        host = urlsplit(self.address).hostname or ""
        return self.is_built_in_sandbox or (own_key and is_local_host(host))

    @property
    def key(self) -> SecretStr:
        """The key for :attr:`address`.

        Raises:
            ConfigurationError: there is none, or the saved one belongs to another address.
        """
        if self.is_built_in_sandbox:
            return SecretStr(SANDBOX_KEY)
        value = self.values["DEEPSPACE_API_KEY"]
        if value.saved_for is not None:
            raise ConfigurationError(
                "key_of_other_address", saved=value.saved_for, address=self.address
            )
        if not value.text:
            raise ConfigurationError("no_key", path=self.settings_file)
        if not is_header_safe(value.text):
            raise ConfigurationError("bad_key")
        return SecretStr(value.text)

    @cached_property
    def models(self) -> Mapping[str, Model]:
        """The catalogue with the models that ``SEEDREAM_MODELS`` adds.

        Raises:
            ConfigurationError: the file cannot be read or holds something else.
        """
        path = self.text("SEEDREAM_MODELS")
        if not path:
            return MODELS
        try:
            return with_added_models(json.loads(Path(path).read_text(encoding="utf-8-sig")))
        except (OSError, ValueError, RecursionError) as error:
            raise ConfigurationError("bad_models_file", path=path, reason=text_of(error)) from None

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """``host`` or ``host:port`` texts in lower case."""
        hosts = self.text("SEEDREAM_ALLOW_HOSTS").split(",")
        return frozenset(host.strip().lower() for host in hosts if host.strip())


def load_settings(
    home: Path | str | None = None, environ: Mapping[str, str] | None = None
) -> Settings:
    """The settings of the environment and of ``settings.json`` in the home folder.

    Args:
        home: the home folder where ``SEEDREAM_HOME`` names none; else the platform's data folder.
        environ: ``os.environ`` unless given.

    Raises:
        ConfigurationError: a value is not allowed, or the file cannot be read.
    """
    environ = Hidden.of(os.environ if environ is None else environ)
    folder = resolve_home(home, environ)
    saved = read_settings_file(folder / "settings.json")
    _check_keys_place({name: _found(one, saved, environ) for name, one in SETTINGS.items()})
    values = {name: value_of(setting, saved, environ) for name, setting in SETTINGS.items()}
    key, owner = values["DEEPSPACE_API_KEY"], saved.get("key_address")
    if key.origin == "settings file" and owner != values["DEEPSPACE_BASE_URL"].text:
        saved_for = owner or Text("no_address")
        origin = Text("origin_other_address", address=saved_for)
        values["DEEPSPACE_API_KEY"] = Value("", origin, saved_for)
    keep_secret(_secrets_of(values, environ))
    return Settings(home=folder, values=values)


def value_of(setting: Setting, saved: Mapping[str, Any], environ: Mapping[str, str]) -> Value:
    """Read a setting: from the environment, else the saved value, else the default.

    An address and a proxy get their one spelling.

    Raises:
        ConfigurationError: it is not allowed.
    """
    environ = Hidden.of(environ)
    found = _found(setting, saved, environ)
    if found.origin == "default":
        return found
    fault = _fault(setting, found)
    if fault is not None:
        raise fault
    parse = PARSERS.get(setting.name)
    if parse is None:
        return found
    spelled = parse(found.text)
    if isinstance(spelled, ConfigurationError):
        raise spelled
    return Value(spelled, found.origin)


def _found(setting: Setting, saved: Mapping[str, Any], environ: Mapping[str, str]) -> Value:
    given = environ.get(setting.name, "").strip()
    if given:
        return Value(given, Text("origin_environment"))
    saved_text = _text(saved.get(setting.name))
    if saved_text:
        return Value(saved_text, Text("origin_file"))
    return Value(setting.default, Text("origin_default"))


def _fault(setting: Setting, value: Value) -> ConfigurationError | None:
    """Find what is wrong with a value. It is returned: a traceback then shows no frame with it."""
    if not setting.secret:
        if value.text[0] in "\"'" and value.text[-1] == value.text[0]:
            return ConfigurationError("quoted_setting", name=setting.name, given=REDACTED)
        if holds_key(_without_logins(value.text)):
            return ConfigurationError("key_in_other_setting", name=setting.name, given=REDACTED)
    if not setting.allows(value.text):
        return ConfigurationError(
            "bad_setting",
            name=setting.name,
            given=value.text,
            origin=value.origin,
            allowed=setting.allowed(),
        )
    return None


def _check_keys_place(values: Mapping[str, Value]) -> None:
    """Refuse a setting that holds the text of a key, whatever the key looks like."""
    keys = [values[name] for name in ("DEEPSPACE_API_KEY", "SEEDREAM_UPLOAD_EVOLINK_KEY")]
    for name, value in values.items():
        holds_one = any(
            len(key.text) >= 16 and key.text in _without_logins(value.text) for key in keys
        )
        if holds_one and not SETTINGS[name].secret:
            raise ConfigurationError("key_in_other_setting", name=name)


def _without_logins(text: str) -> str:
    """The parts of a value where no address has its own password or key."""
    return text.rpartition("@")[2].partition("?")[0]


def _secrets_of(values: Mapping[str, Value], environ: Mapping[str, str]) -> list[str]:
    """List what no message may show. The values of an image host are hidden where it is asked."""
    keys = [values[name].text for name in ("DEEPSPACE_API_KEY", "SEEDREAM_UPLOAD_EVOLINK_KEY")]
    storage = [environ.get(name, "") for name in STORAGE_SECRETS]
    proxies = [values["SEEDREAM_PROXY"].text, *environ_proxies(environ)]
    passwords = [secret for proxy in proxies for secret in proxy_secrets(proxy)]
    return [text for text in (*keys, *storage, *passwords) if text != SANDBOX_KEY]


STORAGE_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_TOKEN")
"""Secrets of the environment that an S3 bucket is reached with."""


def _text(saved: Any) -> str:
    """Spell a saved value as the environment would."""
    if isinstance(saved, bool):
        return "on" if saved else "off"
    if isinstance(saved, dict):
        return json.dumps(saved)
    return "" if saved is None else str(saved).strip()


PARSERS: Mapping[str, Callable[[str], str | ConfigurationError]] = {
    "DEEPSPACE_BASE_URL": parse_address,
    "SEEDREAM_PROXY": parse_proxy,
}
"""How a setting that is more than a text is checked and brought into its one spelling."""
NORMALIZERS: Mapping[str, Callable[[str], str]] = {
    "DEEPSPACE_BASE_URL": checked_address,
    "SEEDREAM_PROXY": checked_proxy,
}
"""The same, raising the error."""
