"""Say of a cancelled request what was sent and what may be charged.

The library always re-raises a ``CancelledError``, because timeouts, task groups and Ctrl-C depend
on it. The note on it is for tracebacks; :func:`interruption_of` returns it as an error.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from ..errors import Charge, Interrupted, SeedreamError
from ..ledger.states import State

if TYPE_CHECKING:
    from .job import Job

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


def cancellation_error(job: Job) -> SeedreamError:
    """Build the error for a waiter that is cancelled now; the job's error takes precedence."""
    if job.end is not None:
        return job.end
    row = job.current_row
    if row is not None and row.task_id and row.state is State.ACCEPTED:
        return Interrupted("interrupted_task", task_id=row.task_id, charge=Charge.RUNNING)
    if job.is_sending and row is not None and job.task.done():
        # The session was closed before the response arrived.
        return Interrupted("interrupted_unanswered", charge=Charge.POSSIBLE, entry=row.id)
    if job.is_sending:
        return Interrupted("interrupted_after", charge=Charge.POSSIBLE)
    if job.was_sent:
        return Interrupted("interrupted_stored", charge=Charge.MADE)
    if job.is_sent_elsewhere:
        return Interrupted("interrupted_elsewhere", charge=Charge.POSSIBLE)
    return Interrupted("interrupted_before")
