"""Whole requests under the rules of Windows: no file is moved, replaced or removed that is open."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seedream_api import pixels_reference
from seedream_api.errors import LedgerFailed
from seedream_api.ledger.ledger import SyncLedger

OPEN_FILES = Path("/proc/self/fd")
pytestmark = pytest.mark.skipif(not OPEN_FILES.exists(), reason="only Linux shows open files")


def is_open(path: str) -> bool:
    """Whether this process has the file open."""
    for descriptor in OPEN_FILES.iterdir():
        with contextlib.suppress(OSError):
            if str(descriptor.readlink()) == path:
                return True
    return False


def lawful(call: Callable[..., Any], paths: int) -> Callable[..., Any]:
    """``call``, whose first ``paths`` arguments must not be open."""

    def checked(*given: Any, **more: Any) -> Any:
        folder = f"/proc/self/fd/{more['dir_fd']}" if more.get("dir_fd") is not None else ""
        for path in given[:paths]:
            where = os.path.realpath(os.path.join(folder, path))  # noqa: PTH118 - may be absolute
            if is_open(where):
                raise PermissionError(13, "The process cannot access the file", where)
        return call(*given, **more)

    return checked


@pytest.fixture
def law(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, paths in {"unlink": 1, "remove": 1, "replace": 2, "rename": 2}.items():
        monkeypatch.setattr(os, name, lawful(getattr(os, name), paths))
    # Older Pythons have taken these from os before.
    for name, paths in {"unlink": 1, "replace": 2, "rename": 2}.items():
        monkeypatch.setattr(Path, name, lawful(getattr(Path, name), paths))


def left_behind(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.suffix in (".part", ".lock")]


def test_law_is_kept_up(law: None, tmp_path: Path) -> None:
    file = tmp_path / "a"
    with file.open("wb"):
        for forbidden in (file.unlink, lambda: file.rename("b"), lambda: file.replace("b")):
            with pytest.raises(PermissionError):
                forbidden()
    file.unlink()


def test_paid_request_is_sent_stored_and_given_again(api_client: Any, law: None) -> None:
    import numpy as np

    picture = pixels_reference(np.zeros((32, 24, 3), np.uint8), "a")
    for _ in range(2):
        result = api_client.generate(picture, n=2, prompt="A series of 2 cats")
        assert result.status == "completed" and len(result.images) == 2
    assert api_client.sent == 1 and left_behind(api_client.home) == []


@pytest.mark.usefixtures("law")
def test_commands_copy_and_prune(api_client: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("generate", "--model", "Seedream-4.0", "--prompt", "A cat", "--out", out, "--json")
    made = api_client.inside(*words)
    assert made.code == 0, made.err
    url = made.json["images"][0]["url"]
    fetched = api_client.inside("download", url, url, "--out", out, "--json")
    assert fetched.code == 0, fetched.err
    pruned = api_client.inside("tasks", "--prune", "--keep-gb", "0.000001", "--json")
    assert pruned.code == 0, pruned.err
    assert len([*out.iterdir()]) == 3 and left_behind(api_client.home) == []


@pytest.mark.usefixtures("law")
def test_broken_record_is_put_aside_as_well(api_client: Any) -> None:
    api_client.home.mkdir()
    (api_client.home / "ledger.sqlite").write_bytes(b"no record" * 500)
    with pytest.raises(LedgerFailed) as caught:
        SyncLedger(api_client.home)
    assert caught.value.key == "ledger_broken"
    assert len([*api_client.home.glob("ledger.broken-*.sqlite")]) == 1
    assert api_client.generate().status == "completed"
