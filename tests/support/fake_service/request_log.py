"""The requests that the fake service has received, in bounded memory."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, replace

from seedream_api.sandbox.exchange import HttpRequest

from .faults import Fault

KEPT_REQUESTS = 20_000
KEPT_BODY_BYTES = 256 * 1024 * 1024


@dataclass
class LoggedRequest(HttpRequest):
    """One request whose body was read to the end. Old bodies are dropped from the log."""

    at: float = 0.0
    """The service's ``now()`` when the body had been read, in seconds."""
    status: int | None = None
    """The status of the response; None if none was sent yet."""
    fault: str | None = None
    """The name of the scripted fault that applied."""
    taken: bool = True
    """False: a scripted fault responded before the service received the request."""
    fault_object: Fault | None = None


class RequestLog:
    """The received requests, oldest first; the oldest requests and bodies are dropped."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[LoggedRequest] = deque(maxlen=KEPT_REQUESTS)
        self._with_body: deque[LoggedRequest] = deque()
        self._body_bytes = 0

    def add(self, entry: LoggedRequest) -> None:
        """Add a request."""
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

    def note_status(self, entry: LoggedRequest, status: int) -> None:
        """Note the status of the response, just before it is sent."""
        with self._lock:
            entry.status = status

    def snapshot(self) -> list[LoggedRequest]:
        """Return copies of all entries, oldest first."""
        with self._lock:
            return [replace(entry, headers=dict(entry.headers)) for entry in self._entries]
