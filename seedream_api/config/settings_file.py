"""Reads ``settings.json`` of the data folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from ..errors import ConfigurationError
from ..messages import Text
from ..redaction import Hidden
from .definitions import DEFAULT_ADDRESS
from .paths import close_to_others
from .spelling import parse_address


def read_settings_file(path: Path) -> dict[str, Any]:
    """Read the saved settings; a missing file has none. Take others' rights to the file away.

    Raises:
        ConfigurationError: it cannot be read or holds no JSON object.
    """
    saved = _parsed_file(path)
    if not isinstance(saved, Hidden):
        raise ConfigurationError("bad_settings_file", path=path, reason=saved)
    # A key written by hand belongs to the address written beside it.
    if saved.get("DEEPSPACE_API_KEY"):
        saved["key_address"] = _key_address(saved)
    return saved


def _key_address(saved: Mapping[str, Any]) -> str:
    """The saved key's address in its one spelling; empty where it cannot be an address."""
    beside = saved.get("key_address") or saved.get("DEEPSPACE_BASE_URL") or DEFAULT_ADDRESS
    address = parse_address(str(beside))
    return address if isinstance(address, str) else ""


def _parsed_file(path: Path) -> Hidden | object:
    """The file's object, or the reason why there is none: a traceback then shows no frame with
    the file's text."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        close_to_others(path)
        saved: Any = json.loads(text)
    except FileNotFoundError:
        return Hidden()
    except OSError as error:
        return error.strerror or str(error)
    except (ValueError, RecursionError) as error:
        return str(error)
    if not isinstance(saved, dict):
        return Text("not_json_object")
    return Hidden(cast("dict[str, Any]", saved))
