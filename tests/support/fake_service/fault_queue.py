"""The queue of faults: which one the next request on a route gets."""

from __future__ import annotations

import threading
from collections import defaultdict, deque

from .faults import ROUTES, Fault


class FaultQueue:
    """Scripted faults by route; each applies to one request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queues: defaultdict[str, deque[Fault]] = defaultdict(deque)

    def push(self, route: str, fault: Fault, *, times: int = 1) -> None:
        """Queue ``fault`` for the next ``times`` requests on ``route``.

        Raises:
            ValueError: the route is unknown, the fault cannot happen there, or ``times`` < 1.
        """
        if route not in ROUTES:
            raise ValueError(f"route {route!r} is none of {', '.join(ROUTES)}")
        if route not in fault.routes:
            raise ValueError(f"{fault.name} happens on {', '.join(fault.routes)}, not on {route}")
        if times < 1:
            raise ValueError(f"times must be at least 1, not {times}")
        with self._lock:
            self._queues[route].extend([fault] * times)

    def take(self, route: str) -> Fault | None:
        """Remove and return the next fault, if any."""
        with self._lock:
            queue = self._queues[route]
            return queue.popleft() if queue else None

    def waiting(self, route: str) -> int:
        """Return how many faults have not happened yet on ``route``."""
        with self._lock:
            return len(self._queues[route])

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._queues.clear()
