"""Profiles: a key and its address under a name, so that a workflow needs only the name.

The settings file has them in ``profiles``; in the environment the name follows two underscores,
as in ``DEEPSPACE_API_KEY__STUDIO``. The default profile, with the empty name, is the key and
address without a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ConfigurationError
from ..messages import Text
from ..redaction import Hidden, holds_key, redact
from .definitions import SETTINGS
from .values import Value, find_value, read_setting

PROFILE_SETTINGS = ("DEEPSPACE_BASE_URL", "DEEPSPACE_API_KEY")
DEFAULT_PROFILE = ""
_DEFAULT_WORD = "default"
"""The word for the default profile where people read or type a name."""
_NAME = re.compile(r"\w{1,40}")
_VARIABLE = re.compile(rf"({'|'.join(PROFILE_SETTINGS)})__(.+)", re.IGNORECASE)


@dataclass(frozen=True)
class Profile:
    """What the settings file and the environment have for a profile; not checked yet."""

    name: str
    saved: Hidden = field(repr=False)
    environ: Hidden = field(repr=False)

    def read(self) -> dict[str, Value]:
        """Read the key and the address.

        Raises:
            ConfigurationError: a value is not allowed.
        """
        values = {
            name: read_setting(SETTINGS[name], self.saved, self.environ)
            for name in PROFILE_SETTINGS
        }
        values["DEEPSPACE_API_KEY"] = bind_key(values, self.saved.get("key_address"))
        return values

    def find_key(self) -> str:
        """Find the key as it is written, even if it is not used."""
        return find_value(SETTINGS["DEEPSPACE_API_KEY"], self.saved, self.environ).text


def bind_key(values: Mapping[str, Value], owner: str | None) -> Value:
    """Return the key, without its text if it was saved for another address.

    Args:
        owner: the address for which the key was saved.
    """
    key = values["DEEPSPACE_API_KEY"]
    if key.origin != "settings file" or owner == values["DEEPSPACE_BASE_URL"].text:
        return key
    saved_for = owner or Text("no_address")
    return Value("", Text("origin_other_address", address=saved_for), saved_for)


def normalize_profile_name(given: str) -> str:
    """Normalize the name of a profile: lower case, with underscores; empty for the default.

    Raises:
        ConfigurationError: the text is not a name.
    """
    if holds_key(given):
        raise ConfigurationError("profile_name_is_key")
    name = re.sub(r"[-.\s]+", "_", given.strip()).casefold()
    if name in (DEFAULT_PROFILE, _DEFAULT_WORD):
        return DEFAULT_PROFILE
    if not _NAME.fullmatch(name):
        raise ConfigurationError("profile_name_malformed", given=redact(given)[:40])
    return name


def find_profiles(saved: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Profile]:
    """Find all profiles by name: first the default, then the others in alphabetical order.

    Raises:
        ConfigurationError: a name is not allowed.
    """
    sections: dict[str, Hidden] = {
        check_profile_name(name): section for name, section in saved.get("profiles", {}).items()
    }
    variables: dict[str, Hidden] = {}
    for found in filter(None, map(_VARIABLE.fullmatch, environ)):
        if environ[found[0]].strip():
            name = check_profile_name(found[2])
            variables.setdefault(name, Hidden())[found[1].upper()] = environ[found[0]]
    names = sorted(sections.keys() | variables.keys())
    default = Profile(DEFAULT_PROFILE, _select(saved, "key_address"), _select(environ))
    return {DEFAULT_PROFILE: default} | {
        name: Profile(name, sections.get(name, Hidden()), variables.get(name, Hidden()))
        for name in names
    }


def get_profile(profiles: Mapping[str, Profile], given: str) -> Profile:
    """Return a profile by its name; empty for the default.

    Raises:
        ConfigurationError: there is no such profile.
    """
    name = normalize_profile_name(given)
    if name not in profiles:
        known = ", ".join(sorted(profiles.keys() - {DEFAULT_PROFILE})) or Text("none")
        raise ConfigurationError("profile_unknown", given=redact(given.strip()), known=known)
    return profiles[name]


def check_profile_name(given: str) -> str:
    """Normalize the name of a profile that is not the default one.

    Raises:
        ConfigurationError: the text is not a name, or means the default profile.
    """
    name = normalize_profile_name(given)
    if name == DEFAULT_PROFILE:
        raise ConfigurationError("profile_name_malformed", given=given)
    return name


def _select(values: Mapping[str, Any], *more: str) -> Hidden:
    return Hidden({name: values[name] for name in (*PROFILE_SETTINGS, *more) if name in values})
