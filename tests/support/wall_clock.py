"""A clock that a test sets."""

from __future__ import annotations

from datetime import datetime


class Clock:
    """Wall-clock time that a test sets."""

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def set(self, text: str) -> None:
        self.now = datetime.fromisoformat(text).timestamp()
