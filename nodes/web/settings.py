"""The pack's data folder inside ComfyUI, and the settings as a browser may see them.

A browser sees whether a secret is set, and its origin, but not its value. ``saving.py`` has what a
browser may change.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import folder_paths

from ...seedream_api.config.saving import UPLOAD_SECRETS, UPLOAD_URL
from ...seedream_api.config.settings import (
    DEFAULT_ADDRESS,
    SANDBOX,
    SETTINGS,
    Setting,
    Value,
    read_setting,
    read_settings_file,
    resolve_home,
)
from ...seedream_api.errors import ConfigurationError, SeedreamError
from ...seedream_api.messages import Text, join_sentences, to_chinese
from ...seedream_api.network.proxies import find_proxy
from ...seedream_api.redaction import bare_address

log = logging.getLogger("seedream")

ADDRESS, KEY, PROXY = "DEEPSPACE_BASE_URL", "DEEPSPACE_API_KEY", "SEEDREAM_PROXY"
_FILES = ("SEEDREAM_MODELS", "SEEDREAM_PRICES")
"""Settings with a path, which a browser must not choose."""
LEDGER = "SEEDREAM_LEDGER"
"""Decides what counts as paid for, and receives prompts: a browser must not choose it."""
STORE = "SEEDREAM_STORE"
"""Receives every stored image: a browser must not choose it."""
S3_ENDPOINT = "SEEDREAM_UPLOAD_S3_ENDPOINT"
"""Receives the machine's bucket credentials, so a browser must not choose it."""
SUGGESTED: Mapping[str, tuple[str, ...]] = MappingProxyType({ADDRESS: (DEFAULT_ADDRESS, SANDBOX)})


def find_home_folder() -> Path | None:
    """Find ComfyUI's protected folder for the pack, which its HTTP API never serves.

    ``None`` on a host without one: then the platform's folder for user data is used.
    """
    protected: Any = getattr(folder_paths, "get_system_user_directory", None)
    return Path(protected("seedream")) if protected is not None else None


def can_keep_secrets() -> bool:
    """Tell whether there is a folder for secrets: ComfyUI's protected one, or ``SEEDREAM_HOME``."""
    return find_home_folder() is not None or bool(os.environ.get("SEEDREAM_HOME"))


def error_json(error: SeedreamError) -> dict[str, str]:
    """Build the texts of an error for a panel; the charge only where one is possible."""
    return {
        language: error.message(language)
        if error.may_have_been_charged
        else join_sentences((error.summary(language), error.hint(language)), language)
        for language in ("en", "zh")
    }


def text_json(text: str) -> dict[str, str]:
    """Build both languages of a text for a page."""
    return {"en": str(text), "zh": str(to_chinese(text))}


def lock_json(lock: SeedreamError | None, error: SeedreamError | None) -> dict[str, Any]:
    """Build the fields that say whether a panel may edit a value, and what is wrong with it."""
    return {
        "editable": lock is None,
        "reason": error_json(lock) if lock else None,
        "error": error_json(error) if error else None,
    }


def list_settings() -> dict[str, Any]:
    """List every setting as a browser may see it. Reads the disk: call it in a thread.

    A value that is not allowed is listed with its error, so that it can be corrected.
    """
    home = resolve_home(find_home_folder(), os.environ)
    response: dict[str, Any] = {"home": str(home), "error": None}
    try:
        saved = read_settings_file(home / "settings.json")
    except ConfigurationError as error:
        saved, response["error"] = {}, error_json(error)
    settings = {name: _setting_json(setting, saved) for name, setting in SETTINGS.items()}
    address = settings[ADDRESS]
    _apply_key_address(settings[KEY], saved, address["value"])
    for secret in UPLOAD_SECRETS:
        lock_host_to_secret(settings[UPLOAD_URL], settings[secret], ())
    lock_host_to_secret(address, settings[KEY], SUGGESTED[ADDRESS])
    response["settings"] = list(settings.values())
    response["proxy"] = _find_proxy(address["value"], saved)
    return response


def _setting_json(setting: Setting, saved: Mapping[str, Any]) -> dict[str, Any]:
    error: SeedreamError | None = None
    try:
        value = read_setting(setting, saved, os.environ)
    except ConfigurationError as found:
        error = found
        is_fixed = bool(os.environ.get(setting.name, "").strip())
        origin = Text("origin_environment" if is_fixed else "origin_file")
        value = Value(str(found.given), found.values.get("origin", origin))
    shown = strip_secrets(value.text)
    fixed = locked_error(setting.name, value.origin)
    return {
        "name": setting.name,
        "kind": _choose_kind(setting),
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
        "only": None,
        **lock_json(fixed, error),
    }


def strip_secrets(text: str) -> str:
    """Remove the query and login of an address, which may be secrets."""
    return bare_address(text) if "://" in text or "@" in text else text


def _choose_kind(setting: Setting) -> str:
    if setting.secret:
        return "secret"
    if setting.words == ("on", "off"):
        return "switch"
    if setting.words:
        return "choice"
    return "text" if setting.low is None else "number"


def locked_error(name: str, origin: str) -> ConfigurationError | None:
    """Build the error why a browser may not change this setting; ``None`` if it may."""
    if origin == "environment":
        return ConfigurationError("setting_of_environment", name=name)
    if name in _FILES:
        return ConfigurationError("setting_names_a_file", name=name)
    if name == LEDGER:
        return ConfigurationError("setting_names_the_ledger", name=name)
    if name == STORE:
        return ConfigurationError("setting_names_the_store", name=name)
    if name == S3_ENDPOINT:
        return ConfigurationError("setting_with_bucket_credentials", name=name)
    if SETTINGS[name].secret and not can_keep_secrets():
        return ConfigurationError("secret_unstorable", name=name)
    return None


def _apply_key_address(key: dict[str, Any], saved: Mapping[str, Any], address: str) -> None:
    """Mark a saved key as not set if it belongs to another address."""
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
    """Lock the host that receives a secret of the environment."""
    if secret["is_set"] and secret["origin"] == "environment" and place["editable"]:
        error = ConfigurationError(
            "setting_with_environment_secret", name=place["name"], secret=secret["name"]
        )
        place["only"], place["reason"] = list(safe), error_json(error)
        place["editable"] = bool(safe)


def _find_proxy(address: str, saved: Mapping[str, Any]) -> str | None:
    """Find the proxy for the service's address, without its password."""
    try:
        chosen = read_setting(SETTINGS[PROXY], saved, os.environ).text
        proxy = None if address == SANDBOX else find_proxy(address, chosen)
    except ConfigurationError:  # its own field and doctor show the error
        return None
    return bare_address(proxy) if proxy else None
