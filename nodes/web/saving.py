"""Save the settings that a browser may change."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from ...seedream_api.config import saving
from ...seedream_api.config.saving import (
    UPLOAD_SECRETS,
    UPLOAD_URL,
    apply_changes,
    normalize_setting,
)
from ...seedream_api.config.settings import SETTINGS, read_setting, resolve_home
from ...seedream_api.errors import ConfigurationError, InvalidRequest
from ...seedream_api.messages import Text
from ...seedream_api.redaction import Hidden
from . import settings
from .settings import (
    ADDRESS,
    KEY,
    PROXY,
    S3_ENDPOINT,
    SUGGESTED,
)


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
        apply_changes(saved, texts, os.environ)

    edit_settings_file(change)


def edit_settings_file(change: Callable[[dict[str, Any]], None]) -> None:
    """Read the settings file of the pack, let ``change`` edit its content, and replace it.

    Raises:
        LedgerFailed: the file cannot be written.
    """
    saving.edit_settings_file(resolve_home(settings.find_home_folder(), os.environ), change)


def _normalize(name: str, given: object) -> str:
    """Check a value and normalize it for saving; empty for the default."""
    if name not in SETTINGS:
        raise InvalidRequest("setting_unknown", given=name)
    origin = "environment" if os.environ.get(name, "").strip() else ""
    if fixed := settings.locked_error(name, origin):
        raise fixed
    text = "" if given is None else str(given)
    text = normalize_setting(name, text, origin=Text("origin_panel"))
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
