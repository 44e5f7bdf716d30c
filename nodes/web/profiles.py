"""Profiles as a browser may see and change them: keys go in and never come out.

A profile of the environment cannot be changed. The address of a saved key changes only together
with the key, so that a browser cannot send a key that it may not read to another host.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...seedream_api.config.profile_saving import replace_profile
from ...seedream_api.config.profiles import (
    DEFAULT_PROFILE,
    Profile,
    check_profile_name,
    find_profiles,
    get_profile,
)
from ...seedream_api.config.settings import (
    DEFAULT_ADDRESS,
    PARSERS,
    SANDBOX,
    check_key,
    load_settings,
    read_settings_file,
    resolve_home,
)
from ...seedream_api.errors import ConfigurationError
from ...seedream_api.redaction import Hidden, bare_address
from . import settings
from .saving import edit_settings_file
from .settings import ADDRESS, KEY

if TYPE_CHECKING:
    from ...seedream_api.doctor import Check


def list_profiles() -> dict[str, Any]:
    """List the profiles. Reads the disk: call it in a thread."""
    try:
        found = _find_all()
    except ConfigurationError as error:
        return {"profiles": [], "editable": False, "error": settings.error_json(error)}
    reason = None if settings.can_keep_secrets() else _unstorable_error()
    return {
        "profiles": [_profile_json(one) for name, one in found.items() if name != DEFAULT_PROFILE],
        "editable": reason is None,
        "error": settings.error_json(reason) if reason else None,
    }


def _find_all() -> dict[str, Profile]:
    home = resolve_home(settings.find_home_folder(), os.environ)
    return _find_in(read_settings_file(home / "settings.json"))


def _unstorable_error() -> ConfigurationError:
    return ConfigurationError("secret_unstorable", name=f"{KEY}__NAME")


def _profile_json(profile: Profile) -> dict[str, Any]:
    fixed = _locked_error(profile)
    shown: dict[str, Any] = {
        "name": profile.name,
        "address": bare_address(str(profile.saved.get(ADDRESS) or DEFAULT_ADDRESS)),
        "is_set": bool(profile.find_key()),
        "is_needed": True,
        **settings.lock_json(fixed, None),
    }
    try:
        values = profile.read()
    except ConfigurationError as error:
        return {**shown, "error": settings.error_json(error)}
    key, address = values[KEY], values[ADDRESS].text
    if key.saved_for is not None and address != SANDBOX:
        error = ConfigurationError("key_of_other_address", saved=key.saved_for, address=address)
        shown["error"] = settings.error_json(error)
    return {
        **shown,
        "address": bare_address(address),
        "is_set": bool(key.text),
        "is_needed": address != SANDBOX,
    }


def _locked_error(profile: Profile) -> ConfigurationError | None:
    if profile.environ:
        return ConfigurationError("setting_of_environment", name=", ".join(
            f"{name}__{profile.name.upper()}" for name in profile.environ
        ))  # fmt: skip
    return None


def save_profile(given: Mapping[str, Any]) -> None:
    """Add a profile, or save another key for one. Blocks: call it in a thread.

    Args:
        given: ``name``, ``address``, ``key``, and ``is_new`` if the name must be unused.

    Raises:
        ConfigurationError: a value is not allowed, or a browser may not change the profile.
        LedgerFailed: the file cannot be written.
    """
    given = Hidden.of(given)
    name = _check_name(given.get("name"))
    address = _parse_address(given.get("address"))
    has_key = bool(_to_text(given.get("key")))
    if address == SANDBOX and has_key:
        raise ConfigurationError("key_for_sandbox")

    def change(saved: dict[str, Any]) -> None:
        profiles = _find_in(saved)
        _check_editable(profiles.get(name))
        if given.get("is_new") and name in profiles:
            raise ConfigurationError("profile_exists", name=name)
        if not has_key and address not in (SANDBOX, _find_address(profiles.get(name))):
            raise ConfigurationError("profile_needs_key", address=address)
        section = Hidden({ADDRESS: address})
        if address != SANDBOX:
            section["key_address"] = address
            section[KEY] = (
                check_key(_to_text(given["key"])) if has_key else profiles[name].find_key()
            )
        replace_profile(saved, name, name, section)

    edit_settings_file(change)


def rename_profile(name: object, new_name: object) -> None:
    """Give a saved profile another name. Blocks: call it in a thread.

    Raises:
        ConfigurationError: one of the names is not allowed, unknown or in use.
        LedgerFailed: the file cannot be written.
    """
    old, new = _check_name(name), _check_name(new_name)

    def change(saved: dict[str, Any]) -> None:
        profiles = _find_in(saved)
        _check_known(profiles, old)
        if new in profiles and new != old:
            raise ConfigurationError("profile_exists", name=new)
        replace_profile(saved, old, new, profiles[old].saved)

    edit_settings_file(change)


def remove_profile(name: object) -> None:
    """Remove a saved profile and its key. Blocks: call it in a thread.

    Raises:
        ConfigurationError: there is no such profile, or it is fixed by the environment.
        LedgerFailed: the file cannot be written.
    """
    chosen = _check_name(name)

    def change(saved: dict[str, Any]) -> None:
        _check_known(_find_in(saved), chosen)
        replace_profile(saved, chosen, chosen, None)

    edit_settings_file(change)


async def check_profile(name: object) -> list[Check]:
    """Check the address, key and balance of a profile, at no cost.

    Raises:
        ConfigurationError: there is no such profile.
    """
    from ...seedream_api.doctor import check_access

    chosen = _check_name(name)
    loaded = await asyncio.to_thread(load_settings, settings.find_home_folder())
    return await check_access(loaded.for_profile(chosen))


def _check_name(given: object) -> str:
    return check_profile_name(_to_text(given))


def _to_text(given: object) -> str:
    return "" if given is None else str(given).strip()


def _parse_address(given: object) -> str:
    parsed = PARSERS[ADDRESS](_to_text(given) or DEFAULT_ADDRESS)
    if isinstance(parsed, ConfigurationError):
        raise parsed
    return parsed


def _find_in(saved: Mapping[str, Any]) -> dict[str, Profile]:
    return find_profiles(saved, Hidden.of(os.environ))


def _check_editable(profile: Profile | None) -> None:
    fixed = None if profile is None else _locked_error(profile)
    if fixed is not None:
        raise fixed
    if not settings.can_keep_secrets():
        raise _unstorable_error()


def _check_known(profiles: Mapping[str, Profile], name: str) -> None:
    _check_editable(get_profile(profiles, name))


def _find_address(profile: Profile | None) -> str | None:
    """Find the address that the saved key belongs to; ``None`` without a usable key."""
    if profile is None or not profile.find_key():
        return None
    address: str | None = profile.saved.get("key_address")
    return address
