"""Save profiles to ``settings.json``: a key and its address under a name; see ``profiles.py``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from ..redaction import Hidden
from .profiles import (
    DEFAULT_PROFILE,
    PROFILE_SETTINGS,
    check_profile_name,
    find_profiles,
    get_profile,
    normalize_profile_name,
)
from .saving import apply_changes, edit_settings_file, normalize_changes, save_settings


def save_for_profile(
    home: Path, given: str, changes: Mapping[str, str], environ: Mapping[str, str], *, origin: str
) -> None:
    """Save the key or the address of a profile, which is added if there is none.

    Args:
        given: the name of the profile; empty for the default, whose settings are those of all.
        changes: texts by name; an empty one restores the default.
        origin: where the values come from, for errors.

    Raises:
        InvalidRequest: there is no such setting.
        ConfigurationError: the name or a value is not allowed, or a profile has no such setting.
        LedgerFailed: the file cannot be written.
    """
    name = normalize_profile_name(given)
    if name == DEFAULT_PROFILE:
        return save_settings(home, changes, environ, origin=origin)
    texts = normalize_changes(changes, origin=origin)
    for other in texts.keys() - {*PROFILE_SETTINGS}:
        raise ConfigurationError("not_in_profile", name=other, allowed=", ".join(PROFILE_SETTINGS))

    def change(saved: dict[str, Any]) -> None:
        profile = find_profiles(saved, environ).get(name)
        section = Hidden(profile.saved if profile else {})
        apply_changes(section, texts, profile.environ if profile else {})
        replace_profile(saved, name, name, section)

    return edit_settings_file(home, change)


def remove_profile(home: Path, given: str, environ: Mapping[str, str]) -> None:
    """Remove a saved profile with its key.

    Raises:
        ConfigurationError: there is no such profile.
        LedgerFailed: the file cannot be written.
    """
    name = check_profile_name(given)

    def change(saved: dict[str, Any]) -> None:
        get_profile(find_profiles(saved, environ), name)
        replace_profile(saved, name, name, None)

    edit_settings_file(home, change)


def replace_profile(
    saved: dict[str, Any], old: str, new: str, section: Mapping[str, Any] | None
) -> None:
    """Replace the section of a profile, however the file spells its name; ``None`` removes it."""
    sections: dict[str, Any] = saved.get("profiles", {})
    kept = {name: one for name, one in sections.items() if normalize_profile_name(name) != old}
    saved["profiles"] = Hidden(kept if section is None else {**kept, new: section})
