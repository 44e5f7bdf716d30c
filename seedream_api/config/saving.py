"""Save settings to ``settings.json`` in the data folder, readable by its owner only."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import ConfigurationError, InvalidRequest
from ..redaction import Hidden
from .definitions import SETTINGS
from .normalization import SANDBOX, check_key
from .private_file import write_private_json
from .settings import PARSERS, read_setting
from .settings_file import read_settings_file

KEY, ADDRESS = "DEEPSPACE_API_KEY", "DEEPSPACE_BASE_URL"
UPLOAD_URL = "SEEDREAM_UPLOAD_HTTP_URL"
UPLOAD_SECRETS = ("SEEDREAM_UPLOAD_HTTP_HEADERS", "SEEDREAM_UPLOAD_HTTP_FIELDS")
"""Secrets that are sent to ``UPLOAD_URL`` only."""
_WRITING = threading.Lock()


def save_settings(
    home: Path, changes: Mapping[str, str], environ: Mapping[str, str], *, origin: str
) -> None:
    """Save settings, with the checks of reading them.

    Args:
        changes: texts by name; an empty one restores the default.
        origin: where the values come from, for errors.

    Raises:
        InvalidRequest: there is no such setting.
        ConfigurationError: a value is not allowed.
        LedgerFailed: the file cannot be written.
    """
    texts = normalize_changes(changes, origin=origin)
    edit_settings_file(home, lambda saved: apply_changes(saved, texts, environ))


def normalize_changes(changes: Mapping[str, str], *, origin: str) -> Hidden:
    """Check values by name and normalize them for saving; see :func:`normalize_setting`."""
    changes = Hidden.of(changes)
    return Hidden(
        {name: normalize_setting(name, text, origin=origin) for name, text in changes.items()}
    )


def edit_settings_file(home: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Read the settings file, let ``change`` edit its content, and replace it.

    Raises:
        LedgerFailed: the file cannot be written.
    """
    with _WRITING:
        saved = read_settings_file(home / "settings.json")
        change(saved)
        write_private_json(home / "settings.json", saved)


def normalize_setting(name: str, text: str, *, origin: str) -> str:
    """Check a value and normalize it for saving; empty for the default.

    Raises:
        InvalidRequest: there is no such setting.
        ConfigurationError: the value is not allowed.
    """
    setting = SETTINGS.get(name)
    if setting is None:
        raise InvalidRequest("setting_unknown", given=name)
    text = text.strip()
    if not text:
        return ""
    if name == KEY:
        return check_key(text)
    if not setting.allows(text):
        allowed = setting.describe_allowed()
        raise ConfigurationError(
            "bad_setting", name=name, given=text, origin=origin, allowed=allowed
        )
    if parse := PARSERS.get(name):
        parsed = parse(text)
        if isinstance(parsed, ConfigurationError):
            raise parsed
        text = parsed
    return text


def apply_changes(
    saved: dict[str, Any], texts: Mapping[str, str], environ: Mapping[str, str]
) -> None:
    """Change the saved settings; a key is bound to its address, an image host to its secrets.

    Raises:
        ConfigurationError: the sandbox needs no key.
    """
    _drop_upload_secrets(saved, texts)
    saved.update(texts)
    for name in [name for name in texts if not texts[name]]:
        del saved[name]
    if KEY in texts:
        _bind_key_to_address(saved, environ)


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


def _bind_key_to_address(saved: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Save a key together with the address that it belongs to."""
    saved.pop("key_address", None)
    if KEY in saved:
        address = read_setting(SETTINGS[ADDRESS], saved, environ).text
        if address == SANDBOX:
            raise ConfigurationError("key_for_sandbox")
        saved["key_address"] = address
