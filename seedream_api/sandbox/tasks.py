"""What was ordered, kept on disk, and how far it is.

One small JSON file a record, so that another sandbox on the same home (a restart, another port)
still knows every task and can draw every result again.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

LOG = logging.getLogger("seedream.sandbox")

QUEUED_SHARE = 0.2
"""The part of a task's time that it waits in the queue."""

_ID = re.compile(r"(?:task|pic)-[0-9a-f]{12}")


@dataclass(frozen=True)
class Record:
    """One request that was taken; times in seconds since the epoch."""

    id: str
    """``task-...`` can be polled; ``pic-...`` was answered at once."""
    owner: str
    model: str
    prompt: str
    tier: str
    ratio: str
    count: int
    extension: str
    watermark: bool
    thumbnails: tuple[str, ...]
    """Names of the references' thumbnails in the store."""
    digest: str
    """SHA-256 of the request: the same request draws the same pictures."""
    created: float
    seconds: float
    """How long the task takes."""
    failure: tuple[str, str] | None = None
    """Message and type of a task that is going to fail."""
    failed_items: tuple[int, ...] = ()
    empty: bool = False
    """Completes without results."""
    finished: float | None = None
    """When a test ended it before its time."""

    @property
    def images(self) -> int:
        """Images that are made, and so billed."""
        if self.failure or self.empty:
            return 0
        return len(set(range(self.count)) - set(self.failed_items))


@dataclass(frozen=True)
class Progress:
    """Where a task stands; times in seconds since the epoch."""

    status: str
    """queued, processing, completed, failed: the main page's words."""
    percent: int
    started: float
    done: float


def progress_of(record: Record, now: float, *, frozen: bool = False) -> Progress:
    """Where ``record`` stands at ``now``; ``frozen`` keeps it from finishing."""
    done = record.created + record.seconds if record.finished is None else record.finished
    started = min(record.created + QUEUED_SHARE * record.seconds, done)
    if now >= done and not frozen:
        return Progress("failed" if record.failure else "completed", 100, started, done)
    if now < started:
        return Progress("queued", 0, started, done)
    share = (now - started) / (done - started) if done > started else 1.0
    return Progress("processing", 1 + int(98 * min(share, 1.0)), started, done)


def new_id(kind: str) -> str:
    """A fresh id: ``kind`` is ``task`` or ``pic``."""
    return f"{kind}-{secrets.token_hex(6)}"


def write_privately(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` in one step, readable by its owner alone."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    binary: int = getattr(os, "O_BINARY", 0)  # Windows would change line ends.
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | binary, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def private_folder(path: Path) -> Path:
    """``path`` as a folder that only its owner can enter."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


class RecordStore:
    """Records and reference thumbnails below one folder."""

    def __init__(self, folder: Path) -> None:
        self._records = private_folder(private_folder(folder) / "records")
        self._thumbnails = private_folder(folder / "thumbnails")
        self._lock = threading.Lock()

    def put(self, record: Record) -> None:
        """Store a record, or its new state."""
        with self._lock:
            self._write(record)

    def get(self, record_id: str) -> Record | None:
        """The record of that id, or None."""
        if not _ID.fullmatch(record_id):
            return None
        return _read(self._records / f"{record_id}.json")

    def change(self, record_id: str, **changes: Any) -> Record | None:
        """Change fields of a stored record; None if there is none."""
        with self._lock:
            record = self.get(record_id)
            if record is not None:
                record = replace(record, **changes)
                self._write(record)
            return record

    def all(self) -> Iterator[Record]:
        """Every record, in no order."""
        for path in sorted(self._records.glob("*.json")):
            record = _read(path)
            if record is not None:
                yield record

    def put_thumbnail(self, name: str, data: bytes) -> None:
        """Store a thumbnail under a name made from its content."""
        path = self._thumbnails / f"{name}.jpg"
        if not path.exists():
            write_privately(path, data)

    def thumbnail(self, name: str) -> bytes:
        """A stored thumbnail's JPEG bytes.

        Raises:
            OSError: it is gone.
        """
        return (self._thumbnails / f"{name}.jpg").read_bytes()

    def _write(self, record: Record) -> None:
        data = json.dumps(asdict(record), ensure_ascii=False).encode("utf-8", "surrogatepass")
        write_privately(self._records / f"{record.id}.json", data)


def _read(path: Path) -> Record | None:
    try:
        fields = json.loads(path.read_bytes().decode("utf-8", "surrogatepass"))
        for name in ("thumbnails", "failed_items"):
            fields[name] = tuple(fields[name])
        if fields["failure"] is not None:
            fields["failure"] = tuple(fields["failure"])
        return Record(**fields)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        LOG.debug("no record in %s", path.name)
        return None
