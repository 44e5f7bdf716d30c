"""Load the settings: key, address, folders and limits, each with its origin.

A setting has the same name in the environment and in ``settings.json`` in the data folder; the
environment wins. A saved key is saved together with its address and is used for no other.
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

from ..catalog import MODELS, Model, parse_models
from ..errors import ConfigurationError
from ..messages import Text, text_of
from ..network.proxies import list_environ_proxies, list_proxy_secrets, parse_proxy
from ..network.url_guard import is_local_host
from ..redaction import REDACTED, Hidden, holds_key, keep_secret
from .definitions import (
    DEFAULT_ADDRESS as DEFAULT_ADDRESS,
    SETTINGS as SETTINGS,
    Setting as Setting,
)
from .documents import MODELS_FILE, Document, read_documents
from .normalization import (
    SANDBOX as SANDBOX,
    check_key as check_key,
    is_header_safe,
    parse_address,
)
from .paths import (
    find_default_home as find_default_home,
    make_private_folder as make_private_folder,
    resolve_home as resolve_home,
)
from .settings_file import read_settings_file as read_settings_file

SANDBOX_KEY = "sk-sandbox-free"
"""The sandbox's key, not a secret, and the only key that is sent to it."""


_NONE_GIVEN: Mapping[str, str] = Hidden()


@dataclass(frozen=True)
class Value:
    """A setting's value and its origin: code, environment, settings file, or default.

    Args:
        saved_for: the address of a saved key that is not used because the address is another now.
    """

    text: str = field(repr=False)
    origin: str
    saved_for: str | None = None


@dataclass(frozen=True)
class Settings:
    """All current settings; see :func:`load_settings`."""

    home: Path
    values: Mapping[str, Value] = field(repr=False)
    documents: Mapping[str, Document] = field(default_factory=dict[str, Document], repr=False)
    """Files that settings name, by their default names."""

    def text(self, name: str) -> str:
        """Return the text of a setting, its default if it is not set."""
        return self.values[name].text

    def number(self, name: str) -> float:
        """Return the value of a setting that is a number."""
        return float(self.values[name].text)

    def is_on(self, name: str) -> bool:
        """Tell whether a setting is ``on``."""
        return self.values[name].text == "on"

    @property
    def address(self) -> str:
        """The service's address without a trailing slash, or the word ``sandbox``."""
        return self.text("DEEPSPACE_BASE_URL")

    @property
    def proxy(self) -> str:
        """The proxy for all requests, secret if it has a password; empty: the environment's."""
        return self.text("SEEDREAM_PROXY")

    @property
    def settings_file(self) -> Path:
        """The file in the data folder that may hold settings."""
        return self.home / "settings.json"

    @property
    def is_built_in_sandbox(self) -> bool:
        """Whether requests go to the sandbox inside this process."""
        return self.address == SANDBOX

    @property
    def is_sandbox(self) -> bool:
        """Whether this is the built-in sandbox, or a separate one with the sandbox's key."""
        own_key = self.values["DEEPSPACE_API_KEY"].text == SANDBOX_KEY
        host = urlsplit(self.address).hostname or ""
        return self.is_built_in_sandbox or (own_key and is_local_host(host))

    @property
    def key(self) -> SecretStr:
        """The key for :attr:`address`.

        Raises:
            ConfigurationError: there is no key, or the saved one belongs to another address.
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
            ConfigurationError: the file cannot be read or has other content.
        """
        found = self.documents.get(MODELS_FILE)
        if found is None:
            return MODELS
        reason = found.error
        try:
            if reason is None:
                return parse_models(found.text, MODELS)
        except (ValueError, RecursionError) as error:
            reason = text_of(error)
        raise ConfigurationError("bad_models_file", path=found.path, reason=reason)

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """``host`` or ``host:port`` texts in lower case."""
        hosts = self.text("SEEDREAM_ALLOW_HOSTS").split(",")
        return frozenset(host.strip().lower() for host in hosts if host.strip())


def load_settings(
    home: Path | str | None = None,
    environ: Mapping[str, str] | None = None,
    given: Mapping[str, str] = _NONE_GIVEN,
) -> Settings:
    """Load the settings of the environment and of ``settings.json`` in the data folder.

    Args:
        home: the data folder if ``SEEDREAM_HOME`` is not set; by default the platform's.
        environ: ``os.environ`` by default.
        given: settings given in code, which win; see ``given_settings.py``.

    Raises:
        ConfigurationError: a value is not allowed, or the file cannot be read.
    """
    environ = Hidden.of(os.environ if environ is None else environ)
    folder = resolve_home(home, environ)
    saved = read_settings_file(folder / "settings.json")
    _check_misplaced_keys(
        {name: _find_value(one, saved, environ, given) for name, one in SETTINGS.items()}
    )
    values = {name: read_setting(one, saved, environ, given) for name, one in SETTINGS.items()}
    key, owner = values["DEEPSPACE_API_KEY"], saved.get("key_address")
    if key.origin == "settings file" and owner != values["DEEPSPACE_BASE_URL"].text:
        saved_for = owner or Text("no_address")
        origin = Text("origin_other_address", address=saved_for)
        values["DEEPSPACE_API_KEY"] = Value("", origin, saved_for)
    keep_secret(_list_secrets(values, environ))
    documents = read_documents(folder, {MODELS_FILE: values["SEEDREAM_MODELS"].text})
    return Settings(home=folder, values=values, documents=documents)


