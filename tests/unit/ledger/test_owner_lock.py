"""Who is alive: a lock that ends with its process, however that ends."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from seedream_api.ledger import owner_lock
from seedream_api.ledger.owner_lock import OwnerLock, is_alive, remove_stale_locks
from support.paths import PACK_ROOT

HEAD = """
import os, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from seedream_api.ledger.owner_lock import OwnerLock, is_alive
folder = Path(sys.argv[2])
"""


def other_process(folder: Path, script: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-I", "-c", HEAD + script, str(PACK_ROOT), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_owner_lives_until_it_lets_go_and_leaves_nothing(tmp_path: Path) -> None:
    lock = OwnerLock(tmp_path / "owners")
    assert is_alive(tmp_path / "owners", lock.name)
    assert is_alive(tmp_path / "owners", lock.name), "looking does not end it"
    lock.release()
    lock.release()
    assert not is_alive(tmp_path / "owners", lock.name)
    assert [*(tmp_path / "owners").iterdir()] == []


def test_owners_have_unique_names(tmp_path: Path) -> None:
    made = [OwnerLock(tmp_path) for _ in range(20)]
    assert len({lock.name for lock in made}) == 20
    for lock in made:
        lock.release()


def test_unknown_owner_name_is_dead(tmp_path: Path) -> None:
    assert not is_alive(tmp_path, "0" * 32)


def test_lock_of_another_process_ends_when_it_is_killed(tmp_path: Path) -> None:
    process = other_process(tmp_path, "print(OwnerLock(folder).name, flush=True); sys.stdin.read()")
    try:
        name = first_line(process)
        assert name and is_alive(tmp_path, name)
    finally:
        end(process)
    assert not is_alive(tmp_path, name)
    assert [*tmp_path.iterdir()] == [], "a dead owner's file is removed"


def test_sweep_removes_the_dead_and_spares_the_living(tmp_path: Path) -> None:
    lock = OwnerLock(tmp_path)
    (tmp_path / "dead.lock").touch()
    (tmp_path / "notes.txt").touch()
    remove_stale_locks(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {f"{lock.name}.lock", "notes.txt"}
    assert is_alive(tmp_path, lock.name)
    lock.release()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forked_child_does_not_keep_its_dead_parent_alive(tmp_path: Path) -> None:
    process = other_process(
        tmp_path,
        "lock = OwnerLock(folder)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    print(lock.name, flush=True)\n"
        "    sys.stdin.read()\n"
        "    os._exit(0)\n"
        "os._exit(0)\n",
    )
    name = first_line(process)
    assert name
    try:
        process.wait()
        assert not is_alive(tmp_path, name)
    finally:
        process.communicate()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forked_child_that_ends_leaves_the_parents_lock(tmp_path: Path) -> None:
    process = other_process(
        tmp_path,
        "lock = OwnerLock(folder)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    lock.release()\n"
        "    os._exit(0)\n"
        "os.waitpid(child, 0)\n"
        "print(lock.name, flush=True)\n"
        "sys.stdin.read()\n",
    )
    try:
        assert is_alive(tmp_path, first_line(process))
    finally:
        end(process)


def test_program_that_is_started_does_not_inherit_the_lock(tmp_path: Path) -> None:
    process = other_process(
        tmp_path,
        "import subprocess\n"
        "lock = OwnerLock(folder)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import sys; sys.stdin.read()'],"
        " close_fds=False)\n"
        "print(lock.name, flush=True)\n"
        "os._exit(0)\n",
    )
    name = first_line(process)
    try:
        process.wait()
        assert name and not is_alive(tmp_path, name)
    finally:
        process.communicate()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_child_has_no_lock_and_cannot_release_it(tmp_path: Path) -> None:
    lock = OwnerLock(tmp_path)
    descriptor = lock._descriptor
    assert descriptor is not None
    child = os.fork()
    if child == 0:
        code = 1
        try:
            lock.release()
            os.fstat(descriptor)
        except OSError as error:
            code = 0 if error.errno == errno.EBADF and is_alive(tmp_path, lock.name) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert is_alive(tmp_path, lock.name) and (tmp_path / f"{lock.name}.lock").is_file()
    lock.release()


# ---- descriptors ----


class Descriptors:
    """Those that are opened and not closed again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open: list[int] = []
        self.after_open: list[Callable[[Path], None]] = []
        opens, closes = os.open, os.close

        def noted(path: Path, flags: int, mode: int = 0o777) -> int:
            self.open.append(opens(path, flags, mode))
            if self.after_open:
                self.after_open.pop()(path)
            return self.open[-1]

        def closed(descriptor: int) -> None:
            closes(descriptor)
            self.open.remove(descriptor)

        monkeypatch.setattr(
            owner_lock, "os", SimpleNamespace(**{**vars(os), "open": noted, "close": closed})
        )


@pytest.fixture
def descriptors(monkeypatch: pytest.MonkeyPatch) -> Descriptors:
    return Descriptors(monkeypatch)


def test_nothing_stays_open_but_the_lock_while_it_is_held(
    tmp_path: Path, descriptors: Descriptors
) -> None:
    lock = OwnerLock(tmp_path)
    (tmp_path / "dead.lock").touch()
    for name in (lock.name, "dead", "nobody"):
        is_alive(tmp_path, name)
    assert len(descriptors.open) == 1
    lock.release()
    assert descriptors.open == []


def test_lock_file_removed_before_locking_gets_a_new_name(
    tmp_path: Path, descriptors: Descriptors
) -> None:
    swept: list[Path] = []
    descriptors.after_open.append(lambda path: (swept.append(path), path.unlink()))  # type: ignore[arg-type, return-value]
    lock = OwnerLock(tmp_path)
    assert is_alive(tmp_path, lock.name) and swept != [tmp_path / f"{lock.name}.lock"]
    assert [path.stem for path in tmp_path.iterdir()] == [lock.name]
    assert len(descriptors.open) == 1
    lock.release()


def test_folder_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        OwnerLock(tmp_path / "file")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_child_forked_while_locking_does_not_hold_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread may fork between the opening of the file and its locking."""
    takes = owner_lock.try_lock
    ready, is_ready = os.pipe()
    ends, end_it = os.pipe()
    children: list[int] = []

    def take(descriptor: int) -> bool:
        taken = takes(descriptor)
        children.append(os.fork())
        if children[-1] == 0:
            os.close(end_it)
            os.write(is_ready, b"1")
            os.read(ends, 1)
            os._exit(0)
        os.read(ready, 1)
        return taken

    with monkeypatch.context() as patch:
        patch.setattr(owner_lock, "try_lock", take)
        lock = OwnerLock(tmp_path)
    lock.close_in_child()  # as if this process had ended
    try:
        assert not is_alive(tmp_path, lock.name)
    finally:
        for descriptor in (end_it, ends, ready, is_ready):
            os.close(descriptor)
        for child in children:
            os.waitpid(child, 0)


def test_lock_forked_while_it_closes_is_not_closed_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = OwnerLock(tmp_path)
    closes = os.close

    def close(descriptor: int) -> None:
        closes(descriptor)
        lock.close_in_child()  # what the hook does in a child that is forked here

    monkeypatch.setattr(owner_lock, "os", SimpleNamespace(**{**vars(os), "close": close}))
    lock.release()
