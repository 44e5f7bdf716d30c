"""Save the settings that a browser may change."""

from __future__ import annotations

import json
import os
import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...seedream_api.config.settings import (
    PARSERS,
    SANDBOX,
    SETTINGS,
    check_key,
    make_private_folder,
    read_setting,
    read_settings_file,
    resolve_home,
)
from ...seedream_api.errors import ConfigurationError, InvalidRequest, LedgerFailed
from ...seedream_api.messages import Text, text_of
from ...seedream_api.redaction import Hidden
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
    """Save settings, with the checks of reading them. Blocks: call it in a thread.

    Args:
        changes: by name; ``None`` or an empty text restores the default.

    Raises:
        InvalidRequest: there is no such setting.
        ConfigurationError: a value is not allowed, or a browser may not change it.
        LedgerFailed: the file cannot be written.
    """
    changes = Hidden.of(changes)
    texts = Hidden({name: _normalize(name, given) for name, given in changes.items()})

    def change(saved: dict[str, Any]) -> None:
        _check_secret_hosts(texts)
        _check_proxy(texts, saved)
        _drop_upload_secrets(saved, texts)
        saved.update(texts)
        for name in [name for name in texts if not texts[name]]:
            del saved[name]
        if KEY in texts:
            _bind_key_to_address(saved)

    edit_settings_file(change)


def edit_settings_file(change: Callable[[dict[str, Any]], None]) -> None:
    """Read the settings file, let ``change`` edit its content, and replace it.

    Raises:
        LedgerFailed: the file cannot be written.
    """
    home = resolve_home(settings.find_home_folder(), os.environ)
    with _writing:
        saved = read_settings_file(home / "settings.json")
        change(saved)
        write_private_json(home / "settings.json", saved)


def _normalize(name: str, given: object) -> str:
    """Check a value and normalize it for saving; empty for the default."""
    setting = SETTINGS.get(name)
    if setting is None:
        raise InvalidRequest("setting_unknown", given=name)
    origin = "environment" if os.environ.get(name, "").strip() else ""
    if fixed := settings.locked_error(name, origin):
        raise fixed
    text = "" if given is None else str(given).strip()
    if not text:
        return ""
    if name == KEY:
        return check_key(text)
    if not setting.allows(text):
        raise ConfigurationError(
            "bad_setting",
            name=name,
            given=text,
            origin=Text("origin_panel"),
            allowed=setting.describe_allowed(),
        )
    if parse := PARSERS.get(name):
        parsed = parse(text)
        if isinstance(parsed, ConfigurationError):
            raise parsed
        text = parsed
    if settings.strip_secrets(text) != text and not settings.can_keep_secrets():
        raise ConfigurationError("secret_unstorable", name=name)
    return text


def _check_secret_hosts(texts: Mapping[str, str]) -> None:
    pairs = [(ADDRESS, KEY), *((UPLOAD_URL, secret) for secret in UPLOAD_SECRETS)]
    for place, secret in pairs:
        is_safe = texts.get(place, "") in ("", *SUGGESTED.get(place, ()))
        if place in texts and os.environ.get(secret, "").strip() and not is_safe:
            raise ConfigurationError("setting_with_environment_secret", name=place, secret=secret)


def _check_proxy(texts: Mapping[str, str], saved: Mapping[str, Any]) -> None:
    """Reject a proxy for a bucket on plain http: it would see the credentials."""
    endpoint = read_setting(SETTINGS[S3_ENDPOINT], saved, os.environ).text
    if texts.get(PROXY) and endpoint.lower().startswith("http://"):
        raise ConfigurationError("setting_with_bucket_credentials", name=PROXY)


def _drop_upload_secrets(saved: dict[str, Any], texts: Mapping[str, str]) -> None:
    """Remove the secrets of an image host when another host is saved."""
    if UPLOAD_URL in texts and _parse_host(saved.get(UPLOAD_URL)) != _parse_host(texts[UPLOAD_URL]):
        for secret in UPLOAD_SECRETS:
            saved.pop(secret, None)


def _parse_host(url: object) -> str:
    try:
        parts = urlsplit(str(url or ""))
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()


def _bind_key_to_address(saved: dict[str, Any]) -> None:
    """Save a key together with the address that it belongs to."""
    saved.pop("key_address", None)
    if KEY in saved:
        address = read_setting(SETTINGS[ADDRESS], saved, os.environ).text
        if address == SANDBOX:
            raise ConfigurationError("key_for_sandbox")
        saved["key_address"] = address


def write_private_json(file: Path, content: Mapping[str, Any]) -> None:
    """Replace a file of the data folder atomically by one that only its owner may read.

    Raises:
        LedgerFailed: the file cannot be written.
    """
    partial = file.with_name(f"{file.stem}.{uuid.uuid4().hex}.part")
    try:
        make_private_folder(file.parent)
        try:
            descriptor = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                json.dump(dict(content), stream, ensure_ascii=False, indent=1)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise LedgerFailed("settings_unwritable", path=file, reason=text_of(error)) from None
