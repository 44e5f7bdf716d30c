"""Cancellation by asyncio's rules, with what it leaves behind.

The library always passes a ``CancelledError`` on: timeouts, task groups and Ctrl-C depend on it. A
note on it says what was sent and what may be charged; a host that has words for a cancellation of
its own takes them from :func:`interruption_of`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Generator

from ..errors import Interrupted, SeedreamError

_TOLD = "seedream_interruption"


def add_interruption(error: asyncio.CancelledError, told: SeedreamError) -> None:
    """Note on a cancellation what it leaves behind; this replaces an earlier such note."""
    former = getattr(error, _TOLD, None)
    notes = [note for note in getattr(error, "__notes__", ()) if note != str(former)]
    # Python 3.10 has no ``add_note``; later versions print what it sets.
    vars(error).update({"__notes__": [*notes, str(told)], _TOLD: told})


def interruption_of(error: BaseException) -> SeedreamError:
    """The cancellation as an error of this package, which says whether money was spent."""
    found: BaseException | None = error
    while found is not None:
        told = getattr(found, _TOLD, None)
        if isinstance(told, SeedreamError):
            return told
        found = found.__context__
    return Interrupted("interrupted_before")


@contextlib.contextmanager
def noting_cancellation(told: Callable[[], SeedreamError]) -> Generator[None]:
    """Add to a cancellation of this block what ``told`` says at that moment."""
    try:
        yield
    except asyncio.CancelledError as error:
        add_interruption(error, told())
        raise
