"""What was requested, stored on disk, and the progress of each task.

Each task is one small JSON file, so that another sandbox on the same data folder (after a restart,
or on another port) still knows every task and can draw every result.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from ..config.paths import make_private_folder

LOG = logging.getLogger("seedream.sandbox")

QUEUED_SHARE = 0.2
"""The part of a task's time that it waits in the queue."""

_ID = re.compile(r"(?:task|pic)-[0-9a-f]{12}")


@dataclass(frozen=True)
class StoredTask:
    """One accepted request; times in seconds since the epoch."""

    id: str
    """``task-...`` can be polled; ``pic-...`` got its results immediately."""
    owner: str
    """The hashed key."""
    model: str
    prompt: str
    tier: str
    ratio: str
    count: int
    extension: str
    watermark: bool
    references: tuple[str, ...]
    """Thumbnails of the references: JPEG in Base64."""
    digest: str
    """SHA-256 of the request: equal requests get equal images."""
    created: float
    seconds: float
    """How long the task takes."""
    failure: tuple[str, str] | None = None
    """Message and type of a task that will fail."""
    failed_items: tuple[int, ...] = ()
    """Images of a group that fail although the task completes (Ark)."""
    is_transparent: bool = False
    """Whether the images have transparency around the subject."""

    @property
    def images(self) -> int:
        """Images that are made, and so billed."""
        return 0 if self.failure else len(set(range(self.count)) - set(self.failed_items))


@dataclass(frozen=True)
class TaskProgress:
    """The state of a task; times in seconds since the epoch."""

    status: str
    """queued, processing, completed or failed: the main page's words."""
    percent: int
    started: float
    done: float


def progress_at(task: StoredTask, now: float) -> TaskProgress:
    """Return the task's state at ``now``."""
    done = task.created + task.seconds
    started = task.created + QUEUED_SHARE * task.seconds
    if now >= done:
        return TaskProgress("failed" if task.failure else "completed", 100, started, done)
    if now < started:
        return TaskProgress("queued", 0, started, done)
    percent = 1 + int(98 * (now - started) / (done - started))
    return TaskProgress("processing", percent, started, done)


def new_id(kind: str) -> str:
    """Create an ID; ``kind`` is ``task`` or ``pic``."""
    return f"{kind}-{secrets.token_hex(6)}"


def write_privately(path: Path, data: bytes) -> None:
    """Write a file in one step, readable by its owner only."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    binary: int = getattr(os, "O_BINARY", 0)  # Windows would change line ends.
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | binary, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


class TaskStore:
    """Tasks in one folder."""

    def __init__(self, folder: Path) -> None:
        make_private_folder(folder)
        self._folder = folder / "records"
        make_private_folder(self._folder)
        self._lock = threading.Lock()

    def put(self, task: StoredTask) -> None:
        """Store a task, or its new state."""
        with self._lock:
            self._write(task)

    def get(self, task_id: str) -> StoredTask | None:
        """Return the task with this ID, or None."""
        return _read(self._folder / f"{task_id}.json") if _ID.fullmatch(task_id) else None

    def change(self, task_id: str, **changes: Any) -> StoredTask | None:
        """Change fields of a stored task; return None if it does not exist."""
        with self._lock:
            task = self.get(task_id)
            if task is not None:
                task = replace(task, **changes)
                self._write(task)
            return task

    def all(self) -> Iterator[StoredTask]:
        """Iterate over all tasks, ordered by ID."""
        for path in sorted(self._folder.glob("*.json")):
            task = _read(path)
            if task is not None:
                yield task

    def _write(self, task: StoredTask) -> None:
        data = json.dumps(asdict(task), ensure_ascii=False).encode("utf-8", "surrogatepass")
        write_privately(self._folder / f"{task.id}.json", data)


def _read(path: Path) -> StoredTask | None:
    try:
        stored = json.loads(path.read_bytes().decode("utf-8", "surrogatepass"))
        # Fields of an earlier version are ignored.
        values = {one.name: stored[one.name] for one in fields(StoredTask) if one.name in stored}
        for name in ("references", "failed_items", "failure"):
            if values[name] is not None:
                values[name] = tuple(values[name])
        return StoredTask(**values)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        LOG.debug("%s is not a stored task", path.name)
        return None
