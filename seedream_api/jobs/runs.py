"""Runs, which ``SEEDREAM_LIMIT_RUN`` limits: one ComfyUI prompt, one command, one session."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[str | None] = ContextVar("seedream_run", default=None)


@contextmanager
def in_run(name: str | None) -> Generator[None]:
    """Count the requests of the block for a run; ``None``: for the run of their session."""
    token = _current.set(name)
    try:
        yield
    finally:
        _current.reset(token)


def get_run() -> str | None:
    """Get the run that the caller is in; ``None`` if it is that of the session."""
    return _current.get()
