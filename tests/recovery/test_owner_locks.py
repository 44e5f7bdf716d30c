"""Locks that say which owners are alive."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from seedream_api.ledger import owner_lock
from support.paths import PACK_ROOT


def test_owner_is_alive_as_long_as_its_lock(tmp_path: Path) -> None:
    owner = owner_lock.OwnerLock(tmp_path)
    assert owner_lock.is_alive(tmp_path, owner.name) and owner_lock.is_alive(tmp_path, owner.name)
    owner_lock.remove_stale_locks(tmp_path)
    assert owner_lock.is_alive(tmp_path, owner.name)
    owner.release()
    owner.release()
    assert not owner_lock.is_alive(tmp_path, owner.name) and not list(tmp_path.iterdir())


def test_dead_are_swept(tmp_path: Path) -> None:
    (tmp_path / "dead.lock").touch()
    owner = owner_lock.OwnerLock(tmp_path)
    owner_lock.remove_stale_locks(tmp_path)
    assert [path.stem for path in tmp_path.iterdir()] == [owner.name]
    owner.release()


def test_sweep_never_takes_the_file_of_a_living_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock made while another process checks its file holds, or is made again."""
    path = tmp_path / "new.lock"
    path.touch()
    descriptors: list[int] = []
    close = os.close

    def close_and_be_overtaken(descriptor: int) -> None:
        close(descriptor)
        if not descriptors:  # the maker of the lock, which opened the file before, comes in here
            descriptors.append(maker)
            is_locked.append(owner_lock.try_lock(maker) and path.exists())

    is_locked: list[bool] = []
    maker = os.open(path, os.O_RDWR)
    monkeypatch.setattr(owner_lock.os, "close", close_and_be_overtaken)
    assert not owner_lock.is_alive(tmp_path, "new")
    monkeypatch.undo()
    assert is_locked == [path.exists()]
    close(maker)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forked_child_does_not_keep_its_parent_alive(tmp_path: Path) -> None:
    code = (
        "import os, sys, time; from pathlib import Path\n"
        f"sys.path.insert(0, {str(PACK_ROOT)!r})\n"
        "from seedream_api.ledger.owner_lock import OwnerLock\n"
        f"owner = OwnerLock(Path({str(tmp_path)!r}))\n"
        "child = os.fork()\n"
        # The child tells the name: it has let go of the lock by then.
        "if child == 0:\n    print(owner.name, flush=True); sys.stdin.read(); os._exit(0)\n"
        "os._exit(0)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stdin
        name = process.stdout.readline().strip()
        process.wait(20)
        assert name and not owner_lock.is_alive(tmp_path, name)
        process.stdin.close()
