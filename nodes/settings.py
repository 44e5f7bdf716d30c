"""Where this pack keeps its things inside ComfyUI, and the settings that are saved there.

What a browser may know of a secret is whether it is set, and from where.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import folder_paths

from ..seedream_api.config import (
    DEFAULT_ADDRESS,
    SANDBOX,
    SETTINGS,
    Setting,
    Value,
    checked_address,
    checked_key,
    home_of,
    make_private_folder,
    read_settings_file,
    value_of,
)
from ..seedream_api.errors import ConfigurationError, InvalidRequest, LedgerFailed, SeedreamError
from ..seedream_api.redaction import bare_url
from ..seedream_api.wording import joined

log = logging.getLogger("seedream")

ADDRESS, KEY = "DEEPSPACE_BASE_URL", "DEEPSPACE_API_KEY"
_UPLOAD_URL = "SEEDREAM_UPLOAD_HTTP_URL"
_UPLOAD_SECRETS = ("SEEDREAM_UPLOAD_HTTP_HEADERS", "SEEDREAM_UPLOAD_HTTP_FIELDS")
"""What is sent to ``_UPLOAD_URL``, and to no other host."""
_FILES = ("SEEDREAM_MODELS",)
"""Settings that name a file: no path is taken from a browser."""
_SUGGESTED: Mapping[str, tuple[str, ...]] = MappingProxyType({ADDRESS: (DEFAULT_ADDRESS, SANDBOX)})
_writing = threading.Lock()


def home_folder() -> Path | None:
    """ComfyUI's protected folder for us, which its HTTP API never serves.

    ``None`` on a host that has none: then the platform's own folder for user data is used.
    """
    protected: Any = getattr(folder_paths, "get_system_user_directory", None)
    return Path(protected("seedream")) if protected is not None else None


def said(error: SeedreamError) -> dict[str, str]:
    """An error for a panel, in both languages; about money only where money is concerned."""
    return {
        language: error.message(language)
        if error.may_have_been_charged
        else joined((error.happened(language), error.advice(language)), language)
        for language in ("en", "zh")
    }


# --- reading ------------------------------------------------------------------------------------


def listing() -> dict[str, Any]:
    """Every setting as a browser may see it. Reads the disk: call it in a thread.

    A value that is not allowed is listed with its error, so that it can be corrected.
    """
    home = home_of(home_folder(), os.environ)
    answer: dict[str, Any] = {"home": str(home), "error": None}
    try:
        saved = read_settings_file(home / "settings.json")
    except ConfigurationError as error:
        saved, answer["error"] = {}, said(error)
    settings = {name: _listed(setting, saved) for name, setting in SETTINGS.items()}
    address = settings[ADDRESS]
    _settle_key(settings[KEY], saved, address["value"])
    for secret in _UPLOAD_SECRETS:
        _bind(settings[_UPLOAD_URL], settings[secret], ())
    _bind(address, settings[KEY], _SUGGESTED[ADDRESS])
    answer["settings"] = list(settings.values())
    answer["proxy"] = _proxy(address["value"])
    return answer


def _listed(setting: Setting, saved: Mapping[str, Any]) -> dict[str, Any]:
    error: SeedreamError | None = None
    try:
        value = value_of(setting, saved, os.environ)
        if setting.name == ADDRESS:
            value = Value(checked_address(value.text), value.origin)
    except ConfigurationError as found:
        error = found
        origin = "environment" if os.environ.get(setting.name, "").strip() else "settings file"
        value = Value(str(found.values["given"]), str(found.values.get("origin", origin)))
    # A query or a user name in an address may be a secret of its host.
    shown = bare_url(value.text) if "://" in value.text else value.text
    fixed = _fixed(setting.name, value.origin)
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
        "suggested": list(_SUGGESTED.get(setting.name, ())),
        "low": setting.low,
        "high": setting.high,
        "editable": fixed is None,
        "only": None,
        "reason": said(fixed) if fixed else None,
        "error": said(error) if error else None,
    }


def _kind(setting: Setting) -> str:
    if setting.secret:
        return "secret"
    if setting.words == ("on", "off"):
        return "switch"
    if setting.words:
        return "choice"
    return "text" if setting.low is None else "number"


def _fixed(name: str, origin: str) -> ConfigurationError | None:
    """Why a browser may not change this setting."""
    if origin == "environment":
        return ConfigurationError("setting_of_environment", name=name)
    if name in _FILES:
        return ConfigurationError("setting_names_a_file", name=name)
    if SETTINGS[name].secret and home_folder() is None and not os.environ.get("SEEDREAM_HOME"):
        return ConfigurationError("secret_unstorable", name=name)
    return None


def _settle_key(key: dict[str, Any], saved: Mapping[str, Any], address: str) -> None:
    """A saved key counts for the address it was saved with alone."""
    owner = saved.get("key_address")
    if key["origin"] == "settings file" and owner != address:
        key["is_set"] = False
        if address != SANDBOX:
            error = ConfigurationError("key_of_other_address", saved=owner, address=address)
            key["error"] = said(error)
    if address == SANDBOX:
        key["is_needed"] = False
        if key["editable"]:
            key["editable"], key["reason"] = False, said(ConfigurationError("key_for_sandbox"))


def _bind(place: dict[str, Any], secret: dict[str, Any], safe: tuple[str, ...]) -> None:
    """Where a secret is the environment's, a browser may not name the host that it goes to."""
    if secret["is_set"] and secret["origin"] == "environment" and place["editable"]:
        error = ConfigurationError(
            "setting_with_environment_secret", name=place["name"], secret=secret["name"]
        )
        place["only"], place["reason"] = list(safe), said(error)
        place["editable"] = bool(safe)


