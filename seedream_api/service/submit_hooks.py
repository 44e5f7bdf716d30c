"""The callbacks with which a caller follows a paid request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..network.throttle import Slot


async def _do_nothing() -> None:
    pass


def _ignore_slot(slot: Slot) -> None:
    pass


@dataclass(frozen=True)
class SubmitHooks:
    """Callbacks with which a caller records the states of a paid request.

    Args:
        before_first_byte: awaited immediately before the first byte is sent; if it raises, nothing
            is sent.
        not_accepted: awaited when the service definitely did not accept the request, which is then
            sent again after a delay or fails.
        admitted: called with the request's slot in the throttle; a caller that stops waiting may
            release the slot before the response arrives.
        waiting: called with the place among the requests that wait for a slot; 0 when it has one.
    """

    before_first_byte: Callable[[], Awaitable[None]] = _do_nothing
    not_accepted: Callable[[], Awaitable[None]] = _do_nothing
    admitted: Callable[[Slot], None] = _ignore_slot
    waiting: Callable[[int], None] = lambda place: None
