"""Load the settings: key, address, folders and limits, each with its origin.

A setting has the same name in the environment and in ``settings.json`` in the data folder; the
environment wins. A saved key is saved together with its address and is used for no other. Further
keys with their addresses have names; see ``profiles.py``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from ..catalog import MODELS, Model, parse_models
from ..errors import ConfigurationError
from ..messages import text_of
from ..network.proxies import list_environ_proxies, list_proxy_secrets
from ..network.url_guard import is_local_host
from ..redaction import Hidden, HiddenTexts, keep_secret
from .definitions import (
    DEFAULT_ADDRESS as DEFAULT_ADDRESS,
    SETTINGS as SETTINGS,
    Setting as Setting,
)
from .documents import MODELS_FILE, PRICES_FILE, Document, read_documents
from .facts import FACTS_FILE, Facts, apply_facts, parse_facts
from .ledger_url import list_ledger_secrets
from .limits import LIMIT_SETTINGS, Limits, parse_limit
from .normalization import (
    SANDBOX as SANDBOX,
    check_key as check_key,
    is_header_safe,
)
from .paths import (
    find_default_home as find_default_home,
    make_private_folder as make_private_folder,
    resolve_home as resolve_home,
)
from .prices import PriceTable, parse_prices
from .profiles import (
    DEFAULT_PROFILE,
    Profile,
    bind_key,
    find_profiles,
    get_profile,
    normalize_profile_name,
)
from .settings_file import read_settings_file as read_settings_file
from .values import (
    NONE_GIVEN,
    PARSERS as PARSERS,
    Value as Value,
    find_value,
    read_setting as read_setting,
    strip_logins,
)

SANDBOX_KEY = "sk-sandbox-free"
"""The sandbox's key, not a secret, and the only key that is sent to it."""


