"""What a browser may change of the settings, and how they are written down."""

from __future__ import annotations

import json
import os
import threading
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...seedream_api.config.settings import (
    NORMALIZERS,
    SANDBOX,
    SETTINGS,
    checked_key,
    make_private_folder,
    read_settings_file,
    resolve_home,
    value_of,
)
from ...seedream_api.errors import ConfigurationError, InvalidRequest, LedgerFailed
from ...seedream_api.messages import Text
from . import settings
from .settings import (
    ADDRESS,
    KEY,
    PROXY,
    S3_ENDPOINT,
    SUGGESTED,
    UPLOAD_SECRETS,
    UPLOAD_URL,
)

_writing = threading.Lock()


def save(changes: Mapping[str, Any]) -> None:
    """Write settings down, by the rules by which they are read. Blocks: call it in a thread.

    Args:
        changes: by name; ``None`` or an empty text goes back to the default.

    Raises:
        InvalidRequest: there is no such setting.
        ConfigurationError: a value is not allowed, or a browser may not change it.
        LedgerFailed: the file cannot be written.
    """
    home = resolve_home(settings.home_folder(), os.environ)
    texts = {name: _checked(name, given) for name, given in changes.items()}
    with _writing:
        saved = read_settings_file(home / "settings.json")
        _check_bound(texts)
        _check_proxy(texts, saved)
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
    if fixed := settings.why_fixed(name, origin):
        raise fixed
    text = "" if given is None else str(given).strip()
    if not text:
        return ""
    if name == KEY:
        return checked_key(text)
    if not setting.allows(text):
        raise ConfigurationError(
            "bad_setting",
            name=name,
            given=text,
            origin=Text("origin_panel"),
            allowed=setting.allowed(),
        )
    if spelled := NORMALIZERS.get(name):
        text = spelled(text)
    if settings.without_secrets(text) != text and not settings.keeps_secrets():
        raise ConfigurationError("secret_unstorable", name=name)
    return text


def _check_bound(texts: Mapping[str, str]) -> None:
    pairs = [(ADDRESS, KEY), *((UPLOAD_URL, secret) for secret in UPLOAD_SECRETS)]
    for place, secret in pairs:
        is_safe = texts.get(place, "") in ("", *SUGGESTED.get(place, ()))
        if place in texts and os.environ.get(secret, "").strip() and not is_safe:
            raise ConfigurationError("setting_with_environment_secret", name=place, secret=secret)


def _check_proxy(texts: Mapping[str, str], saved: Mapping[str, Any]) -> None:
    """A bucket that is asked over plain http gives its credentials to the proxy as well."""
    endpoint = value_of(SETTINGS[S3_ENDPOINT], saved, os.environ).text
    if texts.get(PROXY) and endpoint.lower().startswith("http://"):
        raise ConfigurationError("setting_with_bucket_credentials", name=PROXY)


def _drop_upload_secrets(saved: dict[str, Any], texts: Mapping[str, str]) -> None:
    """Secrets that were saved for one host are not sent to another."""
    if UPLOAD_URL in texts and _host(saved.get(UPLOAD_URL)) != _host(texts[UPLOAD_URL]):
        for secret in UPLOAD_SECRETS:
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
        address = value_of(SETTINGS[ADDRESS], saved, os.environ).text
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
