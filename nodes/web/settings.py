"""Where this pack keeps its things inside ComfyUI, and what a browser may know of the settings.

Of a secret that is whether it is set, and from where. What it may change is in ``saving.py``.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import folder_paths

from ...seedream_api.config.settings import (
    DEFAULT_ADDRESS,
    SANDBOX,
    SETTINGS,
    Setting,
    Value,
    read_settings_file,
    resolve_home,
    value_of,
)
from ...seedream_api.errors import ConfigurationError, SeedreamError
from ...seedream_api.messages import Text, join_sentences
from ...seedream_api.network.proxies import proxy_for
from ...seedream_api.redaction import bare_address

log = logging.getLogger("seedream")

ADDRESS, KEY, PROXY = "DEEPSPACE_BASE_URL", "DEEPSPACE_API_KEY", "SEEDREAM_PROXY"
UPLOAD_URL = "SEEDREAM_UPLOAD_HTTP_URL"
UPLOAD_SECRETS = ("SEEDREAM_UPLOAD_HTTP_HEADERS", "SEEDREAM_UPLOAD_HTTP_FIELDS")
"""What is sent to ``UPLOAD_URL``, and to no other host."""
_FILES = ("SEEDREAM_MODELS",)
"""Settings that name a file: no path is taken from a browser."""
S3_ENDPOINT = "SEEDREAM_UPLOAD_S3_ENDPOINT"
"""Where the bucket's credentials go, which are always the machine's: no browser names that."""
SUGGESTED: Mapping[str, tuple[str, ...]] = MappingProxyType({ADDRESS: (DEFAULT_ADDRESS, SANDBOX)})


def home_folder() -> Path | None:
    """ComfyUI's protected folder for us, which its HTTP API never serves.

    ``None`` on a host that has none: then the platform's own folder for user data is used.
    """
    protected: Any = getattr(folder_paths, "get_system_user_directory", None)
    return Path(protected("seedream")) if protected is not None else None


def keeps_secrets() -> bool:
    """Whether there is a folder for secrets: ComfyUI's protected one, or one that was named."""
    return home_folder() is not None or bool(os.environ.get("SEEDREAM_HOME"))


def error_json(error: SeedreamError) -> dict[str, str]:
    """An error for a panel, in both languages; about money only where money is concerned."""
    return {
        language: error.message(language)
        if error.may_have_been_charged
        else join_sentences((error.summary(language), error.hint(language)), language)
        for language in ("en", "zh")
    }


def listing() -> dict[str, Any]:
    """Every setting as a browser may see it. Reads the disk: call it in a thread.

    A value that is not allowed is listed with its error, so that it can be corrected.
    """
    home = resolve_home(home_folder(), os.environ)
    response: dict[str, Any] = {"home": str(home), "error": None}
    try:
        saved = read_settings_file(home / "settings.json")
    except ConfigurationError as error:
        saved, response["error"] = {}, error_json(error)
    settings = {name: _listed(setting, saved) for name, setting in SETTINGS.items()}
    address = settings[ADDRESS]
    _settle_key(settings[KEY], saved, address["value"])
    for secret in UPLOAD_SECRETS:
        lock_host_to_secret(settings[UPLOAD_URL], settings[secret], ())
    lock_host_to_secret(address, settings[KEY], SUGGESTED[ADDRESS])
    response["settings"] = list(settings.values())
    response["proxy"] = _proxy(address["value"], saved)
    return response


def _listed(setting: Setting, saved: Mapping[str, Any]) -> dict[str, Any]:
    error: SeedreamError | None = None
    try:
        value = value_of(setting, saved, os.environ)
    except ConfigurationError as found:
        error = found
        is_fixed = bool(os.environ.get(setting.name, "").strip())
        origin = Text("origin_environment" if is_fixed else "origin_file")
        value = Value(str(found.given), found.values.get("origin", origin))
    shown = without_secrets(value.text)
    fixed = why_fixed(setting.name, value.origin)
    return {
        "name": setting.name,
        "kind": _kind(setting),
        "value": None if setting.secret else shown,
        "is_hidden": not setting.secret and shown != value.text,
        "is_set": bool(value.text),
        "is_needed": True,
        "default": setting.default,
        "origin": value.origin,
        "words": list(setting.words),
        "suggested": list(SUGGESTED.get(setting.name, ())),
        "low": setting.low,
        "high": setting.high,
        "editable": fixed is None,
        "only": None,
        "reason": error_json(fixed) if fixed else None,
        "error": error_json(error) if error else None,
    }


def without_secrets(text: str) -> str:
    """A value as it may be shown: a query or a user name in an address may be a secret."""
    return bare_address(text) if "://" in text or "@" in text else text


def _kind(setting: Setting) -> str:
    if setting.secret:
        return "secret"
    if setting.words == ("on", "off"):
        return "switch"
    if setting.words:
        return "choice"
    return "text" if setting.low is None else "number"


def why_fixed(name: str, origin: str) -> ConfigurationError | None:
    """Why a browser may not change this setting."""
    if origin == "environment":
        return ConfigurationError("setting_of_environment", name=name)
    if name in _FILES:
        return ConfigurationError("setting_names_a_file", name=name)
    if name == S3_ENDPOINT:
        return ConfigurationError("setting_with_bucket_credentials", name=name)
    if SETTINGS[name].secret and not keeps_secrets():
        return ConfigurationError("secret_unstorable", name=name)
    return None


def _settle_key(key: dict[str, Any], saved: Mapping[str, Any], address: str) -> None:
    """A saved key counts for the address it was saved with alone."""
    owner = saved.get("key_address")
    if key["origin"] == "settings file" and owner != address:
        key["is_set"] = False
        if address != SANDBOX:
            error = ConfigurationError("key_of_other_address", saved=owner, address=address)
            key["error"] = error_json(error)
    if address == SANDBOX:
        key["is_needed"] = False
        if key["editable"]:
            key["editable"], key["reason"] = (
                False,
                error_json(ConfigurationError("key_for_sandbox")),
            )


def lock_host_to_secret(
    place: dict[str, Any], secret: dict[str, Any], safe: tuple[str, ...]
) -> None:
    """Where a secret is the environment's, a browser may not name the host that it goes to."""
    if secret["is_set"] and secret["origin"] == "environment" and place["editable"]:
        error = ConfigurationError(
            "setting_with_environment_secret", name=place["name"], secret=secret["name"]
        )
        place["only"], place["reason"] = list(safe), error_json(error)
        place["editable"] = bool(safe)


def _proxy(address: str, saved: Mapping[str, Any]) -> str | None:
    """The proxy through which the service is asked, without its password."""
    try:
        chosen = value_of(SETTINGS[PROXY], saved, os.environ).text
        proxy = None if address == SANDBOX else proxy_for(address, chosen)
    except ConfigurationError:  # shown beside its own field, and by doctor
        return None
    return bare_address(proxy) if proxy else None
