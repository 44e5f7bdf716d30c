"""Read ``settings.json`` of the data folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from ..errors import ConfigurationError
from ..messages import Text, text_of
from ..redaction import Hidden
from .definitions import DEFAULT_ADDRESS
from .normalization import parse_address
from .paths import restrict_to_owner


def read_settings_file(path: Path) -> dict[str, Any]:
    """Read the saved settings, empty for a missing file, and make the file private.

    Raises:
        ConfigurationError: the file cannot be read or is not a JSON object.
    """
    saved = _parse_file(path)
    if not isinstance(saved, Hidden):
        raise ConfigurationError("bad_settings_file", path=path, reason=saved)
    # A key that the user wrote belongs to the address beside it.
    for section in (saved, *saved.get("profiles", {}).values()):
        if section.get("DEEPSPACE_API_KEY"):
            section["key_address"] = _find_key_address(section)
    return saved


def _find_key_address(saved: Mapping[str, Any]) -> str:
    """Find the normalized address of the saved key; empty if it is not valid."""
    beside = saved.get("key_address") or saved.get("DEEPSPACE_BASE_URL") or DEFAULT_ADDRESS
    address = parse_address(str(beside))
    return address if isinstance(address, str) else ""


def _parse_file(path: Path) -> Hidden | object:
    """Parse the file, or return the reason: then no traceback has a frame with the file's text."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        restrict_to_owner(path)
        saved: Any = json.loads(text)
    except FileNotFoundError:
        return Hidden()
    except (OSError, ValueError, RecursionError) as error:
        return text_of(error)
    if not isinstance(saved, dict):
        return Text("not_json_object")
    return _hide_profiles(Hidden(cast("dict[str, Any]", saved)))


def _hide_profiles(saved: Hidden) -> Hidden | Text:
    """Hide the values of the profiles too; return the reason if they are malformed."""
    if "profiles" not in saved:
        return saved
    profiles: Any = saved["profiles"]
    if not isinstance(profiles, dict):
        return Text("profiles_not_objects")
    sections = cast("dict[str, Any]", profiles)
    if not all(isinstance(section, dict) for section in sections.values()):
        return Text("profiles_not_objects")
    saved["profiles"] = Hidden({name: Hidden(section) for name, section in sections.items()})
    return saved
