"""One built-in sandbox per data folder and process, shared by all clients.

Its links contain its port. A client that opens before the previous one closes, as after a change of
settings, reuses the running sandbox, so that the links stay valid.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..catalog import Model
from .server import Sandbox


@dataclass
class _Shared:
    pid: int
    home: Path
    models: Mapping[str, Model]
    sandbox: Sandbox
    users: int = 0


_lock = threading.Lock()
_running: list[_Shared] = []


def acquire_sandbox(home: Path, models: Mapping[str, Model]) -> Sandbox:
    """Return the sandbox of this folder and these models; start it if necessary.

    Blocks: call it in a thread. Pair each call with `release_sandbox`.

    Raises:
        OSError: it cannot be started.
    """
    with _lock:
        for shared in _running:
            if (shared.pid, shared.home, shared.models) == (os.getpid(), home, models):
                break
        else:
            shared = _Shared(os.getpid(), home, models, Sandbox(home, models=models).start())
            _running.append(shared)
        shared.users += 1
        return shared.sandbox


def release_sandbox(sandbox: Sandbox) -> None:
    """Stop the sandbox after its last user. Blocks: call it in a thread."""
    with _lock:
        shared = next(one for one in _running if one.sandbox is sandbox)
        shared.users -= 1
        if shared.users == 0:
            _running.remove(shared)
            sandbox.stop()


def _renew_lock_in_child() -> None:
    """Replace the lock, which another thread of the parent may hold during a fork."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock_in_child)
