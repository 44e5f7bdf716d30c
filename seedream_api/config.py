"""Key, address, folders and limits, and where each value came from.

Every setting has one name, the same in the environment and in ``settings.json`` in the home folder;
the environment wins. A saved key is saved together with its address and is used for no other.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from pydantic import SecretStr

from .addresses import is_local_host
from .catalog import MODELS, Model, with_added_models
from .errors import ConfigurationError
from .proxies import checked_proxy
from .redaction import HIDDEN, bare_url
from .setting_names import DEFAULT_ADDRESS as DEFAULT_ADDRESS
from .setting_names import SETTINGS as SETTINGS
from .setting_names import Setting as Setting

SANDBOX = "sandbox"
"""The word that as an address means the built-in sandbox."""
SANDBOX_KEY = "sk-sandbox-free"
"""No secret: the sandbox's own key, and the only one ever sent to it."""


@dataclass(frozen=True)
class Value:
    """A setting's value and where it came from: environment, settings file, or default."""

    text: str = field(repr=False)
    origin: str


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
        if value.origin.startswith("saved for "):
            saved = value.origin.removeprefix("saved for ")
            raise ConfigurationError("key_of_other_address", saved=saved, address=self.address)
        if not value.text:
            raise ConfigurationError("no_key", path=self.settings_file)
        return SecretStr(checked_key(value.text))

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
            raise ConfigurationError("bad_models_file", path=path, reason=error) from None

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
    environ = os.environ if environ is None else environ
    folder = home_of(home, environ)
    saved = read_settings_file(folder / "settings.json")
    values = {name: value_of(setting, saved, environ) for name, setting in SETTINGS.items()}
    key, owner = values["DEEPSPACE_API_KEY"], saved.get("key_address")
    if key.origin == "settings file" and owner != values["DEEPSPACE_BASE_URL"].text:
        values["DEEPSPACE_API_KEY"] = Value("", f"saved for {owner or 'no address'}")
    return Settings(home=folder, values=values)


def home_of(home: Path | str | None, environ: Mapping[str, str]) -> Path:
    """The home folder: ``SEEDREAM_HOME``, else ``home``, else the platform's data folder."""
    return Path(environ.get("SEEDREAM_HOME") or home or default_home(environ)).expanduser()


def value_of(setting: Setting, saved: Mapping[str, Any], environ: Mapping[str, str]) -> Value:
    """A setting's value: of the environment, else the saved one, else the default; an address and a
    proxy in their one spelling.

    Raises:
        ConfigurationError: it is not allowed.
    """
    given = environ.get(setting.name, "").strip()
    if given:
        value = Value(given, "environment")
    elif saved_text := _text(saved.get(setting.name)):
        value = Value(saved_text, "settings file")
    else:
        return Value(setting.default, "default")
    if not setting.allows(value.text):
        raise ConfigurationError(
            "bad_setting",
            name=setting.name,
            given=value.text,
            origin=value.origin,
            allowed=setting.allowed(),
        )
    spelled = SPELLED.get(setting.name)
    return Value(spelled(value.text), value.origin) if spelled else value


def _text(saved: Any) -> str:
    """A saved value as the environment would spell it."""
    if isinstance(saved, bool):
        return "on" if saved else "off"
    if isinstance(saved, dict):
        return json.dumps(saved)
    return "" if saved is None else str(saved).strip()


def checked_key(text: str) -> str:
    """The key as it is.

    Raises:
        ConfigurationError: it holds what no key and no HTTP header may hold.
    """
    if not may_be_key(text):
        raise ConfigurationError("bad_key")
    return text


def may_be_key(text: str) -> bool:
    """Whether it holds only what keys and HTTP headers may hold."""
    return text.isascii() and text.isprintable() and " " not in text


def checked_address(text: str) -> str:
    """The address in its one spelling.

    Raises:
        ConfigurationError: no http(s) address, one with more than host, port and path, or plain
            http to another machine, where a key would travel in the clear.
    """
    if text.lower() == SANDBOX:
        return SANDBOX
    # A user name, a password or a query may be a secret, however odd the rest is.
    shown = HIDDEN if "@" in text else bare_url(text)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        reason = "it cannot be taken apart"
        raise ConfigurationError("bad_address", given=shown, reason=reason) from None
    reason = None
    if parts.scheme.lower() not in ("http", "https") or not host:
        reason = "it is no http or https address"
    elif "@" in parts.netloc:
        reason = "it holds a user name"
    elif parts.query or parts.fragment:
        reason = "it has a query or fragment"
    elif parts.scheme.lower() == "http" and not is_local_host(host):
        reason = "plain http would send the key in the clear"
    if reason:
        raise ConfigurationError("bad_address", given=shown, reason=reason)
    literal = f"[{host}]" if ":" in host else host
    netloc = literal if port is None else f"{literal}:{port}"
    # Both spellings are met in guides; the paths of the service begin with /v1 themselves.
    path = parts.path.rstrip("/").removesuffix("/v1")
    return f"{parts.scheme.lower()}://{netloc}{path}"


SPELLED: Mapping[str, Callable[[str], str]] = {
    "DEEPSPACE_BASE_URL": checked_address,
    "SEEDREAM_PROXY": checked_proxy,
}
"""How the value of a setting is checked that is more than a text, and brought into its spelling."""


def read_settings_file(path: Path) -> dict[str, Any]:
    """The saved settings; a missing file has none. Others' rights to the file are taken away.

    Raises:
        ConfigurationError: it cannot be read or holds no JSON object.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o600)
        saved: Any = json.loads(text)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError("bad_settings_file", path=path, reason=error) from None
    if not isinstance(saved, dict):
        raise ConfigurationError("bad_settings_file", path=path, reason="it holds no JSON object")
    saved = cast("dict[str, Any]", saved)
    # A key written by hand belongs to the address written beside it.
    if saved.get("DEEPSPACE_API_KEY") and "key_address" not in saved:
        beside = str(saved.get("DEEPSPACE_BASE_URL") or DEFAULT_ADDRESS)
        saved["key_address"] = checked_address(beside)
    return saved


def default_home(environ: Mapping[str, str]) -> Path:
    """The platform's folder for a user's data, outside ComfyUI."""
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "seedream"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/seedream"
    return Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "seedream"


def make_private_folder(folder: Path) -> None:
    """Make ``folder`` readable by its owner only.

    Raises:
        OSError: it cannot be made.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name == "posix" and stat.S_IMODE(folder.stat().st_mode) & 0o077:
        folder.chmod(0o700)
