"""Load the pack once per ComfyUI: a second copy would add every node, panel and route twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from server import PromptServer

from ...seedream_api.errors import ConfigurationError
from .encodable import to_encodable

_MARK = "_seedream_folder"
"""An attribute of ComfyUI's server class, which all packs of a process share."""


def is_second_copy(folder: Path) -> bool:
    """Tell whether a copy of the pack from another folder is loaded."""
    server: Any = PromptServer
    return getattr(server, _MARK, folder) != folder


def second_copy_error(folder: Path) -> ConfigurationError:
    """Build the error for a second copy, with a text that ComfyUI can log."""
    server: Any = PromptServer
    first = getattr(server, _MARK)
    error = ConfigurationError("pack_installed_twice", first=first, second=folder)
    error.args = (to_encodable(str(error)),)
    return error


def mark_loaded(folder: Path) -> None:
    """Note that the copy in this folder is loaded."""
    server: Any = PromptServer
    setattr(server, _MARK, folder)
