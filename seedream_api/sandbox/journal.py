"""What the sandbox has received, for tests and for the curious. Bounded: a demo runs for days."""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import dataclass, replace
from typing import Any

KEPT_REQUESTS = 20_000
KEPT_BODY_BYTES = 256 * 1024 * 1024


@dataclass
class TakenRequest:
    """One request whose body was read to the end."""

    method: str
    path: str
    """The path with its query, as it was sent."""
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes
    """Empty when it was refused for its length, or dropped for want of room in the journal."""
    json: Any | None
    at: float
    """The sandbox's ``now()`` when the body had been read, in seconds."""
    status: int | None = None
    """What was answered; None: nothing yet, or nothing ever."""
    fault: str | None = None
    """The name of the scripted fault that befell it."""
    taken: bool = True
    """False: a scripted fault answered before the service saw it."""


class Journal:
    """The received requests, oldest first; the oldest, and the oldest bodies, are forgotten."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[TakenRequest] = deque(maxlen=KEPT_REQUESTS)
        self._with_body: deque[TakenRequest] = deque()
        self._body_bytes = 0

    def add(self, entry: TakenRequest) -> None:
        """Write a request down; it is visible from here on."""
        with self._lock:
            self._entries.append(entry)
            if not entry.body:
                return
            self._with_body.append(entry)
            self._body_bytes += len(entry.body)
            while self._body_bytes > KEPT_BODY_BYTES and len(self._with_body) > 1:
                oldest = self._with_body.popleft()
                self._body_bytes -= len(oldest.body)
                oldest.body, oldest.json = b"", None

    def answered(self, entry: TakenRequest, status: int) -> None:
        """Note what a request was answered with, just before it is sent."""
        with self._lock:
            entry.status = status

    def snapshot(self) -> list[TakenRequest]:
        """Copies of all entries, oldest first."""
        with self._lock:
            return [replace(entry, headers=dict(entry.headers)) for entry in self._entries]


def parsed(body: bytes) -> Any | None:
    """``body`` as JSON, or None."""
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return None
