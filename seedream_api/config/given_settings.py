"""Settings that a program gives in code; they take precedence over the environment."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path

from ..errors import ConfigurationError
from ..messages import Text
from ..redaction import Hidden
from .definitions import SETTINGS
from .paths import expand_user
from .settings import Settings, load_settings

SettingValue = str | int | float | bool
"""The value of a setting in code; ``True`` and ``False`` mean ``on`` and ``off``."""


def load_given_settings(
    given: Mapping[str, SettingValue | None],
    home: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Load the settings of the environment and the data folder, with some given in code.

    Args:
        given: settings by name. ``None`` leaves a setting to the environment; an empty text is its
            default, whatever the environment says.
        home: the data folder, absolute or relative to the working directory; by default
            ``SEEDREAM_HOME``, else the platform's folder.
        environ: ``os.environ`` by default.

    Raises:
        ConfigurationError: a name is unknown, or a value is not allowed.
    """
    given = Hidden.of(given)
    for name in given:
        if name not in SETTINGS:
            close = difflib.get_close_matches(name.upper(), SETTINGS, n=3, cutoff=0.4)
            raise ConfigurationError(
                "given_setting_unknown", given=name, allowed=", ".join(close or SETTINGS)
            )
    environ = Hidden.of(os.environ if environ is None else environ)
    if home is not None:
        folder = os.path.abspath(expand_user(Path(home)))  # noqa: PTH100 - resolve() follows links
        environ = Hidden({**environ, "SEEDREAM_HOME": folder})
    texts = Hidden({name: _to_text(name, given[name]) for name in given if given[name] is not None})
    return load_settings(environ=environ, given=texts)


def _to_text(name: str, value: object) -> str:
    """Convert a value to the text that the environment would have.

    Raises:
        ConfigurationError: it has another type.
    """
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (str, int, float)):
        return str(value).strip()
    kind = type(value).__name__
    raise ConfigurationError(
        "bad_setting",
        name=name,
        given=kind,
        origin=Text("origin_code"),
        allowed=SETTINGS[name].describe_allowed(),
    )
