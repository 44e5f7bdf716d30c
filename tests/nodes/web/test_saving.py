"""Settings that a browser saves."""

from __future__ import annotations

import importlib
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

KEY = "sk-AbCdEf1234567890AbCdEf"


@pytest.fixture
def saving(pack: ModuleType) -> Any:
    return importlib.import_module(f"{pack.__name__}.nodes.web.saving")


def test_key_is_in_no_traceback_of_a_failed_save(
    saving: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    private_file = importlib.import_module(saving.saving.write_private_json.__module__)
    monkeypatch.setattr(private_file, "make_private_folder", fail)
    with pytest.raises(Exception, match="No space left") as caught:
        saving.save({"DEEPSPACE_API_KEY": KEY, "SEEDREAM_TIMEOUT_S": "60"})
    assert not home.exists()
    found = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    files = {saving.__file__, saving.saving.__file__, private_file.__file__}
    names = [frame.name for frame in found.stack if frame.filename in files]
    assert names == [
        *("save", "edit_settings_file", "edit_settings_file"),
        *("write_private_json", "_replace_file"),
    ]
    inside = [frame for frame in found.stack if frame.filename in files]
    assert KEY not in "".join(f"{frame.locals}" for frame in inside)
