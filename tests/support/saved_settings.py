"""Settings from a saved file and an environment, as tests of the configuration load them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seedream_api.config.settings import Settings, load_settings
from seedream_api.errors import ConfigurationError


def load(home: Path, saved: Any = None, **environ: str) -> Settings:
    """Load settings.

    Args:
        saved: what ``settings.json`` holds: a document, or its text.
    """
    if saved is not None:
        home.mkdir(exist_ok=True)
        text = saved if isinstance(saved, str) else json.dumps(saved)
        (home / "settings.json").write_text(text, encoding="utf-8")
    return load_settings(environ={"SEEDREAM_HOME": str(home), **environ})


def refusal(home: Path, saved: Any = None, **environ: str) -> ConfigurationError:
    """Load settings that are refused; return why."""
    with pytest.raises(ConfigurationError) as caught:
        load(home, saved, **environ)
    return caught.value
