"""One copy of the pack a ComfyUI: a second one would show every node, panel and route twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from server import PromptServer

from ...seedream_api.errors import ConfigurationError
from .encodable import encodable

_MARK = "_seedream_folder"
"""On ComfyUI's server class, which all packs of a process share."""


def is_second_copy(folder: Path) -> bool:
    """Whether a copy of the pack in another folder has been loaded."""
    server: Any = PromptServer
    return getattr(server, _MARK, folder) != folder


def second_copy_error(folder: Path) -> ConfigurationError:
    """Why the copy in this folder is not loaded, as a text that ComfyUI can log."""
    server: Any = PromptServer
    first = getattr(server, _MARK)
    error = ConfigurationError("pack_installed_twice", first=first, second=folder)
    error.args = (encodable(str(error)),)
    return error


def mark_loaded(folder: Path) -> None:
    """Note that the copy in this folder has been loaded."""
    server: Any = PromptServer
    setattr(server, _MARK, folder)
