"""What every target checks: only errors of ours are raised, and none shows the key."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from seedream_api import errors, redaction
from seedream_api.config import settings as config
from seedream_api.downloads import transfer
from seedream_api.uploads import http

SECRET = "sk-secret-0123456789"
SECRETS = redaction.HiddenTexts((SECRET,))


def told(error: BaseException) -> None:
    """Every error of ours can be shown, in both languages, and without the key."""
    if isinstance(error, errors.SeedreamError):
        for language in ("en", "zh"):
            assert SECRET not in error.message(language), "the key is shown"
    assert SECRET not in str(error), "the key is shown"


@contextlib.contextmanager
def ours() -> Any:
    try:
        yield
    except (errors.SeedreamError, http.UploadRejected, transfer.RetryDownload) as error:
        told(error)


def settings_of(folder: Path, **environ: str) -> Any:
    return config.load_settings(environ={"SEEDREAM_HOME": str(folder), **environ})