def read_setting(
    setting: Setting,
    saved: Mapping[str, Any],
    environ: Mapping[str, str],
    given: Mapping[str, str] = _NONE_GIVEN,
) -> Value:
    """Read a setting: from code, else the environment, else the saved value, else the default.

    An address and a proxy are normalized.

    Raises:
        ConfigurationError: the value is not allowed.
    """
    environ = Hidden.of(environ)
    found = _find_value(setting, saved, environ, given)
    if found.text == setting.default:
        return found
    fault = _find_fault(setting, found)
    if fault is not None:
        raise fault
    parse = PARSERS.get(setting.name)
    if parse is None:
        return found
    parsed = parse(found.text)
    if isinstance(parsed, ConfigurationError):
        raise parsed
    return Value(parsed, found.origin)


def _find_value(
    setting: Setting,
    saved: Mapping[str, Any],
    environ: Mapping[str, str],
    given: Mapping[str, str],
) -> Value:
    if setting.name in given:
        return Value(given[setting.name] or setting.default, Text("origin_code"))
    text = environ.get(setting.name, "").strip()
    if text:
        return Value(text, Text("origin_environment"))
    saved_text = _to_text(saved.get(setting.name))
    if saved_text:
        return Value(saved_text, Text("origin_file"))
    return Value(setting.default, Text("origin_default"))


def _find_fault(setting: Setting, value: Value) -> ConfigurationError | None:
    """Find the error of a value and return it: then no traceback has a frame with the value."""
    if not setting.secret:
        if value.text[0] in "\"'" and value.text[-1] == value.text[0]:
            return ConfigurationError("quoted_setting", name=setting.name, given=REDACTED)
        if holds_key(_strip_logins(value.text)):
            return ConfigurationError("key_in_other_setting", name=setting.name, given=REDACTED)
    if not setting.allows(value.text):
        return ConfigurationError(
            "bad_setting",
            name=setting.name,
            given=value.text,
            origin=value.origin,
            allowed=setting.describe_allowed(),
        )
    return None


def _check_misplaced_keys(values: Mapping[str, Value]) -> None:
    """Reject a setting that contains one of the keys, whatever their form."""
    keys = [values[name] for name in ("DEEPSPACE_API_KEY", "SEEDREAM_UPLOAD_EVOLINK_KEY")]
    for name, value in values.items():
        holds_one = any(
            len(key.text) >= 16 and key.text in _strip_logins(value.text) for key in keys
        )
        if holds_one and not SETTINGS[name].secret:
            raise ConfigurationError("key_in_other_setting", name=name)


def _strip_logins(text: str) -> str:
    """Remove the login and query of an address, which may contain a password or key."""
    return text.rpartition("@")[2].partition("?")[0]


def _list_secrets(values: Mapping[str, Value], environ: Mapping[str, str]) -> list[str]:
    """List the secrets that no message may show, except those of an image host."""
    keys = [values[name].text for name in ("DEEPSPACE_API_KEY", "SEEDREAM_UPLOAD_EVOLINK_KEY")]
    storage = [environ.get(name, "") for name in STORAGE_SECRETS]
    proxies = [values["SEEDREAM_PROXY"].text, *list_environ_proxies(environ)]
    passwords = [secret for proxy in proxies for secret in list_proxy_secrets(proxy)]
    return [text for text in (*keys, *storage, *passwords) if text != SANDBOX_KEY]


STORAGE_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_TOKEN")
"""Secrets of the environment for the access to an S3 bucket."""


def _to_text(saved: Any) -> str:
    """Convert a saved value to the text that the environment would have."""
    if isinstance(saved, bool):
        return "on" if saved else "off"
    if isinstance(saved, dict):
        return json.dumps(saved)
    return "" if saved is None else str(saved).strip()


PARSERS: Mapping[str, Callable[[str], str | ConfigurationError]] = {
    "DEEPSPACE_BASE_URL": parse_address,
    "SEEDREAM_PROXY": parse_proxy,
}
"""Check and normalize a setting; return the error."""