@dataclass(frozen=True)
class Settings:
    """All current settings; see :func:`load_settings`."""

    home: Path
    values: Mapping[str, Value] = field(repr=False)
    profile: str = DEFAULT_PROFILE
    """The profile whose key and address these settings have; empty for the default."""
    profiles: Mapping[str, Profile] = field(default_factory=dict[str, Profile], repr=False)
    documents: Mapping[str, Document] = field(default_factory=dict[str, Document], repr=False)
    """Files that settings name, by their default names."""

    def for_profile(self, name: str) -> Settings:
        """Return these settings with the key and address of a profile; empty for the default.

        Raises:
            ConfigurationError: there is no such profile, or its address is not allowed.
        """
        chosen = normalize_profile_name(name)
        if chosen == self.profile:
            return self
        access = get_profile(self.profiles, name).read()
        return replace(self, profile=chosen, values={**self.values, **access})

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
    def ledger_url(self) -> SecretStr:
        """The address of the shared ledger; empty: the file in the data folder."""
        return SecretStr(self.text("SEEDREAM_LEDGER"))

    @property
    def store_place(self) -> str:
        """The bucket that holds every stored image, with its endpoint; empty if there is none."""
        url, endpoint = self.text("SEEDREAM_STORE"), self.text("SEEDREAM_UPLOAD_S3_ENDPOINT")
        return f"{endpoint.rstrip('/')} {url}".strip() if url else ""

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
        if not value.text and self.profile:
            raise ConfigurationError(
                "profile_no_key", profile=self.profile, variable=self.profile.upper()
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
            return apply_facts(MODELS, self.facts)
        reason = found.error
        try:
            if reason is None:
                return apply_facts(parse_models(found.text, MODELS), self.facts)
        except (ValueError, RecursionError) as error:
            reason = text_of(error)
        raise ConfigurationError("bad_models_file", path=found.path, reason=reason)

    @cached_property
    def facts(self) -> Facts:
        """What a probe of the service at :attr:`address` learned."""
        found = self.documents.get(FACTS_FILE)
        return Facts() if found is None else parse_facts(found.text, self.address)

    @cached_property
    def prices(self) -> PriceTable:
        """The price table, with prices that the models file adds; empty where there is none.

        Raises:
            ConfigurationError: the file cannot be read or has other content.
        """
        found = self.documents.get(PRICES_FILE)
        if found is None:
            return PriceTable()
        reason = found.error
        try:
            if reason is None:
                return parse_prices(found.text, self.models)
        except (ValueError, RecursionError) as error:
            reason = text_of(error)
        raise ConfigurationError("bad_prices_file", path=found.path, reason=reason)

    @property
    def limits(self) -> Limits:
        """The limits of a run, a day and a month."""
        return Limits(**{w: parse_limit(self.text(name)) for w, name in LIMIT_SETTINGS.items()})

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """``host`` or ``host:port`` texts in lower case."""
        hosts = self.text("SEEDREAM_ALLOW_HOSTS").split(",")
        return frozenset(host.strip().lower() for host in hosts if host.strip())


def load_settings(
    home: Path | str | None = None,
    environ: Mapping[str, str] | None = None,
    given: Mapping[str, str] = NONE_GIVEN,
    *,
    profile: str = DEFAULT_PROFILE,
) -> Settings:
    """Load the settings of the environment and of ``settings.json`` in the data folder.

    Args:
        home: the data folder if ``SEEDREAM_HOME`` is not set; by default the platform's.
        environ: ``os.environ`` by default.
        given: settings given in code, which win; see ``given_settings.py``.
        profile: the name of the key and address to use.

    Raises:
        ConfigurationError: a value is not allowed, the file cannot be read, or there is no such
            profile.
    """
    environ = Hidden.of(os.environ if environ is None else environ)
    folder = resolve_home(home, environ)
    saved = read_settings_file(folder / "settings.json")
    profiles = find_profiles(
        Hidden({name: saved[name] for name in saved if name not in given}),
        Hidden({**environ, **given}),
    )
    upload_key = find_value(SETTINGS["SEEDREAM_UPLOAD_EVOLINK_KEY"], saved, environ, given)
    keys = HiddenTexts((*(one.find_key() for one in profiles.values()), upload_key.text))
    _check_misplaced_keys(
        {name: find_value(one, saved, environ, given) for name, one in SETTINGS.items()}, keys
    )
    keep_secret(key for key in keys if key != SANDBOX_KEY)
    values = {name: read_setting(one, saved, environ, given) for name, one in SETTINGS.items()}
    values["DEEPSPACE_API_KEY"] = bind_key(values, saved.get("key_address"))
    keep_secret(_list_secrets(values, environ))
    named = {MODELS_FILE: "SEEDREAM_MODELS", PRICES_FILE: "SEEDREAM_PRICES"}
    paths = {file: values[name].text for file, name in named.items()}
    documents = read_documents(folder, {**paths, FACTS_FILE: ""})
    return Settings(home=folder, values=values, documents=documents, profiles=profiles).for_profile(
        profile
    )


def _check_misplaced_keys(values: Mapping[str, Value], keys: HiddenTexts) -> None:
    """Reject a setting that contains one of the keys, whatever their form."""
    for name, value in values.items():
        holds_one = any(len(key) >= 16 and key in strip_logins(value.text) for key in keys)
        if holds_one and not SETTINGS[name].secret:
            raise ConfigurationError("key_in_other_setting", name=name)


def _list_secrets(values: Mapping[str, Value], environ: Mapping[str, str]) -> list[str]:
    """List the secrets that no message may show, except keys and those of an image host."""
    storage = [environ.get(name, "") for name in STORAGE_SECRETS]
    proxies = [values["SEEDREAM_PROXY"].text, *list_environ_proxies(environ)]
    return [
        *storage,
        environ.get("PGPASSWORD", ""),
        *list_ledger_secrets(values["SEEDREAM_LEDGER"].text),
        *(secret for proxy in proxies for secret in list_proxy_secrets(proxy)),
    ]


STORAGE_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_TOKEN")
"""Secrets of the environment for the access to an S3 bucket."""
