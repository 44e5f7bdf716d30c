"""What only Windows does, played by this machine: its locks, and files that are in use."""

from __future__ import annotations

import asyncio
import fcntl
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import seedream_api.ledger.owner_lock
from seedream_api.config.settings import find_default_home
from seedream_api.downloads.partial_file import PartialFile
from seedream_api.errors import LedgerFailed
from seedream_api.ledger.image_store import ImageStore
from seedream_api.ledger.ledger import SyncLedger
from seedream_api.ledger.pruning import IN_USE_S
from seedream_api.ledger.states import JobSpec, State
from seedream_api.service.result_items import ResultItem

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there it is no play")

PICTURE = b"\x89PNG\r\n\x1a\n and the rest"


@pytest.fixture
def windows_locks(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``locks.py`` as it is loaded on Windows, with a fake ``msvcrt``."""
    msvcrt = ModuleType("msvcrt")

    def locking(descriptor: int, mode: int, count: int) -> None:
        assert (mode, count) == (2, 1)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PermissionError(13, "Permission denied") from None

    vars(msvcrt).update(locking=locking, LK_NBLCK=2)
    monkeypatch.setitem(sys.modules, "msvcrt", msvcrt)
    spec = importlib.util.spec_from_file_location(
        "windows_locks", seedream_api.ledger.owner_lock.__file__
    )
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    with monkeypatch.context() as patch:
        patch.setattr(os, "name", "nt")
        spec.loader.exec_module(module)
    return module


class InUse:
    """Paths that another program has open, as Windows treats them: neither removed nor replaced."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_held: Callable[[Path], bool] = lambda path: False
        unlink, replace = Path.unlink, Path.replace

        def check(path: Path) -> None:
            if self.is_held(path):
                raise PermissionError(13, "The process cannot access the file", str(path))

        def checked_unlink(path: Path, missing_ok: bool = False) -> None:
            check(path)
            unlink(path, missing_ok)

        def checked_replace(path: Path, target: Path) -> Path:
            check(target)
            return replace(path, target)

        monkeypatch.setattr(Path, "unlink", checked_unlink)
        monkeypatch.setattr(Path, "replace", checked_replace)


@pytest.fixture
def in_use(monkeypatch: pytest.MonkeyPatch) -> InUse:
    return InUse(monkeypatch)


def test_lock_of_windows_lives_and_dies_as_the_other_one(
    windows_locks: Any, tmp_path: Path
) -> None:
    lock = windows_locks.OwnerLock(tmp_path)
    assert windows_locks.is_alive(tmp_path, lock.name)
    windows_locks.remove_stale_locks(tmp_path)
    assert windows_locks.is_alive(tmp_path, lock.name)
    lock.release()
    assert not windows_locks.is_alive(tmp_path, lock.name)


def test_open_lock_file_is_removed_by_the_next_sweep(
    windows_locks: Any, tmp_path: Path, in_use: InUse
) -> None:
    lock = windows_locks.OwnerLock(tmp_path)
    in_use.is_held = lambda path: path.suffix == ".lock"
    lock.release()
    assert not windows_locks.is_alive(tmp_path, lock.name)
    assert len([*tmp_path.iterdir()]) == 1
    in_use.is_held = lambda path: False
    windows_locks.remove_stale_locks(tmp_path)
    assert [*tmp_path.iterdir()] == []


def test_file_of_a_dead_owner_is_removed_once_closed(
    windows_locks: Any, tmp_path: Path, in_use: InUse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows removes no file that is open, were it by the one who removes it."""
    (tmp_path / "dead.lock").touch()
    is_open: list[int] = []
    opens, closes = os.open, os.close
    monkeypatch.setattr(
        windows_locks,
        "os",
        SimpleNamespace(
            **{
                **vars(os),
                "open": lambda *args: is_open.append(opens(*args)) or is_open[-1],
                "close": lambda one: (closes(one), is_open.remove(one)),
            }
        ),
    )
    in_use.is_held = lambda path: bool(is_open)
    assert not windows_locks.is_alive(tmp_path, "dead")
    assert [*tmp_path.iterdir()] == []


def test_image_store_accepts_an_image_that_is_being_read(tmp_path: Path, in_use: InUse) -> None:
    store = ImageStore(tmp_path, "me")
    first = store.add_bytes(PICTURE)
    in_use.is_held = lambda path: path == first.path
    assert store.add_bytes(PICTURE) == first
    assert [*tmp_path.rglob("*.part")] == []


def test_damaged_file_that_is_being_read_is_replaced(tmp_path: Path, in_use: InUse) -> None:
    store = ImageStore(tmp_path, "me")
    first = store.add_bytes(PICTURE)
    first.path.write_bytes(b"")
    in_use.is_held = lambda path: path == first.path
    with pytest.raises(LedgerFailed):
        store.add_bytes(PICTURE)


def test_image_that_is_being_read_is_pruned_another_time(tmp_path: Path, in_use: InUse) -> None:
    now = 1_000.0
    ledger = SyncLedger(tmp_path, now=lambda: now)
    store = ImageStore(tmp_path, ledger.owner)
    for number in (1, 2):
        name = f"wish {number}"
        wish = JobSpec(name, "evolink", "m", "http://a", "0", name, {}, (), 0, 1)
        row = ledger.claim(wish, name)
        ledger.move(row.id, State.SENDING)
        file = store.add_bytes(PICTURE + bytes([number]))
        ledger.record_response(row.id, (ResultItem(position=0, url=None, data=b"x"),), {0: file})
        ledger.move(row.id, State.COMPLETED)
        ledger.mark_delivered(row.id)
    now += IN_USE_S + 1
    held = ledger.list_images(1)[0].file
    in_use.is_held = lambda path: path == held
    assert ledger.prune(store, keep_bytes=0).images == 1
    assert ledger.list_images(1)[0].file == held and ledger.list_images(2)[0].file is None
    in_use.is_held = lambda path: False
    assert ledger.prune(store, keep_bytes=0).images == 1
    ledger.close()


async def discarded(path: Path) -> None:
    part = PartialFile(path)
    await part.write_chunk(PICTURE)
    await part.flush()
    await part.discard()


def test_partial_file_held_by_a_scanner_keeps_the_first_error(
    tmp_path: Path, in_use: InUse
) -> None:
    in_use.is_held = lambda path: True
    asyncio.run(discarded(tmp_path / "a.part"))
    assert (tmp_path / "a.part").is_file()


def test_home_of_windows_is_the_profiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert find_default_home({"LOCALAPPDATA": "/profile/local"}) == Path("/profile/local/seedream")
    assert find_default_home({}).as_posix().endswith("AppData/Local/seedream")
