"""Attach to a cancellation what was sent and what may be charged.

The library always re-raises a ``CancelledError``, because timeouts, task groups and Ctrl-C depend
on it. The note on it is for tracebacks; :func:`interruption_of` returns it as an error.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Generator

from ..errors import Interrupted, SeedreamError

_ATTRIBUTE = "seedream_interruption"


def add_interruption(error: asyncio.CancelledError, interruption: SeedreamError) -> None:
    """Attach an interruption to a cancellation, replacing an earlier one."""
    former = getattr(error, _ATTRIBUTE, None)
    notes = [note for note in getattr(error, "__notes__", ()) if note != str(former)]
    # Python 3.10 has no ``add_note``; later versions print ``__notes__``.
    vars(error).update({"__notes__": [*notes, str(interruption)], _ATTRIBUTE: interruption})


def interruption_of(error: BaseException) -> SeedreamError:
    """Return the interruption attached to a cancellation, which says whether money was spent."""
    found: BaseException | None = error
    while found is not None:
        interruption = getattr(found, _ATTRIBUTE, None)
        if isinstance(interruption, SeedreamError):
            return interruption
        found = found.__context__
    return Interrupted("interrupted_before")


@contextlib.contextmanager
def note_cancellation(build_error: Callable[[], SeedreamError]) -> Generator[None]:
    """Attach the error that ``build_error`` returns to a cancellation of this block."""
    try:
        yield
    except asyncio.CancelledError as error:
        add_interruption(error, build_error())
        raise
