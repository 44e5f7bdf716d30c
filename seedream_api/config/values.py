"""Read one setting: from the environment, else the settings file, else its default."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..errors import ConfigurationError
from ..messages import Text
from ..network.proxies import parse_proxy
from ..redaction import REDACTED, Hidden, holds_key
from .definitions import Setting
from .ledger_url import parse_ledger_url
from .limits import LIMIT_SETTINGS, normalize_limit
from .normalization import parse_address
from .store_url import parse_store_url

NONE_GIVEN: Mapping[str, str] = Hidden()


@dataclass(frozen=True)
class Value:
    """A setting's value and its origin: code, environment, settings file, or default.

    Args:
        saved_for: the address of a saved key that is not used because the address is another now.
    """

    text: str = field(repr=False)
    origin: str
    saved_for: str | None = None


def read_setting(
    setting: Setting,
    saved: Mapping[str, Any],
    environ: Mapping[str, str],
    given: Mapping[str, str] = NONE_GIVEN,
) -> Value:
    """Read a setting: from code, else the environment, else the saved value, else the default.

    An address and a proxy are normalized.

    Raises:
        ConfigurationError: the value is not allowed.
    """
    environ = Hidden.of(environ)
    found = find_value(setting, saved, environ, given)
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


def find_value(
    setting: Setting,
    saved: Mapping[str, Any],
    environ: Mapping[str, str],
    given: Mapping[str, str] = NONE_GIVEN,
) -> Value:
    """Find a setting's value as it is written, without a check."""
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
        if holds_key(strip_logins(value.text)):
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


def strip_logins(text: str) -> str:
    """Remove the login and query of an address, which may contain a password or key."""
    return text.rpartition("@")[2].partition("?")[0]


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
    "SEEDREAM_LEDGER": parse_ledger_url,
    "SEEDREAM_STORE": parse_store_url,
    **{name: partial(normalize_limit, name) for name in LIMIT_SETTINGS.values()},
}
"""Check and normalize a setting; return the error."""