def _proxy(address: str) -> str | None:
    from ..seedream_api.proxies import proxy_for

    proxy = None if address == SANDBOX else proxy_for(address)
    return bare_url(proxy) if proxy else None


# --- writing ------------------------------------------------------------------------------------


def save(changes: Mapping[str, Any]) -> None:
    """Write settings down, by the rules by which they are read. Blocks: call it in a thread.

    Args:
        changes: by name; ``None`` or an empty text goes back to the default.

    Raises:
        InvalidRequest: there is no such setting.
        ConfigurationError: a value is not allowed, or a browser may not change it.
        LedgerFailed: the file cannot be written.
    """
    home = home_of(home_folder(), os.environ)
    texts = {name: _checked(name, given) for name, given in changes.items()}
    with _writing:
        saved = read_settings_file(home / "settings.json")
        _check_bound(texts)
        _drop_upload_secrets(saved, texts)
        for name, text in texts.items():
            if text:
                saved[name] = text
            else:
                saved.pop(name, None)
        if KEY in texts:
            _bind_key(saved, texts[KEY])
        _write(home, saved)


def _checked(name: str, given: object) -> str:
    """A value as it is to be saved; empty for none."""
    setting = SETTINGS.get(name)
    if setting is None:
        raise InvalidRequest("setting_unknown", given=name)
    origin = "environment" if os.environ.get(name, "").strip() else ""
    if fixed := _fixed(name, origin):
        raise fixed
    text = "" if given is None else str(given).strip()
    if text and name == ADDRESS:
        return checked_address(text)
    if text and name == KEY:
        return checked_key(text)
    if text and not setting.allows(text):
        raise ConfigurationError(
            "bad_setting",
            name=name,
            given=text,
            origin="settings panel",
            allowed=setting.allowed(),
        )
    return text


def _check_bound(texts: Mapping[str, str]) -> None:
    pairs = [(ADDRESS, KEY), *((_UPLOAD_URL, secret) for secret in _UPLOAD_SECRETS)]
    for place, secret in pairs:
        is_safe = texts.get(place, "") in ("", *_SUGGESTED.get(place, ()))
        if place in texts and os.environ.get(secret, "").strip() and not is_safe:
            raise ConfigurationError("setting_with_environment_secret", name=place, secret=secret)


def _drop_upload_secrets(saved: dict[str, Any], texts: Mapping[str, str]) -> None:
    """Secrets that were saved for one host are not sent to another."""
    if _UPLOAD_URL in texts and _host(saved.get(_UPLOAD_URL)) != _host(texts[_UPLOAD_URL]):
        for secret in _UPLOAD_SECRETS:
            saved.pop(secret, None)


def _host(url: object) -> str:
    try:
        parts = urlsplit(str(url or ""))
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()


def _bind_key(saved: dict[str, Any], key: str) -> None:
    """A key is saved together with the address it belongs to."""
    saved.pop("key_address", None)
    if key:
        address = checked_address(value_of(SETTINGS[ADDRESS], saved, os.environ).text)
        if address == SANDBOX:
            raise ConfigurationError("key_for_sandbox")
        saved["key_address"] = address


def _write(home: Path, saved: Mapping[str, Any]) -> None:
    """Replace the file by a whole one that its owner alone may read."""
    file = home / "settings.json"
    partial = home / f"settings.{uuid.uuid4().hex}.part"
    try:
        make_private_folder(home)
        try:
            descriptor = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                json.dump(dict(saved), stream, ensure_ascii=False, indent=1)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise LedgerFailed("settings_unwritable", path=file, reason=reason) from None
