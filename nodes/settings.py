"""Where this pack keeps its things inside ComfyUI."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import folder_paths

log = logging.getLogger("seedream")


def home_folder() -> Path | None:
    """ComfyUI's protected folder for us, which its HTTP API never serves.

    ``None`` on a host that has none: then the platform's own folder for user data is used.
    """
    protected: Any = getattr(folder_paths, "get_system_user_directory", None)
    return Path(protected("seedream")) if protected is not None else None
